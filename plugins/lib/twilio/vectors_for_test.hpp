// Test data that the project shares but does not ship: signed requests and answers of the provider.
#pragma once
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <fstream>
#include <iostream>
#include <patchbay/form.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace patchbay::twilio {

/// The "cases" of a file below ../shared. Empty, with a line on stdout, when the file is not there.
inline std::vector<Poco::JSON::Object::Ptr> shared_cases(const std::string& name) {
    std::ifstream file{PATCHBAY_SOURCE_DIR "/../shared/" + name};
    std::stringstream text;
    text << file.rdbuf();
    std::vector<Poco::JSON::Object::Ptr> cases;
    if (!file) {
        std::cout << "skipped: shared/" << name << " is not there\n";
        return cases;
    }
    const auto whole = Poco::JSON::Parser{}.parse(text.str()).extract<Poco::JSON::Object::Ptr>();
    for (const auto& item : *whole->getArray("cases")) {
        cases.push_back(item.extract<Poco::JSON::Object::Ptr>());
    }
    return cases;
}

/// [["name", "value"], ...]
inline Form form_of_pairs(const Poco::JSON::Array& pairs) {
    Form form;
    for (const auto& item : pairs) {
        const auto& pair = *item.extract<Poco::JSON::Array::Ptr>();
        form.add(pair.getElement<std::string>(0), pair.getElement<std::string>(1));
    }
    return form;
}

}  // namespace patchbay::twilio
