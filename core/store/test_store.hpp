// What the tests of this folder share: a store in a folder of its own, and a small table.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <string>

#include "store/store.hpp"

namespace patchbay {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "patchbay-store-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline const Statement things_add{"things.add", "INSERT INTO things (id, value) VALUES ($1, $2)"};
inline const Statement things_get{
    "things.get", "SELECT value FROM things WHERE id = $1", {"PRIMARY"}};
inline const Statement things_count{"things.count", "SELECT COUNT(*) FROM things", {}, true};

inline const std::string things_table =
    "CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, value TEXT)";

class StoreTest : public testing::Test {
protected:
    std::unique_ptr<Store> open() { return std::make_unique<Store>(config(), clock_); }
    std::unique_ptr<Store> open_with_things() {
        auto store = open();
        store->write([](Transaction& tx) { tx.run_script(things_table); });
        return store;
    }
    virtual StoreConfig config() const {
        return {.url = "sqlite:hub.db", .base = folder_.path(), .ballast_bytes = 0};
    }
    std::filesystem::path file() const { return folder_.path() / "hub.db"; }

    /// Overwrites all but the first two pages.
    void damage() const {
        std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(2 * 4096);
        const std::string rubbish(std::filesystem::file_size(file()) - 2 * 4096, '\xEE');
        stream.write(rubbish.data(), static_cast<std::streamsize>(rubbish.size()));
    }

    static void add(Store& store, int64_t id, const Value& value = {}) {
        store.write([&](Transaction& tx) { tx.run(things_add, {id, value}); });
    }
    static int64_t count(Store& store) {
        return store.read([](Session& session) { return session.first(things_count)->number(0); });
    }

    TemporaryFolder folder_;
    ManualClock clock_;
};

/// Keeps the writer thread busy until the end of its life, so that a test decides what queues
/// behind it.
class HeldWriter {
public:
    explicit HeldWriter(Store& store, Urgency urgency = Urgency::ordinary) {
        store.write_async(
            [latches = latches_](Transaction&) {
                latches->started.count_down();
                latches->go_on.wait();
            },
            {}, urgency);
        latches_->started.wait();
    }
    ~HeldWriter() { release(); }
    void release() {
        if (!std::exchange(is_released_, true)) latches_->go_on.count_down();
    }

private:
    struct Latches {
        std::latch started{1};
        std::latch go_on{1};
    };
    std::shared_ptr<Latches> latches_ = std::make_shared<Latches>();  // The writer's too.
    bool is_released_ = false;
};

}  // namespace patchbay
