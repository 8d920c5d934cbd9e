// patchbay/sdk.hpp: what a plugin author includes. C++20, header-only, standard library only.
#pragma once
#include "abi.h"
#include "config_reader.hpp"
#include "errors.hpp"
#include "form.hpp"
#include "host.hpp"
#include "interfaces.hpp"
#include "services.hpp"
#include "text.hpp"
#include "values.hpp"
//
#include "detail/glue.hpp"  // Between pb_call and the classes above; try and catch around everything.

/// 0xMMmmpp
#define PATCHBAY_SDK_VERSION 0x000100u

/// Once, in one source: PATCHBAY_PLUGIN(twilio_sms, "1.2.0", TwilioSms, read_config, "kv/1",
/// "http-client/1") TwilioSms has a constructor (Config, Host); read_config is `Config
/// read_config(ConfigReader&)`; the rest are the services of the host that the plugin cannot do
/// without.
#define PATCHBAY_PLUGIN(Name, Version, Type, Read, ...) \
    PATCHBAY_PLUGIN_IMPL(Name, Version, Type, Read __VA_OPT__(, ) __VA_ARGS__)
