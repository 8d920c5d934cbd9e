// A Content-Type up to the first line end, and a body behind it: refused as a problem, or read to
// parts that say the same when they are written and read again.
#include <cstdlib>

#include "http/multipart.hpp"
#include "http/problem.hpp"

namespace {

using namespace patchbay;

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

bool is_same(const MultipartPart& a, const MultipartPart& b) {
    return a.name == b.name && a.filename == b.filename && a.content_type == b.content_type &&
           a.body == b.body;
}

void write_and_read_again(const Multipart& form) {
    const std::string boundary(Multipart::max_boundary, 'Z');
    std::string body;
    for (const MultipartPart& part : form.all()) {
        // Quoting may push a head over its limit, and a part may hold this very boundary.
        if (part.name.size() + part.filename.value_or("").size() > 1500 ||
            part.body.find(boundary) != std::string_view::npos)
            return;
        body += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + quoted(part.name);
        if (part.filename) body += "; filename=" + quoted(*part.filename);
        if (!part.content_type.empty()) body += "\r\nContent-Type: " + part.content_type;
        body += "\r\n\r\n";
        body += part.body;
        body += "\r\n";
    }
    body += "--" + boundary + "--";
    const Multipart again = Multipart::parse("multipart/form-data; boundary=" + boundary, body);
    if (again.all().size() != form.all().size()) std::abort();
    for (size_t i = 0; i < form.all().size(); ++i)
        if (!is_same(form.all()[i], again.all()[i])) std::abort();
}

bool is_refused(std::string_view type, std::string_view body) {
    try {
        Multipart::parse(type, body);
        return false;
    } catch (const Problem& problem) {
        if (problem.status != 400 && problem.status != 415) std::abort();
        return true;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string_view type = input.substr(0, input.find('\n'));
    const std::string_view body = input.substr(std::min(type.size() + 1, input.size()));
    if (is_refused(type, body)) return 0;
    const Multipart form = Multipart::parse(type, body);
    if (form.all().size() > Multipart::max_parts) std::abort();
    for (const MultipartPart& part : form.all()) {
        if (!is_utf8(part.name) || !is_utf8(part.filename.value_or(""))) std::abort();
        const bool inside =
            part.body.empty() || (part.body.data() > body.data() &&
                                  part.body.data() + part.body.size() < body.data() + body.size());
        if (!inside) std::abort();
    }
    // Finished is finished: neither a byte less nor one more may be taken.
    if (!is_refused(type, body.substr(0, body.size() - 1))) std::abort();
    if (!is_refused(type, std::string(body) + "x")) std::abort();
    write_and_read_again(form);
    return 0;
}
