// Who a provider is, and where: certificates made here by authorities of our own, and names that
// are looked up slowly (F28, S54).
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "http/client.hpp"
#include "http/loopback_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;

template <auto free_it>
struct FreeWith {
    template <class T>
    void operator()(T* owned) const {
        free_it(owned);
    }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

/// A certificate with its key. `days` are counted from now.
struct Identity {
    Key key{EVP_EC_gen("P-256")};
    Certificate certificate{X509_new()};
};

void extend(X509* certificate, X509* issuer, int extension, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, extension, value.c_str());
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

struct Validity {
    int from_day = -1, to_day = 1;
};

/// Signed by `authority`, or by itself.
Identity identity_of(const std::string& host, const Identity* authority, Validity days = {}) {
    static long serial = 0;
    Identity made;
    X509* certificate = made.certificate.get();
    X509* issuer = authority ? authority->certificate.get() : certificate;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 86'400L * days.from_day);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * days.to_day);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    if (authority) {
        extend(certificate, issuer, NID_subject_alt_name, "DNS:" + host);
    } else {
        extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    }
    X509_sign(certificate, authority ? authority->key.get() : made.key.get(), EVP_sha256());
    return made;
}

/// A provider behind TLS on a port of its own; answers every request. Counts the bytes of requests.
class TlsServer {
public:
    explicit TlsServer(const Identity& identity, int newest_version = 0)
        : context_(SSL_CTX_new(TLS_server_method())) {
        std::signal(SIGPIPE, SIG_IGN);  // A client that refuses the certificate goes at once.
        SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_max_proto_version(context_.get(), newest_version);
        thread_ = std::thread([this] { serve(); });
    }
    ~TlsServer() {
        listener_.shut_down();
        thread_.join();
    }
    std::string url(const std::string& host = "localhost") const {
        return "https://" + host + ":" + listener_.port() + "/";
    }
    std::atomic<int> bytes{0};

private:
    void serve() {
        for (;;) {
            const int fd = listener_.accept();
            if (fd < 0) return;
            const std::unique_ptr<SSL, FreeWith<SSL_free>> ssl{SSL_new(context_.get())};
            SSL_set_fd(ssl.get(), fd);
            if (SSL_accept(ssl.get()) == 1) answer(ssl.get());
            ::close(fd);
        }
    }
    void answer(SSL* ssl) {
        std::array<char, 4096> buffer;
        const int got = SSL_read(ssl, buffer.data(), buffer.size());
        if (got <= 0) return;
        bytes += got;
        constexpr std::string_view fine =
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        SSL_write(ssl, fine.data(), fine.size());
        SSL_shutdown(ssl);
    }

    Context context_;
    ListeningSocket listener_;
    std::thread thread_;
};

/// What a failed call says about the request; nullopt when it did not fail.
std::optional<bool> request_left(HttpClient& client, const std::string& url) {
    try {
        client.call({.method = "POST", .url = url, .body = "a message"}, {});
    } catch (const ConnectionFailed& failed) {
        return failed.request_left;
    }
    return std::nullopt;
}

class Certificates : public testing::Test {
protected:
    Certificates() {
        BIO* file = BIO_new_file(authority_file.c_str(), "w");
        PEM_write_bio_X509(file, authority.certificate.get());
        BIO_free(file);
    }
    ~Certificates() override { std::filesystem::remove(authority_file); }

    const std::string authority_file =
        testing::TempDir() + "authority_" + std::to_string(::getpid()) + ".pem";
    const Identity authority = identity_of("Authority of the test", nullptr);
    HttpClient client{{.ca_file = authority_file}};
};

TEST_F(Certificates, AreCheckedBeforeAByteOfARequestLeaves_F28_S54) {
    const Identity other_authority = identity_of("Another authority", nullptr);
    const struct {
        const char* name;
        Identity identity;
        int newest_version = 0;
    } cases[] = {
        {"expired", identity_of("localhost", &authority, {-3, -1})},
        {"not valid yet", identity_of("localhost", &authority, {1, 3})},
        {"of another host", identity_of("other.example", &authority)},
        {"of a host below", identity_of("api.localhost", &authority)},
        {"of an authority that is not trusted", identity_of("localhost", &other_authority)},
        {"signed by itself", identity_of("localhost", nullptr)},
        {"good, but TLS 1.1", identity_of("localhost", &authority), TLS1_1_VERSION},
    };
    TlsServer good(identity_of("localhost", &authority));
    for (const auto& one : cases) {
        SCOPED_TRACE(one.name);
        TlsServer server(one.identity, one.newest_version);
        EXPECT_EQ(request_left(client, server.url()), false) << "to be tried again";
        EXPECT_EQ(server.bytes, 0);
        EXPECT_EQ(request_left(client, good.url()), std::nullopt) << "others go on";
    }
    EXPECT_EQ(request_left(client, good.url("127.0.0.1")), false) << "the address is no name of it";
    EXPECT_GT(good.bytes, 0);
}

// A name server that does not answer. The program's own getaddrinfo stands before the library's.
Gate name_server;
std::atomic<int> looking_up{0};

TEST(SlowNames, CostOnlyTheCallThatNeedsThem_F28) {
    TestServer fast;
    fast.route({.name = "fine", .method = "GET", .path = "/fine", .runs_on = RunsOn::reactor},
               [](const ExchangePtr& exchange) { exchange->answer({.status = 204}); });
    fast.start();
    const std::string fine = "http://127.0.0.1:" + std::to_string(fast.server->port()) + "/fine";
    {
        HttpClient client({.connect_timeout = 300ms});
        auto slow = std::async(std::launch::async,
                               [&] { return request_left(client, "http://slow.test.invalid/"); });
        while (looking_up == 0) std::this_thread::yield();
        EXPECT_EQ(client.call({.url = fine}, {}).status, 204) << "while the name is looked up";
        EXPECT_EQ(slow.get(), false) << "cut at the time for connecting, nothing had left";
        EXPECT_EQ(looking_up, 1) << "though the look-up goes on";
    }
    EXPECT_EQ(looking_up, 1) << "and the client ends without waiting for it";
    name_server.open();
    while (looking_up > 0) std::this_thread::yield();
}

}  // namespace
}  // namespace patchbay

// Takes the place of the C library's for this program and the libraries it uses.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                           addrinfo** found) {
    static const auto real =
        reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    if (host && std::string_view(host) == "slow.test.invalid") {
        ++patchbay::looking_up;
        patchbay::name_server.wait();
        --patchbay::looking_up;
        return EAI_AGAIN;
    }
    return real(host, service, hints, found);
}
