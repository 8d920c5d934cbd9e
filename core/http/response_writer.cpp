#include "http/response_writer.hpp"

#include <charconv>
#include <ctime>

#include "http/message.hpp"

namespace patchbay {
namespace {

std::string_view status_text(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "";
    }
}

void append_number(std::string& out, uint64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

bool is_ours(std::string_view name) {
    for (const std::string_view own :
         {"Content-Length", "Connection", "Date", "Transfer-Encoding", "Keep-Alive"})
        if (equal_ignoring_case(name, own)) return true;
    return false;
}

void append_title_case(std::string& out, std::string_view name) {
    bool first = true;
    for (const char c : name) {
        out += first && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        first = c == '-';
    }
}

}  // namespace

bool is_sendable_header(std::string_view name, std::string_view value) {
    for (const char c : name)
        if (!is_alphanumeric(c) && c != '-' && c != '_') return false;
    return !name.empty() && is_field_value(value);
}

bool write_answer_head(std::string& out, const Response& response, const AnswerHead& head) {
    if (response.status < 101 || response.status > 599) return false;
    for (const auto& [name, value] : response.headers)
        if (!is_sendable_header(name, value)) return false;
    out += "HTTP/1.1 ";
    append_number(out, static_cast<uint64_t>(response.status));
    out += ' ';
    out += status_text(response.status);
    out += "\r\nDate: ";
    out += head.date;
    for (const auto& [name, value] : response.headers) {
        if (is_ours(name)) continue;
        out += "\r\n";
        append_title_case(out, name);
        out += ": ";
        out += value;
    }
    if (may_have_body(response.status)) {
        out += "\r\nContent-Length: ";
        append_number(out, response.body.size());
    }
    if (!head.keep_alive) out += "\r\nConnection: close";
    out += "\r\n\r\n";
    return true;
}

std::string http_date(int64_t seconds_since_1970) {
    const std::time_t at = seconds_since_1970;
    std::tm parts{};
    gmtime_r(&at, &parts);
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    const int size = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                                   parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return std::string(text, static_cast<size_t>(size));
}

const std::string* find_header(const Labels& headers, std::string_view name) {
    for (const auto& [key, value] : headers)
        if (equal_ignoring_case(key, name)) return &value;
    return nullptr;
}

}  // namespace patchbay
