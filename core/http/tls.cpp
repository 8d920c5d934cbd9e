#include "http/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <patchbay/sdk.hpp>
#include <string_view>

#include "base/log.hpp"

namespace patchbay {

// OpenSSL's own socket BIO would raise SIGPIPE and does not tell whether the socket is empty.
struct TlsWire {
    static TlsStream::Wire& of(BIO* bio) {
        return *static_cast<TlsStream::Wire*>(BIO_get_data(bio));
    }

    static int read(BIO* bio, char* to, int size) {
        TlsStream::Wire& wire = of(bio);
        BIO_clear_retry_flags(bio);
        ssize_t got = 0;
        do {
            got = ::recv(wire.fd, to, static_cast<size_t>(size), 0);
        } while (got < 0 && errno == EINTR);
        wire.emptied = got < size;
        wire.ended = got == 0;
        if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
        return static_cast<int>(got);
    }

    static int write(BIO* bio, const char* from, int size) {
        BIO_clear_retry_flags(bio);
        ssize_t wrote = 0;
        do {
            wrote = ::send(of(bio).fd, from, static_cast<size_t>(size), MSG_NOSIGNAL);
        } while (wrote < 0 && errno == EINTR);
        if (wrote < 0 && would_block(errno)) BIO_set_retry_write(bio);
        return static_cast<int>(wrote);
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return of(bio).ended;
        return command == BIO_CTRL_FLUSH;
    }

    static bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* made = [] {
            BIO_METHOD* fresh =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "patchbay socket");
            BIO_meth_set_read(fresh, read);
            BIO_meth_set_write(fresh, write);
            BIO_meth_set_ctrl(fresh, control);
            return fresh;
        }();
        return made;
    }

    static BIO* make(TlsStream::Wire& wire) {
        BIO* bio = BIO_new(method());
        if (!bio) throw std::bad_alloc();
        BIO_set_data(bio, &wire);
        BIO_set_init(bio, 1);
        return bio;
    }
};

namespace {

// A record's plaintext. Small parts are joined so that an answer is one record and one packet.
constexpr size_t record_size = 16 << 10;
thread_local std::array<char, record_size> joined;

constexpr const char* ciphers_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::string_view http_1_1 = "\x08http/1.1";

// The first of the errors that OpenSSL has piled up: no path and no key material.
std::string reason_of_openssl() {
    const unsigned long code = ERR_peek_error();
    const char* reason = ERR_reason_error_string(code);
    if (ERR_SYSTEM_ERROR(code)) reason = std::strerror(ERR_GET_REASON(code));
    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

int no_password(char*, int, int, void*) { return -1; }  // OpenSSL would ask on the terminal.

// A client that offers protocols has to offer ours (RFC 7301).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
    const auto* ours = reinterpret_cast<const unsigned char*>(http_1_1.data());
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_size, ours,
                                            static_cast<unsigned>(http_1_1.size()), in, in_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// S54 for the other side: no version below 1.2, forward secrecy only, no renegotiation. Sessions
// are resumed from tickets, so the server keeps no memory for clients that are gone.
void set_up(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, ciphers_1_2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    SSL_CTX_set_default_passwd_cb(context, no_password);
}

std::string stamp_of(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return "missing";
    return std::to_string(status.st_ino) + ' ' + std::to_string(status.st_size) + ' ' +
           std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace

TlsKeys::TlsKeys(std::string certificate, std::string key)
    : certificate_(std::move(certificate)), key_(std::move(key)), seen_(look()), context_(load()) {}

TlsKeys::Stamp TlsKeys::look() const { return {stamp_of(certificate_) + '\n' + stamp_of(key_)}; }

std::shared_ptr<SSL_CTX> TlsKeys::load() const {
    ERR_clear_error();
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (!context) throw Error(ErrorKind::unavailable, "cannot set up TLS: " + reason_of_openssl());
    set_up(context.get());
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_.c_str()) != 1)
        throw Error(ErrorKind::config,
                    "cannot use the certificate " + certificate_ + ": " + reason_of_openssl());
    // Compares the two as well.
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_.c_str(), SSL_FILETYPE_PEM) != 1)
        throw Error(ErrorKind::config, "cannot use the key " + key_ + " with the certificate " +
                                           certificate_ + ": " + reason_of_openssl());
    return context;
}

std::shared_ptr<SSL_CTX> TlsKeys::current() {
    const std::lock_guard lock(mutex_);
    // Looked at before reading: what is written meanwhile is met by the next connection.
    Stamp stamp = look();
    if (stamp == seen_) return context_;
    seen_ = std::move(stamp);
    try {
        context_ = load();
        log_info("http", "the certificate was read again", {{"file", certificate_}});
    } catch (const Error& error) {
        log_error("http", "the former certificate stays in use", {{"error", error.what()}});
    }
    return context_;
}

void TlsStream::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(const std::shared_ptr<SSL_CTX>& context, int fd)
    : wire_{fd}, ssl_(SSL_new(context.get())) {
    if (!ssl_) throw std::bad_alloc();
    BIO* bio = TlsWire::make(wire_);
    SSL_set_bio(ssl_.get(), bio, bio);  // Owns it from here on, and the context likewise.
    SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() { end_writing(); }

TlsStream::Handshake TlsStream::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return Handshake::done;
    failed(result);
    return broken_ ? Handshake::failed : Handshake::waiting;
}

// As errno says it. After anything but a wait the stream is of no use.
ssize_t TlsStream::failed(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    errno = EAGAIN;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return -1;
    broken_ = true;
    ERR_clear_error();
    errno = ECONNRESET;
    return -1;
}

ssize_t TlsStream::read(char* to, size_t size) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), to, static_cast<int>(std::min<size_t>(size, 1 << 30)));
    if (got > 0) return got;
    if (SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN) return 0;
    return failed(got);
}

bool TlsStream::drained() const { return wire_.emptied && !SSL_has_pending(ssl_.get()); }

ssize_t TlsStream::write(const iovec* parts, size_t count) {
    const char* from = nullptr;
    size_t size = 0;
    for (size_t i = 0; i < count && size < record_size; ++i) {
        if (parts[i].iov_len == 0) continue;
        const auto* base = static_cast<const char*>(parts[i].iov_base);
        const size_t taken = std::min(parts[i].iov_len, record_size - size);
        if (!from && taken == record_size) {
            from = base;  // Large enough to go without a copy.
        } else {
            std::copy_n(base, taken, joined.data() + size);
            from = joined.data();
        }
        size += taken;
    }
    if (size == 0) return 0;
    ERR_clear_error();
    const int wrote = SSL_write(ssl_.get(), from, static_cast<int>(size));
    if (wrote > 0) {
        committed_ = 0;
        return wrote;
    }
    // What is encrypted for this attempt stays as long as it was at the first one.
    if (committed_ == 0) committed_ = size;
    return failed(wrote);
}

void TlsStream::end_writing() {
    // In the midst of a handshake or of a record there is nothing that could be said.
    if (broken_ || committed_ > 0 || !SSL_is_init_finished(ssl_.get()) ||
        std::exchange(said_goodbye_, true))
        return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

}  // namespace patchbay
