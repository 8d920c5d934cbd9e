// What /metrics shows. A family is an object at namespace scope beside the code that counts, and
// lives as long as the program:
//   const Family<Counter> sends{"patchbay_sends_total", "Calls of send().", {"channel",
//   "outcome"}}; sends.with({channel, word(verdict)}).add();
// Labels are small fixed sets: names of the configuration, words of ours. Never a number of
// somebody, an id or a text.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

/// [any thread] As all series: an atomic addition, no lock.
class Counter {
public:
    static constexpr const char* type = "counter";
    void add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

class Gauge {
public:
    static constexpr const char* type = "gauge";
    void add(int64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
    int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<int64_t> value_{0};
};

class Histogram {
public:
    static constexpr const char* type = "histogram";
    using Duration = std::chrono::nanoseconds;
    /// Upper ends of the buckets, the same for all; what is longer is in "+Inf".
    static constexpr std::array<double, 18> seconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                    0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                    1,      2.5,     5,      10,    30,     60};
    void observe(Duration took);  ///< Below zero counts as zero.
    uint64_t count() const;
    /// How many fell into each bucket by itself; the last one is "+Inf".
    std::array<uint64_t, seconds.size() + 1> buckets() const;
    double sum_seconds() const;

private:
    std::array<std::atomic<uint64_t>, seconds.size() + 1> buckets_{};
    std::atomic<uint64_t> sum_{0};  // Nanoseconds: 584 years until it begins anew.
};

using LabelValues = std::initializer_list<std::string_view>;

/// What all kinds have in common.
class AnyFamily {
public:
    AnyFamily(const char* name_, const char* help_, std::initializer_list<const char*> labels_);
    AnyFamily(const AnyFamily&) = delete;
    AnyFamily& operator=(const AnyFamily&) = delete;

    /// HELP, TYPE and the samples, as text of the format 0.0.4.
    virtual void write(std::string& out) const = 0;

    const char* const name;
    const char* const help;
    /// Of one text each; an empty one ends the list. An array, so that nothing has to be destroyed
    /// while threads that were given up may still count.
    const std::array<const char*, 4> labels;
    size_t label_count() const;

protected:
    /// For one that is made while /metrics may be read: it is not shown before list(), which the
    /// constructor of the most derived class calls last.
    enum class Shown { at_once, when_listed };
    AnyFamily(const char* name_, const char* help_, std::initializer_list<const char*> labels_,
              Shown shown);
    void list();
    ~AnyFamily() = default;
};

namespace detail {

/// Finds the series of a set of label values. Grows to a bound and never shrinks, so finding takes
/// no lock.
class SeriesTable {
public:
    struct Node {
        size_t hash = 0;
        std::vector<std::string> labels{};
        void* series = nullptr;
    };
    using Make = void* (*)();

    SeriesTable(size_t most, size_t label_count, Make make);
    SeriesTable(const SeriesTable&) = delete;
    SeriesTable& operator=(const SeriesTable&) = delete;

    void* find_or_make(LabelValues values);
    std::vector<const Node*> all() const;  ///< In the order of their labels.
    uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

private:
    Node* find(size_t hash, LabelValues values) const;
    Node* make_node(size_t hash, LabelValues values);

    const size_t most_, label_count_;
    const Make make_;
    std::vector<std::atomic<Node*>> slots_;
    std::mutex mutex_;  // For those who add.
    size_t count_ = 0;
    std::atomic<Node*> other_{nullptr};
    std::atomic<uint64_t> refused_{0};
};

void write_samples(std::string& out, const AnyFamily& family, const SeriesTable& table,
                   void (*write)(std::string&, const AnyFamily&, const SeriesTable::Node&));
void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Counter& series);
void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Gauge& series);
void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Histogram& series);
void write_value(std::string& out, const AnyFamily& family, std::string_view suffix,
                 const std::vector<std::string>& labels, double value);
void begin_family(std::string& out, const AnyFamily& family, const char* type);

/// Of families that had to put something into "other": a bug, since labels are small fixed sets.
void note_overflow(const AnyFamily& family, const SeriesTable& table);

}  // namespace detail

/// A family that is counted where things happen.
template <class Series>
class Family final : public AnyFamily {
public:
    /// At most `most_series` sets of label values; what comes after them is counted in one series
    /// whose labels are all "other", and in patchbay_metrics_overflow_total.
    Family(const char* name_, const char* help_, std::initializer_list<const char*> labels_ = {},
           size_t most_series = 256)
        : AnyFamily(name_, help_, labels_),
          table_(*new detail::SeriesTable(most_series, label_count(),
                                          [] { return static_cast<void*>(new Series); })) {}

    /// [any thread] The series with these values, in the order of the labels; made at the first
    /// call. It stays for ever: keep the reference where the values do not change.
    Series& with(LabelValues values) const {
        return *static_cast<Series*>(table_.find_or_make(values));
    }

    void write(std::string& out) const override {
        detail::begin_family(out, *this, Series::type);
        detail::write_samples(
            out, *this, table_,
            [](std::string& to, const AnyFamily& family, const detail::SeriesTable::Node& node) {
                detail::write_series(to, family, node, *static_cast<const Series*>(node.series));
            });
        detail::note_overflow(*this, table_);
    }

private:
    detail::SeriesTable& table_;  // Never deleted: see AnyFamily::labels.
};

/// A family of values that a part of the hub knows anyway; they are asked for when /metrics is
/// read.
class Pulled final : public AnyFamily {
public:
    enum Kind { counter, gauge };
    Pulled(Kind kind, const char* name_, const char* help_,
           std::initializer_list<const char*> labels_ = {})
        : AnyFamily(name_, help_, labels_), kind_(kind) {}
    void write(std::string& out) const override;  ///< HELP and TYPE only.

private:
    const Kind kind_;
};

/// What a collector fills.
class Samples {
public:
    /// The same family and values again: the sum. Over 1,000 sets of a family: "other".
    void add(const Pulled& family, LabelValues values, int64_t value);

private:
    friend std::string metrics_text(const std::function<void(Samples&)>& collect);
    std::map<const AnyFamily*, std::map<std::vector<std::string>, int64_t>> values_;
};

/// All families in the order of their names, in the text format 0.0.4 of Prometheus. `collect`
/// gives the values of the pulled ones. [any thread]
std::string metrics_text(const std::function<void(Samples&)>& collect = {});

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace patchbay
