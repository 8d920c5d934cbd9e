// Every service of the host, kept in memory, for one plugin under test.
#pragma once
#include <mutex>

#include "base/clock.hpp"
#include "plugins/host_services.hpp"
#include "provider_double.hpp"
#include "test_tables.hpp"

namespace patchbay {

/// [any thread]
class TestServices {
public:
    explicit TestServices(ProviderDouble& provider);

    struct Seen {
        std::vector<LogLine> log;
        std::vector<Event> published;
        std::vector<std::string> timers, tasks, labels;
        std::vector<std::pair<std::string, std::string>> pushed;
        std::map<std::string, double> metrics;
    };
    Seen seen() const;
    std::string stored(const std::string& key) const;
    void store(const std::string& key, const std::string& value);
    void play(uint32_t method, std::function<std::string(std::string_view)> answer);

    /// The plugin has tables of its own: they are made in `folder`.
    void make_tables(const std::filesystem::path& folder, const std::string& plugin,
                     const std::vector<tables::Migration>& migrations);

    ManualClock clock;
    HostServices services;

private:
    struct Item {
        std::string value;
        uint64_t version = 0;
        int64_t expires_ms = 0;
    };

    template <class... T, class Function>
    void offer(uint32_t number, Function function);
    void offer_words();
    void offer_storage();
    void offer_calls();
    void offer_apps();
    void offer_rest();
    std::optional<Item> live(const std::string& key) const;
    void note_labels(const std::string& metric, const Labels& labels);
    Media keep(const std::string& type, std::string content);

    TestTables& tables();

    ProviderDouble& provider_;
    std::optional<TestTables> tables_;
    mutable std::mutex mutex_;
    std::map<uint32_t, std::function<std::string(std::string_view)>> played_;
    Seen seen_;
    std::map<std::string, Item> items_;
    std::map<std::string, std::string> blobs_;
    uint64_t last_id_ = 0, last_timer_ = 0;
};

}  // namespace patchbay
