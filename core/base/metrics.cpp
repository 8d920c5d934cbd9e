#include "base/metrics.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <stdexcept>

namespace patchbay {
namespace {

constexpr size_t most_pulled = 1'000;
constexpr std::string_view other = "other";

struct Registry {
    std::mutex mutex;
    std::vector<const AnyFamily*> families;
    std::map<const AnyFamily*, uint64_t> overflow;
};

// Never destroyed: threads that were given up may still count at the end of the process.
Registry& registry() {
    static auto& all = *new Registry;
    return all;
}

constexpr std::array<int64_t, Histogram::seconds.size()> bounds_ns = [] {
    std::array<int64_t, Histogram::seconds.size()> bounds{};
    for (size_t i = 0; i < bounds.size(); ++i)
        bounds[i] = static_cast<int64_t>(Histogram::seconds[i] * 1e9 + 0.5);
    return bounds;
}();

size_t hash_of(LabelValues values) {
    size_t hash = 0;
    for (const std::string_view value : values)
        hash = (hash ^ std::hash<std::string_view>{}(value)) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 32);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\\' || (quotes && c == '"'))
            (out += '\\') += c;
        else
            out += c;
    }
}

std::string number(double value) {
    char digits[64];
    return {digits,
            std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr};
}

// name{label="value",le="0.1"} number
void append_sample(std::string& out, const AnyFamily& family, std::string_view suffix,
                   const std::vector<std::string>& values, std::string_view le,
                   std::string_view value) {
    out.append(family.name).append(suffix);
    char before = '{';
    const auto label = [&](std::string_view name, std::string_view text) {
        (out += before).append(name).append("=\"");
        append_escaped(out, text, true);
        out += '"';
        before = ',';
    };
    for (size_t i = 0; i < values.size(); ++i) label(family.labels[i], values[i]);
    if (!le.empty()) label("le", le);
    if (before == ',') out += '}';
    (out += ' ').append(value) += '\n';
}

std::array<const char*, 4> label_array(std::initializer_list<const char*> labels) {
    std::array<const char*, 4> array{};
    if (labels.size() > array.size()) throw std::logic_error("a metric with too many labels");
    std::copy(labels.begin(), labels.end(), array.begin());
    return array;
}

const Pulled overflow_total{Pulled::counter,
                            "patchbay_metrics_overflow_total",
                            "Values counted in a series \"other\" because a family had its "
                            "greatest number of series: a bug.",
                            {"family"}};

}  // namespace

