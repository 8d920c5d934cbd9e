// Bytes as a client may send them, once whole and once in pieces whose sizes the input chooses: the
// requests and the refusal must be the same, and nothing may be read behind a refusal.
#include <cstdlib>
#include <string>
#include <vector>

#include "http/framing.hpp"

namespace {

using patchbay::RequestParser;
using Step = RequestParser::Step;

struct Seen {
    std::vector<std::string> requests;  // Method, target, headers and body in one text.
    int refused = 0;
    std::string reason;
    bool operator==(const Seen&) const = default;
};

std::string text_of(const patchbay::HttpRequest& request) {
    std::string text =
        request.method + ' ' + request.target + '\n' + request.path + '\n' + request.query + '\n';
    for (const auto& [name, value] : request.headers) text += name + ':' + value + '\n';
    return text + request.body;
}

// False when the connection has ended.
bool feed(RequestParser& parser, std::string_view piece, Seen& seen) {
    while (true) {
        switch (parser.next(piece)) {
            case Step::need_more:
                return true;
            case Step::head:
                parser.limit_body(2000);
                break;
            case Step::complete:
                seen.requests.push_back(text_of(parser.request()));
                if (!parser.keep_alive()) return false;
                parser.reset();
                break;
            case Step::refused:
                seen.refused = parser.refusal().status;
                seen.reason = parser.refusal().reason;
                if (parser.next(piece) != Step::refused) std::abort();
                return false;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const size_t longest = 1u + data[0] % 64u;
    const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    // Small limits, so that the fuzzer reaches them.
    const patchbay::FramingLimits limits{.target = 100,
                                         .line = 100,
                                         .fields = 8,
                                         .block = 300,
                                         .chunk_extension = 16,
                                         .trailer = 60};

    Seen whole, pieces;
    RequestParser at_once(limits), in_pieces(limits);
    feed(at_once, bytes, whole);
    size_t from = 0, turn = 0;
    while (from < bytes.size()) {
        const size_t cut = 1 + (data[turn % size] + turn) % longest;
        ++turn;
        if (!feed(in_pieces, std::string_view(bytes).substr(from, cut), pieces)) break;
        from += cut;
    }
    if (!(whole == pieces)) std::abort();
    return 0;
}
