// One thread runs libcurl's multi interface over its own epoll set; callers wait on their call. So
// all connections and TLS sessions are shared without locks: libcurl's own sharing of connections
// between threads is not safe.
#include "http/client.hpp"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/log.hpp"
#include "http/http_call.hpp"
#include "http/message.hpp"
#include "http/response_writer.hpp"
#include "http/url_reach.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
using HeaderList = std::unique_ptr<curl_slist, FreeHeaderList>;

bool is_method(std::string_view method) {
    return !method.empty() &&
           std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void append(HeaderList& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    list.release();
    list.reset(longer);
}

HeaderList header_list(const Request& request) {
    HeaderList list;
    bool has_type = false;
    for (const auto& [name, value] : request.headers) {
        if (!is_sendable_header(name, value))
            throw RequestError(400, "header \"" + redact(name) + "\" is not one that can be sent");
        has_type = has_type || equal_ignoring_case(name, "Content-Type");
        append(list, value.empty() ? name + ";" : name + ": " + value);
    }
    // Without these lines libcurl would add a type of its own, and wait for 100 Continue before a
    // large body.
    if (!has_type) append(list, "Content-Type:");
    append(list, "Expect:");
    return list;
}

// For logs and errors: what a URL says about whom we called, without path, query and credentials.
std::string host_of(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    const size_t at = url.rfind('@');
    return std::string(at == std::string_view::npos ? url : url.substr(at + 1));
}

}  // namespace

struct HttpClient::Impl {
    explicit Impl(HttpClientLimits given);
    ~Impl();

    Handle take_handle();
    void give_back(Handle handle);
    void prepare(HttpCall& call, const Request& request, const HttpOptions& options);
    void set_body(CURL* handle, const Request& request);
    Response run(HttpCall& call, const std::string& host);
    void wake();

    // On the loop's thread.
    void loop();
    void turn();
    void begin_calls();
    void cut_late_calls();
    void collect();
    void end(HttpCall& call, CURLcode code);
    void end_all();
    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
    static int on_timer(CURLM*, long after_ms, void* self);

    const HttpClientLimits limits;
    CURLM* multi;
    CURLSH* share;
    int epoll, event;
    std::mutex mutex;
    std::vector<HttpCall*> arrived;
    std::vector<Handle> idle_handles;
    bool stopped = false;
    std::unordered_set<HttpCall*> active;
    std::set<std::pair<SteadyClock::time_point, HttpCall*>>
        waiting;  // For the first byte of an answer.
    SteadyClock::time_point timer = SteadyClock::time_point::max();  // libcurl's own.
    std::mutex join_mutex;
    std::thread thread;
};

HttpClient::Impl::Impl(HttpClientLimits given) : limits(std::move(given)) {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = once == CURLE_OK ? curl_multi_init() : nullptr;
    share = curl_share_init();
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!multi || !share || epoll < 0 || event < 0)
        throw Error(ErrorKind::unavailable, "cannot start the HTTP client");
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1024L);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = event;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted);
    thread = std::thread([this] { loop(); });
    pthread_setname_np(thread.native_handle(), "http-client");
}

HttpClient::Impl::~Impl() {
    idle_handles.clear();
    curl_multi_cleanup(multi);
    curl_share_cleanup(share);
    ::close(event);
    ::close(epoll);
}

Handle HttpClient::Impl::take_handle() {
    {
        const std::lock_guard lock(mutex);
        if (!idle_handles.empty()) {
            Handle handle = std::move(idle_handles.back());
            idle_handles.pop_back();
            return handle;
        }
    }
    Handle handle(curl_easy_init());
    if (!handle) throw Error(ErrorKind::unavailable, "cannot make a HTTP call");
    return handle;
}

void HttpClient::Impl::give_back(Handle handle) {
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex);
    if (idle_handles.size() < 64) idle_handles.push_back(std::move(handle));
}

void HttpClient::Impl::prepare(HttpCall& call, const Request& request, const HttpOptions& options) {
    CURL* handle = call.handle;
    curl_easy_setopt(handle, CURLOPT_SHARE, share);
    curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR,
                     limits.public_only && !limits.allow_loopback ? "https" : "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(handle, CURLOPT_PROXY,
                     "");  // The environment must not decide where messages go.
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT,
                     1L);  // A slow name server must not hold the loop when its call has ended.
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN,
                     static_cast<long>(limits.idle_connection.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(limits.connect_timeout.count()));
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "Patchbay");
    if (!limits.unix_socket.empty())
        curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, limits.unix_socket.c_str());
    if (!limits.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, limits.ca_file.c_str());
    call.attach();
    set_body(handle, request);
}

void HttpClient::Impl::set_body(CURL* handle, const Request& request) {
    const std::string method = request.method.empty() ? "GET" : request.method;
    if (method == "HEAD") {
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (method != "GET" || !request.body.empty()) {
        // The body stays the caller's, who waits until the call has ended.
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
}

Response HttpClient::Impl::run(HttpCall& call, const std::string& host) {
    {
        const std::lock_guard lock(mutex);
        if (stopped) throw ConnectionFailed(false, "the hub is stopping");
        arrived.push_back(&call);
    }
    wake();
    const CURLcode code = call.wait();
    if (code == CURLE_OK) return std::move(call.response);
    if (call.refused_address)
        throw Error(ErrorKind::forbidden, host + " has an address that must not be called");
    if (!call.left && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL))
        throw RequestError(400, "the URL is not one that can be called");
    throw ConnectionFailed(call.left,
                           host + ": " + (call.cut ? call.cut : curl_easy_strerror(code)));
}

void HttpClient::Impl::wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t wrote = ::write(event, &one, sizeof one);
}

