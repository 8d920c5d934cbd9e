// The inputs of shared/framing/cases.json and of tests/framing/cases.json; the `about` of each says
// what its members mean.
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

/// One of our own table.
struct TableCase {
    std::string rule, name, bytes;
    std::vector<int> answers;
    std::vector<std::string> bodies;  ///< Empty: not told.
    bool closes = false;

    bool is_refused() const { return !answers.empty() && answers.back() >= 400; }
    /// How many requests are handled.
    size_t handled() const { return answers.size() - (is_refused() ? 1 : 0); }
};

/// Characters U+0000 to U+00FF as bytes.
inline std::string bytes_of(const std::string& text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<uint8_t>(text[i]);
        if (byte < 0x80)
            bytes += text[i];
        else
            bytes += static_cast<char>((byte & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F));
    }
    return bytes;
}

/// A text, {repeat, times}, or a list of both.
inline std::string sent_bytes(const Poco::Dynamic::Var& send) {
    if (send.isString()) return bytes_of(send.convert<std::string>());
    std::string bytes;
    if (send.type() == typeid(Poco::JSON::Array::Ptr)) {
        for (const auto& piece : *send.extract<Poco::JSON::Array::Ptr>())
            bytes += sent_bytes(piece);
        return bytes;
    }
    const auto piece = send.extract<Poco::JSON::Object::Ptr>();
    const std::string repeated = bytes_of(piece->getValue<std::string>("repeat"));
    for (int i = piece->getValue<int>("times"); i > 0; --i) bytes += repeated;
    return bytes;
}

inline std::vector<TableCase> table_cases() {
    std::ifstream in(PATCHBAY_SOURCE_DIR "/tests/framing/cases.json");
    const auto root = Poco::JSON::Parser().parse(in).extract<Poco::JSON::Object::Ptr>();
    std::vector<TableCase> cases;
    for (const auto& entry : *root->getArray("cases")) {
        const auto item = entry.extract<Poco::JSON::Object::Ptr>();
        TableCase test{.rule = item->getValue<std::string>("rule"),
                       .name = item->getValue<std::string>("name"),
                       .bytes = sent_bytes(item->get("send"))};
        for (const auto& answer : *item->getArray("answers"))
            test.answers.push_back(answer.convert<int>());
        if (item->has("bodies"))
            for (const auto& body : *item->getArray("bodies"))
                test.bodies.push_back(bytes_of(body.convert<std::string>()));
        test.closes = test.is_refused() || item->optValue("closes", false);
        cases.push_back(std::move(test));
    }
    return cases;
}

}  // namespace patchbay::testing_http
