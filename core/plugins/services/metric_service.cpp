#include "plugins/services/metric_service.hpp"

#include <cmath>
#include <mutex>
#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "base/log.hpp"
#include "base/metrics.hpp"

namespace patchbay {
namespace {

constexpr size_t max_metrics = 100;  // Of each plugin.
constexpr size_t max_series = 200;   // Of each metric.
constexpr size_t max_labels = 3;
constexpr size_t max_name_bytes = 60, max_value_bytes = 64;

using LabelNames = std::vector<std::string>;

const char* word(PluginMetric kind) {
    switch (kind) {
        case PluginMetric::counter:
            return "counter";
        case PluginMetric::gauge:
            return "gauge";
        case PluginMetric::summary:
            return "summary";
    }
    return "untyped";
}

bool is_name(std::string_view name) {
    if (name.empty() || name.size() > max_name_bytes || name[0] < 'a' || name[0] > 'z')
        return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// At a whole character.
std::string shortened(const std::string& text) {
    size_t end = std::min(text.size(), max_value_bytes);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end);
}

LabelNames names_of(const Labels& labels) {
    LabelNames names;
    for (const auto& [name, value] : labels) {
        if (!is_name(name) || name == "instance" || name == "quantile")
            throw Error(ErrorKind::request, "no name of a label: " + name);
        names.push_back(name);
    }
    if (names.size() > max_labels) throw Error(ErrorKind::request, "a metric has 3 labels at most");
    return names;
}

/// Made at the first value, never deleted.
class PluginFamily final : public AnyFamily {
public:
    /// `full_name` and `own` live as long.
    PluginFamily(const std::string& full_name, PluginMetric kind_, const LabelNames& own)
        : AnyFamily(full_name.c_str(), "Counted by a plugin.",
                    {"instance", at(own, 0), at(own, 1), at(own, 2)}, Shown::when_listed),
          kind(kind_),
          names(own) {
        list();
    }

    void add(const std::string& instance, const Labels& labels, double value) {
        std::vector<std::string> values{instance};
        for (const auto& [name, text] : labels) values.push_back(redact(shortened(text)));
        const std::lock_guard lock(mutex_);
        if (series_.size() >= max_series && !series_.contains(values))
            values.assign(values.size(), "other");
        Series& series = series_[values];
        series.value = kind == PluginMetric::gauge ? value : series.value + value;
        ++series.count;
    }

    void write(std::string& out) const override {
        detail::begin_family(out, *this, word(kind));
        const std::lock_guard lock(mutex_);
        for (const auto& [values, series] : series_) {
            const char* suffix = kind == PluginMetric::summary ? "_sum" : "";
            detail::write_value(out, *this, suffix, values, series.value);
            if (kind == PluginMetric::summary)
                detail::write_value(out, *this, "_count", values,
                                    static_cast<double>(series.count));
        }
    }

    const PluginMetric kind;
    const LabelNames& names;

private:
    struct Series {
        double value = 0;
        uint64_t count = 0;
    };
    static const char* at(const LabelNames& names, size_t place) {
        return place < names.size() ? names[place].c_str() : nullptr;
    }

    mutable std::mutex mutex_;
    std::map<std::vector<std::string>, Series> series_;
};

struct AllMetrics {
    std::mutex mutex;
    std::map<std::string, PluginFamily*> families;
    std::map<std::string, size_t> of_plugin;
};

// Never destroyed, as the registry of metrics itself.
AllMetrics& all_metrics() {
    static auto& all = *new AllMetrics;
    return all;
}

PluginFamily& family(const std::string& plugin, PluginMetric kind, const std::string& name,
                     const LabelNames& labels) {
    const std::string full = "patchbay_plugin_" + plugin + "_" + name;
    AllMetrics& all = all_metrics();
    const std::lock_guard lock(all.mutex);
    if (const auto found = all.families.find(full); found != all.families.end()) {
        if (found->second->kind != kind || found->second->names != labels)
            throw Error(ErrorKind::request, "the metric " + name +
                                                " is of another kind, or has "
                                                "other labels");
        return *found->second;
    }
    if (all.of_plugin[plugin] >= max_metrics)
        throw Error(ErrorKind::rate_limited, "the plugin has 100 metrics already");
    ++all.of_plugin[plugin];
    const auto [place, is_new] = all.families.emplace(full, nullptr);
    place->second = new PluginFamily(place->first, kind, *new LabelNames(labels));
    return *place->second;
}

void register_one(HostServices& services, uint32_t number, PluginMetric kind) {
    services.register_method("metrics/1", number,
                             [kind](const ServiceCaller& caller, std::string_view in) {
                                 std::string name;
                                 double value = 0;
                                 Labels labels;
                                 wire::unpack(in, wire::Text::checked, name, value, labels);
                                 add_plugin_metric(caller, kind, name, value, labels);
                                 return std::string{};
                             });
}

}  // namespace

void add_plugin_metric(const ServiceCaller& caller, PluginMetric kind, const std::string& name,
                       double value, const Labels& labels) {
    if (!is_name(name)) throw Error(ErrorKind::request, "no name of a metric: " + name);
    if (!std::isfinite(value) || (kind == PluginMetric::counter && value < 0))
        throw Error(ErrorKind::request, "no value of the metric " + name);
    family(caller.plugin, kind, name, names_of(labels)).add(caller.instance, labels, value);
}

void register_metric_service(HostServices& services) {
    register_one(services, method::count, PluginMetric::counter);
    register_one(services, method::gauge, PluginMetric::gauge);
    register_one(services, method::observe, PluginMetric::summary);
}

}  // namespace patchbay