void Histogram::observe(Duration took) {
    const int64_t ns = std::max<int64_t>(took.count(), 0);
    const auto bucket = std::lower_bound(bounds_ns.begin(), bounds_ns.end(), ns);
    buckets_[static_cast<size_t>(bucket - bounds_ns.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
    sum_.fetch_add(static_cast<uint64_t>(ns), std::memory_order_relaxed);
}

std::array<uint64_t, Histogram::seconds.size() + 1> Histogram::buckets() const {
    std::array<uint64_t, seconds.size() + 1> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = buckets_[i].load(std::memory_order_relaxed);
    return all;
}

uint64_t Histogram::count() const {
    uint64_t count = 0;
    for (const uint64_t one : buckets()) count += one;
    return count;
}

double Histogram::sum_seconds() const {
    return static_cast<double>(sum_.load(std::memory_order_relaxed)) / 1e9;
}

AnyFamily::AnyFamily(const char* name_, const char* help_,
                     std::initializer_list<const char*> labels_)
    : AnyFamily(name_, help_, labels_, Shown::at_once) {}

AnyFamily::AnyFamily(const char* name_, const char* help_,
                     std::initializer_list<const char*> labels_, Shown shown)
    : name(name_), help(help_), labels(label_array(labels_)) {
    if (shown == Shown::at_once) list();
}

void AnyFamily::list() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto place = std::lower_bound(
        all.families.begin(), all.families.end(), std::string_view(name),
        [](const AnyFamily* family, std::string_view wanted) { return family->name < wanted; });
    if (place != all.families.end() && std::string_view((*place)->name) == name)
        throw std::logic_error(std::string("two families of metrics are called ") + name);
    all.families.insert(place, this);
}

size_t AnyFamily::label_count() const {
    return static_cast<size_t>(std::find(labels.begin(), labels.end(), nullptr) - labels.begin());
}

namespace detail {

SeriesTable::SeriesTable(size_t most, size_t label_count, Make make)
    : most_(most), label_count_(label_count), make_(make), slots_(std::bit_ceil(most * 2)) {}

SeriesTable::Node* SeriesTable::find(size_t hash, LabelValues values) const {
    // Half of the slots at least are empty, so this ends.
    for (size_t at = hash % slots_.size();; at = (at + 1) % slots_.size()) {
        Node* node = slots_[at].load(std::memory_order_acquire);
        if (!node) return nullptr;
        if (node->hash == hash &&
            std::equal(values.begin(), values.end(), node->labels.begin(), node->labels.end()))
            return node;
    }
}

void* SeriesTable::find_or_make(LabelValues values) {
    const size_t hash = hash_of(values);
    Node* node = find(hash, values);
    if (!node) node = make_node(hash, values);
    if (node == other_.load(std::memory_order_relaxed))
        refused_.fetch_add(1, std::memory_order_relaxed);
    return node->series;
}

SeriesTable::Node* SeriesTable::make_node(size_t hash, LabelValues values) {
    if (values.size() != label_count_)
        throw std::logic_error("a metric with the wrong number of label values");
    const std::lock_guard lock(mutex_);
    if (Node* node = find(hash, values)) return node;  // Somebody was quicker.
    if (count_ == most_) {
        if (!other_)
            other_ =
                new Node{0, std::vector<std::string>(label_count_, std::string(other)), make_()};
        return other_;
    }
    ++count_;
    auto* node = new Node{hash, {values.begin(), values.end()}, make_()};
    size_t at = hash % slots_.size();
    while (slots_[at].load(std::memory_order_relaxed)) at = (at + 1) % slots_.size();
    slots_[at].store(node, std::memory_order_release);
    return node;
}

std::vector<const SeriesTable::Node*> SeriesTable::all() const {
    std::vector<const Node*> nodes;
    for (const auto& slot : slots_)
        if (const Node* node = slot.load(std::memory_order_acquire)) nodes.push_back(node);
    if (const Node* node = other_.load(std::memory_order_acquire)) nodes.push_back(node);
    std::sort(nodes.begin(), nodes.end(),
              [](const Node* a, const Node* b) { return a->labels < b->labels; });
    return nodes;
}

void begin_family(std::string& out, const AnyFamily& family, const char* type) {
    out.append("# HELP ").append(family.name) += ' ';
    append_escaped(out, family.help, false);
    out.append("\n# TYPE ").append(family.name).append(" ").append(type) += '\n';
}

void write_samples(std::string& out, const AnyFamily& family, const SeriesTable& table,
                   void (*write)(std::string&, const AnyFamily&, const SeriesTable::Node&)) {
    for (const SeriesTable::Node* node : table.all()) write(out, family, *node);
}

void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Counter& series) {
    append_sample(out, family, "", node.labels, "", std::to_string(series.value()));
}

void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Gauge& series) {
    append_sample(out, family, "", node.labels, "", std::to_string(series.value()));
}

void write_series(std::string& out, const AnyFamily& family, const SeriesTable::Node& node,
                  const Histogram& series) {
    // Read once: _count is the sum of what was read, whatever is added meanwhile.
    const auto buckets = series.buckets();
    uint64_t up_to = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
        up_to += buckets[i];
        append_sample(out, family, "_bucket", node.labels,
                      i < Histogram::seconds.size() ? number(Histogram::seconds[i]) : "+Inf",
                      std::to_string(up_to));
    }
    append_sample(out, family, "_sum", node.labels, "", number(series.sum_seconds()));
    append_sample(out, family, "_count", node.labels, "", std::to_string(up_to));
}

void write_value(std::string& out, const AnyFamily& family, std::string_view suffix,
                 const std::vector<std::string>& labels, double value) {
    append_sample(out, family, suffix, labels, "", number(value));
}

void note_overflow(const AnyFamily& family, const SeriesTable& table) {
    if (table.refused() > 0) registry().overflow[&family] = table.refused();
}

}  // namespace detail

void Pulled::write(std::string& out) const {
    detail::begin_family(out, *this, kind_ == counter ? "counter" : "gauge");
}

void Samples::add(const Pulled& family, LabelValues values, int64_t value) {
    auto& series = values_[&family];
    std::vector<std::string> labels(values.begin(), values.end());
    if (labels.size() != family.label_count())
        throw std::logic_error("a metric with the wrong number of label values");
    if (series.size() >= most_pulled && !series.contains(labels))
        labels.assign(labels.size(), std::string(other));
    series[std::move(labels)] += value;
}

std::string metrics_text(const std::function<void(Samples&)>& collect) {
    Samples samples;
    if (collect) collect(samples);
    std::string out;
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    for (const auto& [family, count] : all.overflow)
        samples.add(overflow_total, {family->name}, static_cast<int64_t>(count));
    for (const AnyFamily* family : all.families) {
        family->write(out);
        const auto pulled = samples.values_.find(family);
        if (pulled == samples.values_.end()) continue;
        for (const auto& [labels, value] : pulled->second)
            append_sample(out, *family, "", labels, "", std::to_string(value));
    }
    return out;
}

}  // namespace patchbay
