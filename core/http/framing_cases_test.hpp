// The inputs of shared/framing/cases.json; its `about` says what `expect` means.
#pragma once
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <filesystem>
#include <fstream>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

namespace patchbay::testing_http {

struct Case {
    std::string rule, name, expect, bytes;
};

/// Empty when the file is missing.
inline std::vector<Case> shared_cases() {
    const std::filesystem::path file = PATCHBAY_SOURCE_DIR "/../shared/framing/cases.json";
    std::ifstream in(file);
    if (!in) return {};
    // Not parse_json: the file shows NULs as \u0000, which our own reader refuses.
    const auto root = Poco::JSON::Parser().parse(in).extract<Poco::JSON::Object::Ptr>();
    const auto list = root->getArray("cases");
    std::vector<Case> cases;
    for (size_t i = 0; i < list->size(); ++i) {
        const auto item = list->getObject(static_cast<unsigned>(i));
        cases.push_back({item->getValue<std::string>("rule"), item->getValue<std::string>("name"),
                         item->get("expect").convert<std::string>(),
                         *from_base64(item->getValue<std::string>("bytes_base64"))});
    }
    return cases;
}

}  // namespace patchbay::testing_http
