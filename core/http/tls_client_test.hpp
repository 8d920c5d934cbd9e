// For tests over TLS: a certificate made on the spot, and the client's side of a connection.
#pragma once
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace patchbay::testing_http {

/// Two PEM files; `name` is the certificate's common name.
struct TestKeys {
    std::string certificate, key;
};

/// A self-signed P-256 certificate of one day in `folder`, under the names NAME.crt and NAME.key.
inline TestKeys make_keys(const std::filesystem::path& folder, const std::string& name) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 86'400);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
    X509_sign(made.get(), key.get(), EVP_sha256());
    std::filesystem::create_directories(folder);
    const TestKeys files{folder / (name + ".crt"), folder / (name + ".key")};
    FILE* out = std::fopen(files.certificate.c_str(), "w");
    PEM_write_X509(out, made.get());
    std::fclose(out);
    out = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    return files;
}

/// One pair for all tests of a program.
inline const TestKeys& shared_keys() {
    static const TestKeys keys = make_keys(
        std::filesystem::temp_directory_path() / ("patchbay_tls_" + std::to_string(::getpid())),
        "hub.example");
    return keys;
}

/// What a client insists on.
struct TlsWishes {
    int lowest = TLS1_2_VERSION, highest = TLS1_3_VERSION;
    std::string protocols{};  ///< ALPN, as on the wire.
    SSL_SESSION* resume = nullptr;
};

/// The client's side on a blocking socket; checks no certificate.
class TlsClient {
public:
    explicit TlsClient(int fd, const TlsWishes& wishes = {})
        : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL.
        SSL_CTX_set_min_proto_version(context_.get(), wishes.lowest);
        SSL_CTX_set_max_proto_version(context_.get(), wishes.highest);
        // Below 1.2 the ciphers of a plain build need this; the server has to refuse all the same.
        if (wishes.lowest < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_clear_mode(context_.get(), SSL_MODE_AUTO_RETRY);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), fd);
        SSL_set_alpn_protos(ssl_.get(),
                            reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                            static_cast<unsigned>(wishes.protocols.size()));
        if (wishes.resume) SSL_set_session(ssl_.get(), wishes.resume);
        connected_ = SSL_connect(ssl_.get()) == 1;
        ERR_clear_error();
    }

    bool connected() const { return connected_; }
    SSL* ssl() { return ssl_.get(); }
    std::string peer_name() {
        const std::unique_ptr<X509, decltype(&X509_free)> peer(
            SSL_get1_peer_certificate(ssl_.get()), X509_free);
        char name[64] = "";
        if (peer)
            X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name,
                                      sizeof name);
        return name;
    }

    ssize_t send(const char* bytes, size_t size) {
        ERR_clear_error();
        return SSL_write(ssl_.get(), bytes, static_cast<int>(size));
    }
    bool has_pending() const { return SSL_has_pending(ssl_.get()) == 1; }
    /// Bytes; 0 at the end; -1 when only a message of TLS itself had come.
    ssize_t receive(char* to, size_t size) {
        ERR_clear_error();
        const int got = SSL_read(ssl_.get(), to, static_cast<int>(size));
        if (got > 0) return got;
        const int error = SSL_get_error(ssl_.get(), got);
        closed_well_ = error == SSL_ERROR_ZERO_RETURN;
        return error == SSL_ERROR_WANT_READ ? -1 : 0;
    }
    /// The server said that it had ended; else the connection was cut.
    bool closed_well() const { return closed_well_; }
    void end_sending() { SSL_shutdown(ssl_.get()); }

private:
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
    bool connected_ = false, closed_well_ = false;
};

}  // namespace patchbay::testing_http
