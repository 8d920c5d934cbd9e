// TLS for the server's connections: the certificate in use, and one connection's state machine on
// a non-blocking socket. Internal to the server.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <memory>
#include <mutex>
#include <string>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace patchbay {

/// The certificate chain and its key, both in PEM. Read again when a file has changed, so that a
/// renewed certificate needs no restart; connections keep the one they began with. [any thread]
class TlsKeys {
public:
    /// Throws Error(config) naming the file that cannot be used.
    TlsKeys(std::string certificate, std::string key);

    /// Looks at the files (two stat calls). A pair that cannot be used is logged once and the
    /// former one stays.
    std::shared_ptr<SSL_CTX> current();

private:
    struct Stamp {
        std::string text;  // Of both files: inode, size, time of change.
        bool operator==(const Stamp&) const = default;
    };
    Stamp look() const;
    std::shared_ptr<SSL_CTX> load() const;

    const std::string certificate_, key_;
    std::mutex mutex_;
    Stamp seen_;
    std::shared_ptr<SSL_CTX> context_;
};

/// One connection. Like the system calls: what would block answers -1 with EAGAIN, and goes on
/// after the next event of the socket, of whichever kind. [one thread]
class TlsStream {
public:
    enum class Handshake { done, waiting, failed };

    /// `fd` stays the caller's and has to outlive this.
    TlsStream(const std::shared_ptr<SSL_CTX>& context, int fd);
    ~TlsStream();  ///< Says goodbye, if that can be said at once.
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    Handshake shake_hands();
    /// Bytes, 0 when the client has ended, -1 with errno.
    ssize_t read(char* to, size_t size);
    /// Nothing is left in the socket or here: the next bytes bring an event.
    bool drained() const;
    /// Bytes taken, or -1 with errno.
    ssize_t write(const iovec* parts, size_t count);
    /// Bytes of the write that would have blocked. They are encrypted already, so the next write
    /// has to begin with the same ones.
    size_t committed() const { return committed_; }
    void end_writing();  ///< close_notify: the client can tell the end from a cut.

private:
    ssize_t failed(int result);

    struct Free {
        void operator()(SSL* ssl) const;
    };
    struct Wire {  // What the socket said last.
        int fd;
        bool emptied = false, ended = false;
    };
    friend struct TlsWire;
    Wire wire_;
    std::unique_ptr<SSL, Free> ssl_;
    size_t committed_ = 0;
    bool broken_ = false, said_goodbye_ = false;
};

}  // namespace patchbay