int HttpClient::Impl::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    auto& impl = *static_cast<Impl*>(self);
    if (what == CURL_POLL_REMOVE) {
        ::epoll_ctl(impl.epoll, EPOLL_CTL_DEL, fd, nullptr);
        return 0;
    }
    epoll_event wanted{};
    wanted.data.fd = fd;
    if (what & CURL_POLL_IN) wanted.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) wanted.events |= EPOLLOUT;
    // A number that was closed and given out again is known to libcurl, but no longer to epoll.
    if (known && ::epoll_ctl(impl.epoll, EPOLL_CTL_MOD, fd, &wanted) == 0) return 0;
    if (::epoll_ctl(impl.epoll, EPOLL_CTL_ADD, fd, &wanted) != 0)
        ::epoll_ctl(impl.epoll, EPOLL_CTL_MOD, fd, &wanted);
    curl_multi_assign(impl.multi, fd, &impl);
    return 0;
}

int HttpClient::Impl::on_timer(CURLM*, long after_ms, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    impl.timer = after_ms < 0 ? SteadyClock::time_point::max()
                              : SteadyClock::now() + std::chrono::milliseconds(after_ms);
    return 0;
}

void HttpClient::Impl::loop() {
    while (true) {
        {
            const std::lock_guard lock(mutex);
            if (stopped) break;
        }
        turn();
    }
    end_all();
}

void HttpClient::Impl::turn() {
    auto until = timer;
    if (!waiting.empty()) until = std::min(until, waiting.begin()->first);
    int longest = -1;
    if (until != SteadyClock::time_point::max())
        longest = static_cast<int>(std::clamp<int64_t>(
            std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count(), 0,
            60'000));
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), longest);
    int running = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event& happened = events[static_cast<size_t>(i)];
        if (happened.data.fd == event) {
            uint64_t wakes = 0;
            [[maybe_unused]] const ssize_t got = ::read(event, &wakes, sizeof wakes);
            begin_calls();
            continue;
        }
        int mask = 0;
        if (happened.events & EPOLLIN) mask |= CURL_CSELECT_IN;
        if (happened.events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
        if (happened.events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
        curl_multi_socket_action(multi, happened.data.fd, mask, &running);
    }
    if (SteadyClock::now() >= timer) {
        timer = SteadyClock::time_point::max();  // libcurl sets the next one from inside this call.
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect();
    cut_late_calls();
}

void HttpClient::Impl::begin_calls() {
    std::vector<HttpCall*> fresh;
    {
        const std::lock_guard lock(mutex);
        fresh.swap(arrived);
    }
    for (HttpCall* call : fresh) {
        call->waiting = &waiting;
        active.insert(call);
        if (curl_multi_add_handle(multi, call->handle) != CURLM_OK) end(*call, CURLE_FAILED_INIT);
    }
}

void HttpClient::Impl::cut_late_calls() {
    const auto now = SteadyClock::now();
    while (!waiting.empty() && waiting.begin()->first <= now) {
        HttpCall& call = *waiting.begin()->second;
        call.cut = "no answer began in time";
        end(call, CURLE_OPERATION_TIMEDOUT);
    }
}

void HttpClient::Impl::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        void* call = nullptr;
        const CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        end(*static_cast<HttpCall*>(call), code);
    }
}

// After this the call belongs to the thread that waits for it.
void HttpClient::Impl::end(HttpCall& call, CURLcode code) {
    call.note_what_left();
    waiting.erase({call.first_byte_until, &call});
    active.erase(&call);
    curl_multi_remove_handle(multi, call.handle);
    call.finish(code);
}

void HttpClient::Impl::end_all() {
    begin_calls();
    while (!active.empty()) {
        HttpCall& call = **active.begin();
        call.cut = "the hub is stopping";
        end(call, CURLE_ABORTED_BY_CALLBACK);
    }
}

HttpClient::HttpClient(HttpClientLimits limits)
    : impl_(std::make_unique<Impl>(std::move(limits))) {}

HttpClient::~HttpClient() { stop(); }

Response HttpClient::call(const Request& request, const HttpOptions& options) {
    const std::string host = host_of(request.url);
    if (options.timeout <= 0ms)
        throw ConnectionFailed(false, host + ": no time is left for the call");
    if (!options.tls_profile.empty())
        throw Error(ErrorKind::config, "TLS profile \"" + options.tls_profile + "\" is not known");
    if (!request.method.empty() && !is_method(request.method))
        throw RequestError(400, "the method is none");
    std::optional<UrlReach> reach;
    if (impl_->limits.public_only) reach = reach_of(request.url, impl_->limits.allow_loopback);
    if (reach == UrlReach::refused)
        throw Error(ErrorKind::forbidden, host + ": only https on port 443 may be called");

    HttpCall call;
    call.headers = header_list(request);
    Handle handle = impl_->take_handle();
    call.handle = handle.get();
    call.may_resend = options.idempotent || request.method.empty() || request.method == "GET" ||
                      request.method == "HEAD";
    call.max_body = std::min<size_t>(options.max_body_bytes, impl_->limits.max_body_bytes);
    call.max_headers = impl_->limits.max_header_bytes;
    call.first_byte_timeout = impl_->limits.first_byte_timeout;
    call.reach = reach;
    impl_->prepare(call, request, options);
    Response response = impl_->run(call, host);
    impl_->give_back(std::move(handle));
    return response;
}

void HttpClient::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopped = true;
    }
    impl_->wake();
    const std::lock_guard lock(impl_->join_mutex);
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace patchbay
