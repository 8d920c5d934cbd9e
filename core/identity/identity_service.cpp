#include "identity/identity_service.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/services.hpp>

#include "base/json.hpp"
#include "http/problem.hpp"
#include "identity/audit.hpp"
#include "identity/departments.hpp"

namespace patchbay {
namespace {

constexpr int64_t users_at_once = 200;
constexpr uint32_t max_listed = 1'000;

struct IdentityService {
    Identity& identity;
    const std::function<std::vector<std::string>()> departments;
};

// What the API answers as a problem, as plugins see it.
Error error_of(const Problem& problem) {
    const auto kind = [&] {
        switch (problem.status) {
            case 401:
                return ErrorKind::unauthorized;
            case 403:
                return ErrorKind::forbidden;
            case 404:
                return ErrorKind::not_found;
            case 409:
                return ErrorKind::conflict;
            case 429:
                return ErrorKind::rate_limited;
            case 503:
                return ErrorKind::unavailable;
            default:
                return ErrorKind::request;
        }
    }();
    Error error(kind, problem.what());
    error.code = problem.code;
    const auto after = problem.headers.find("retry-after");
    if (after != problem.headers.end())
        error.retry_after = std::chrono::seconds{std::atoll(after->second.c_str())};
    return error;
}

template <class Work>
auto in_terms_of_plugins(Work&& work) {
    try {
        return work();
    } catch (const Problem& problem) {
        throw error_of(problem);
    }
}

identity::UserInfo info_of(const User& user) {
    return {.id = user.id,
            .number = user.number,
            .email = user.email,
            .name = user.name,
            .role = user.role,
            .departments = user.departments,
            .active = user.active(),
            .created_ms = user.created_at};
}

bool fits(const User& user, const identity::UserQuery& query) {
    const auto& own = user.departments;
    return (query.id.empty() || user.id == query.id) &&
           (query.number == 0 || user.number == query.number) &&
           (query.email.empty() || user.email == folded_email(query.email)) &&
           (query.role.empty() || user.role == query.role) &&
           (query.department.empty() ||
            std::find(own.begin(), own.end(), query.department) != own.end()) &&
           (!query.active_only || user.active());
}

identity::UserQuery in_our_words(const IdentityService& service, identity::UserQuery query) {
    if (query.department.empty()) return query;
    const auto known = find_department(service.departments(), query.department);
    if (known) query.department = *known;
    return query;
}

std::vector<identity::UserInfo> list_users(const IdentityService& service,
                                           const identity::UserQuery& wanted) {
    const identity::UserQuery query = in_our_words(service, wanted);
    const size_t limit = std::min(query.limit, max_listed);
    return service.identity.store().read([&](Session& session) {
        std::vector<identity::UserInfo> found;
        std::string after;
        for (;;) {
            const auto page = patchbay::list_users(session, after, users_at_once);
            for (const User& user : page) {
                if (found.size() == limit) return found;
                if (fits(user, query)) found.push_back(info_of(user));
            }
            if (page.size() < static_cast<size_t>(users_at_once)) return found;
            after = page.back().id;
        }
    });
}

std::optional<identity::UserInfo> find_one(const IdentityService& service,
                                           const identity::UserQuery& wanted) {
    const identity::UserQuery query = in_our_words(service, wanted);
    if (query.id.empty() && query.email.empty() && query.number == 0) {
        const auto all = list_users(service, query);
        if (all.empty()) return std::nullopt;
        return all.front();
    }
    const auto user = service.identity.store().read([&](Session& session) {
        if (!query.id.empty()) return find_user(session, query.id);
        if (query.number != 0) return find_user(session, std::to_string(query.number));
        return find_user_by_email(session, query.email);
    });
    if (!user || !fits(*user, query)) return std::nullopt;
    return info_of(*user);
}

std::vector<std::string> known_departments(const IdentityService& service,
                                           const std::vector<std::string>& wanted) {
    std::vector<std::string> named;
    for (const std::string& one : wanted) {
        const auto known = find_department(service.departments(), one);
        if (!known) throw Problem("unknown_department", "There is no department of this name.");
        named.push_back(*known);
    }
    return named;
}

void check(const identity::NewUser& wanted) {
    const auto& [user, password] = wanted;
    if (user.id.empty() && !is_email(user.email))
        throw Error(ErrorKind::request, "email must be an e-mail address");
    if (user.id.empty() && user.name.empty()) throw Error(ErrorKind::request, "name is missing");
    const bool is_role =
        std::find(std::begin(user_roles), std::end(user_roles), user.role) != std::end(user_roles);
    if (!is_role) throw Error(ErrorKind::request, "role must be one of the hub's");
    if (user.role == "owner") throw Error(ErrorKind::forbidden, "a plugin makes no owners");
    if (!password.empty() && !password_problem(password).empty())
        throw Error(ErrorKind::request, "password " + password_problem(password));
}

AuditRecord record_of(const ServiceCaller& caller, const char* action, const User& user,
                      bool new_password) {
    AuditRecord record{.action = action,
                       .object_type = "user",
                       .object = user.id,
                       .actor_type = "system",
                       .actor = "plugin:" + caller.instance};
    record.after = make_object();
    record.after->set("email", user.email);
    record.after->set("name", user.name);
    record.after->set("role", user.role);
    record.after->set("active", user.active());
    if (new_password) record.after->set("credentials", "changed");
    return record;
}

User change(Transaction& tx, const identity::UserInfo& wanted,
            const std::vector<std::string>& departments, const std::string& phc, TimeMs now) {
    const auto user = find_user(tx, wanted.id);
    if (!user) throw Problem("unknown_id", "There is no such user.");
    if (user->role == "owner") throw Problem("forbidden", "A plugin changes no owners.");
    UserChange changes{
        .name = wanted.name.empty() ? std::nullopt : std::optional{wanted.name},
        .role = wanted.role,
        .active = wanted.active,
        .departments = departments,
    };
    const User changed = change_user(tx, user->id, changes, now);
    if (!phc.empty()) set_password(tx, user->id, phc, true, now);
    return changed;
}

identity::UserInfo save_user(const IdentityService& service, const ServiceCaller& caller,
                             const identity::NewUser& wanted) {
    check(wanted);
    const auto departments = known_departments(service, wanted.user.departments);
    Identity& identity = service.identity;
    // Hashed before the transaction: it takes a quarter of a second.
    const std::string phc =
        wanted.password.empty() ? "" : identity.passwords().hash(wanted.password);
    return info_of(identity.store().write([&](Transaction& tx) {
        const TimeMs now = identity.clock().now_ms();
        const bool is_new = wanted.user.id.empty();
        const User user = is_new ? add_user(tx, identity.ids(),
                                            {.email = wanted.user.email,
                                             .name = wanted.user.name,
                                             .role = wanted.user.role,
                                             .departments = departments,
                                             .password_hash = phc},
                                            now)
                                 : change(tx, wanted.user, departments, phc, now);
        append_audit(
            tx, record_of(caller, is_new ? "user.create" : "user.change", user, !phc.empty()), now);
        return user;
    }));
}

identity::SignedIn sign_in(const IdentityService& service, const identity::SignIn& wanted) {
    // All who came without one would share one address's tries.
    if (wanted.peer.empty())
        throw Error(ErrorKind::request, "peer is missing: where the sign-in comes from");
    const SignInResult result = service.identity.login(
        wanted.email, wanted.password, {.address = wanted.peer, .longest_token = wanted.token_for});
    return {.user = info_of(result.user), .token = result.token, .expires_ms = result.expires_at};
}

template <class In>
In unpacked(std::string_view in) {
    In value;
    wire::unpack(in, wire::Text::checked, value);
    return value;
}

}  // namespace

void register_identity_service(HostServices& services, Identity& identity,
                               std::function<std::vector<std::string>()> departments) {
    const auto shared =
        std::make_shared<const IdentityService>(IdentityService{identity, std::move(departments)});
    const auto add = [&](uint32_t number, auto function) {
        services.register_method(
            "identity/1", number,
            [shared, function](const ServiceCaller& caller, std::string_view in) {
                return in_terms_of_plugins(
                    [&] { return wire::pack(function(*shared, caller, in)); });
            });
    };
    using Own = const IdentityService&;
    using By = const ServiceCaller&;
    add(method::find_user, [](Own own, By, std::string_view in) {
        return find_one(own, unpacked<identity::UserQuery>(in));
    });
    add(method::list_users, [](Own own, By, std::string_view in) {
        return list_users(own, unpacked<identity::UserQuery>(in));
    });
    add(method::save_user, [](Own own, By caller, std::string_view in) {
        return save_user(own, caller, unpacked<identity::NewUser>(in));
    });
    add(method::sign_in, [](Own own, By, std::string_view in) {
        return sign_in(own, unpacked<identity::SignIn>(in));
    });
}

}  // namespace patchbay
