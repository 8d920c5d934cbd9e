// A request target: the path is refused, or decoded to one that has nothing left to be read twice;
// the query is refused as a problem, or says the same when it is written and read again.
#include <cstdlib>

#include "http/framing.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"

namespace {

using namespace patchbay;

// A second opinion on S19, segment by segment.
bool is_plain(const std::string& path) {
    if (!path.starts_with('/') || !is_utf8(path)) return false;
    for (const char c : path)
        if (static_cast<uint8_t>(c) < ' ' || c == 0x7F || c == '\\') return false;
    std::string_view rest = std::string_view(path).substr(1);
    while (!rest.empty()) {
        const size_t slash = rest.find('/');
        const std::string_view name = rest.substr(0, slash);
        if (name.empty() || name == "." || name == "..") return false;
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    return true;
}

std::string encoded(const std::string& path) {
    std::string out;
    for (const char c : path) {
        if (c == '/')
            out += c;
        else
            out += percent_encode(std::string_view(&c, 1));
    }
    return out;
}

void check_query(std::string_view raw) {
    Query query;
    try {
        query = Query::parse(raw);
    } catch (const Problem& problem) {
        if (problem.status != 400) std::abort();
        return;
    }
    if (query.all().size() > Query::max_pairs) std::abort();
    std::string again;
    for (const auto& [key, value] : query.all()) {
        if (!is_utf8(key) || !is_utf8(value)) std::abort();
        again += (again.empty() ? "" : "&") + percent_encode(key) + "=" + percent_encode(value);
    }
    if (Query::parse(again).all() != query.all()) std::abort();
    for (const auto& [key, value] : query.all()) {
        try {
            if (query.find(key) != value) std::abort();
        } catch (const Problem& problem) {
            if (problem.code != "duplicate_parameter" || query.values(key).size() < 2) std::abort();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string target(reinterpret_cast<const char*>(data), size);
    const size_t question = std::min(target.find('?'), target.size());
    const auto path = decode_path(std::string_view(target).substr(0, question));
    if (path && !is_plain(*path)) std::abort();
    if (path && decode_path(encoded(*path)) != path) std::abort();
    check_query(std::string_view(target).substr(std::min(question + 1, target.size())));

    // The parser takes exactly what decode_path takes, and cuts it in the same places.
    RequestParser parser;
    const std::string bytes = "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    std::string_view rest = bytes;
    if (parser.next(rest) != RequestParser::Step::head) return 0;
    const HttpRequest& request = parser.request();
    if (!path || request.path != *path || request.target != target) std::abort();
    if (request.query != target.substr(std::min(question + 1, target.size()))) std::abort();
    return 0;
}
