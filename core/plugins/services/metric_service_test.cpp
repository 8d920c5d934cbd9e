#include "plugins/services/metric_service.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/metrics.hpp"

namespace patchbay {
namespace {

const ServiceCaller desk{"desk", "metric_test"};

bool shows(const std::string& line) {
    return metrics_text().find("\n" + line + "\n") != std::string::npos;
}

ErrorKind kind_of(PluginMetric kind, const std::string& name, double value, const Labels& labels) {
    try {
        add_plugin_metric(desk, kind, name, value, labels);
    } catch (const Error& error) {
        return error.kind;
    }
    return ErrorKind::none;
}

TEST(MetricsOfPlugins, HaveThePluginInTheirNameAndTheInstanceAsLabel) {
    add_plugin_metric(desk, PluginMetric::counter, "calls_total", 2, {{"kind", "a"}});
    add_plugin_metric(desk, PluginMetric::counter, "calls_total", 0.5, {{"kind", "a"}});
    add_plugin_metric({"other", "metric_test"}, PluginMetric::counter, "calls_total", 1,
                      {{"kind", "a"}});
    add_plugin_metric(desk, PluginMetric::gauge, "rooms", 7, {});
    add_plugin_metric(desk, PluginMetric::gauge, "rooms", 3, {});
    add_plugin_metric(desk, PluginMetric::summary, "wait_seconds", 1.5, {});
    add_plugin_metric(desk, PluginMetric::summary, "wait_seconds", 2, {});
    EXPECT_TRUE(shows("# TYPE patchbay_plugin_metric_test_calls_total counter"));
    EXPECT_TRUE(shows("patchbay_plugin_metric_test_calls_total{instance=\"desk\",kind=\"a\"} 2.5"));
    EXPECT_TRUE(shows("patchbay_plugin_metric_test_calls_total{instance=\"other\",kind=\"a\"} 1"));
    EXPECT_TRUE(shows("patchbay_plugin_metric_test_rooms{instance=\"desk\"} 3"));
    EXPECT_TRUE(shows("patchbay_plugin_metric_test_wait_seconds_sum{instance=\"desk\"} 3.5"));
    EXPECT_TRUE(shows("patchbay_plugin_metric_test_wait_seconds_count{instance=\"desk\"} 2"));
}

TEST(MetricsOfPlugins, ShowNobodysPhoneNumber) {
    add_plugin_metric(desk, PluginMetric::counter, "numbers_total", 1, {{"to", "+15558675310"}});
    EXPECT_EQ(metrics_text().find("15558675310"), std::string::npos);
}

TEST(MetricsOfPlugins, AreBounded) {
    for (int i = 0; i < 500; ++i)
        add_plugin_metric(desk, PluginMetric::counter, "many_total", 1,
                          {{"id", "x" + std::to_string(i)}});
    EXPECT_TRUE(
        shows("patchbay_plugin_metric_test_many_total{instance=\"other\",id=\"other\"} 300"));
    const ServiceCaller greedy{"greedy", "metric_test_greedy"};
    for (int i = 0; i < 100; ++i)
        add_plugin_metric(greedy, PluginMetric::gauge, "g" + std::to_string(i), 1, {});
    EXPECT_THROW(add_plugin_metric(greedy, PluginMetric::gauge, "one_more", 1, {}), Error);
}

TEST(MetricsOfPlugins, RefuseWhatWouldBreakThePage) {
    add_plugin_metric(desk, PluginMetric::gauge, "taken", 1, {});
    EXPECT_EQ(kind_of(PluginMetric::counter, "taken", 1, {}), ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "taken", 1, {{"more", "x"}}), ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "a b", 1, {}), ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "", 1, {}), ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "x", 1, {{"instance", "mine"}}), ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "x", 1, {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}),
              ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::gauge, "x", std::numeric_limits<double>::quiet_NaN(), {}),
              ErrorKind::request);
    EXPECT_EQ(kind_of(PluginMetric::counter, "x_total", -1, {}), ErrorKind::request);
}

}  // namespace
}  // namespace patchbay
