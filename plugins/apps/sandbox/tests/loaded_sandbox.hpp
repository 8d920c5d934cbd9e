// The sandbox's library, loaded as the hub loads it, over a host that makes real calls.
#pragma once
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <fstream>
#include <patchbay/sdk.hpp>
#include <stdexcept>
#include <string>

namespace patchbay::sandbox {

inline std::string hmac_sha1(const std::string& key, const std::string& data) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(data.data()), data.size(), mac, &size);
    return {reinterpret_cast<const char*>(mac), size};
}

/// Throws Poco::Exception when there is no whole answer.
inline Response http(const Request& request) {
    const Poco::URI uri{request.url};
    Poco::Net::HTTPClientSession session{uri.getHost(), uri.getPort()};
    Poco::Net::HTTPRequest head{request.method, uri.getPathEtc(), "HTTP/1.1"};
    for (const auto& [name, value] : request.headers) head.set(name, value);
    head.setContentLength(static_cast<std::streamsize>(request.body.size()));
    session.sendRequest(head) << request.body;
    Poco::Net::HTTPResponse answer;
    std::istream& content = session.receiveResponse(answer);
    Response response{answer.getStatus(), "", {}};
    Poco::StreamCopier::copyToString(content, response.body);
    const auto length = answer.getContentLength64();
    if (length >= 0 && static_cast<size_t>(length) != response.body.size()) {
        throw Poco::IOException("half an answer");
    }
    return response;
}

/// What the sandbox asks of a hub. Time stands still.
class FakeHost {
public:
    const pb_host* raw() const { return &raw_; }
    int port() const { return port_; }

private:
    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<FakeHost*>(self)->answer(number, detail::view(in)));
        });
    }

    std::string answer(uint32_t number, std::string_view in) {
        const auto trusted = wire::Text::trusted;
        if (number == method::now) return wire::pack(int64_t{1'795'169'730'000});
        if (number == method::hmac) {
            std::string algorithm;
            wire::Bytes key, data;
            wire::unpack(in, trusted, algorithm, key, data);
            return wire::pack(wire::Bytes{hmac_sha1(key.data, data.data)});
        }
        if (number == method::http) {
            Call any;
            Request request;
            wire::unpack(in, trusted, any, request);
            try {
                return wire::pack(http(request));
            } catch (const Poco::Exception& error) {
                throw ConnectionFailed(true, error.displayText());
            }
        }
        if (number == method::log) {
            Level level{};
            std::string text;
            Labels fields;
            wire::unpack(in, trusted, level, text, fields);
            if (fields.contains("port")) port_ = std::stoi(fields.at("port"));
            return {};
        }
        throw Error(ErrorKind::unsupported, "not played");
    }

    pb_host raw_{sizeof(pb_host), PB_ABI_MINOR, this, &FakeHost::call};
    std::atomic<int> port_{0};
};

class LoadedSandbox {
public:
    explicit LoadedSandbox(Labels config) {
        library_ = dlopen(PATCHBAY_PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
        if (!library_) throw std::runtime_error(dlerror());
        const auto entry =
            reinterpret_cast<const pb_plugin* (*)()>(dlsym(library_, "patchbay_plugin_v1"));
        config.insert({"listen", "127.0.0.1:0"});
        const std::string packed = wire::pack(config);
        detail::StringSink error;
        if (entry()->create(host_.raw(), detail::borrow(packed), &instance_, error.sink()) != 0) {
            throw std::runtime_error("the sandbox did not start: " + error.text());
        }
    }
    ~LoadedSandbox() { unload(); }

    void unload() {
        if (!library_) return;
        instance_.destroy(instance_.self);
        dlclose(library_);
        library_ = nullptr;
    }
    /// Whether any part of the library is still in this process.
    static bool is_mapped() {
        std::ifstream maps{"/proc/self/maps"};
        for (std::string line; std::getline(maps, line);) {
            if (line.ends_with(PATCHBAY_PLUGIN_FILE)) return true;
        }
        return false;
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(host_.port()); }

private:
    FakeHost host_;
    void* library_ = nullptr;
    pb_instance instance_{};
};

}  // namespace patchbay::sandbox
