// The read connections and who has which.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/connection.hpp"

namespace patchbay {

/// Called from any thread.
class Readers {
public:
    Readers(std::filesystem::path file, unsigned count);

    /// Runs `work` in one read transaction on a connection of its own. Waits up to 10 s for one.
    void run(const std::function<void(Session&)>& work);

private:
    class Lease;

    std::filesystem::path file_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>>
        idle_;  ///< A null pointer is a connection that has to be opened anew.
};

}  // namespace patchbay
