// metrics/1: what plugins count, on /metrics under names of the hub's making.
#pragma once
#include <string>

#include "plugins/host_services.hpp"

namespace patchbay {

enum class PluginMetric { counter, gauge, summary };

/// `patchbay_plugin_<plugin>_<name>` with the label `instance` and up to three of the plugin's own.
/// As all families it lives as long as the process. Values of labels pass redact(): no phone number
/// and no secret is in a metric. Names and numbers have bounds: of a plugin 100 metrics, of a
/// metric 200 sets of values, what is more is counted as "other". Throws Error(request): a name
/// that is none, another kind or other labels than before, a value that is no number or, counted,
/// below zero; Error(rate_limited): too many metrics. [any thread]
void add_plugin_metric(const ServiceCaller& caller, PluginMetric kind, const std::string& name,
                       double value, const Labels& labels);

void register_metric_service(HostServices& services);

}  // namespace patchbay
