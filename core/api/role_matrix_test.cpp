// Every route x role x department, from the route table (S69).
#include <map>
#include <sstream>

#include "api/role_table_test.hpp"
#include "api/test_api.hpp"

namespace patchbay {
namespace {

const RoleRow* row_of(const RouteSpec& route) {
    const std::string wanted = route.method + " " + route.path;
    for (const RoleRow& row : role_table) {
        for (const auto& one : row.routes) {
            if (one == wanted) return &row;
        }
    }
    return nullptr;
}

enum class Column : size_t { owner, admin, expert, agent, viewer, api };

/// Somebody who calls, and the column that says what they may.
struct Who {
    std::string name;
    Column column;
    std::vector<std::string> departments{};
    bool is_key = false, has_scope = false;
};

const Who callers[] = {
    {"viewer", Column::viewer, {"Reception"}},
    {"expert", Column::expert, {"Reception"}},
    {"agent", Column::agent, {"Reception"}},
    {"agent of Management", Column::agent, {"Management"}},
    {"agent of nothing", Column::agent},
    {"key without the scope", Column::api, {}, true, false},
    {"key of Reception", Column::api, {"Reception"}, true, true},
    {"key", Column::api, {}, true, true},
    {"admin", Column::admin, {"Reception"}},
    {"owner", Column::owner},
};

std::string cell_of(const RoleRow& row, const Who& who) {
    std::istringstream cells(row.cells);
    std::string cell;
    for (size_t i = 0; i <= static_cast<size_t>(who.column); ++i) cells >> cell;
    return cell;
}

enum class Answers { everybody, nobody, all, some };

/// What the table says this caller gets: nothing, everything, or what is theirs.
Answers expected(const RoleRow& row, const Who& who) {
    const std::string cell = cell_of(row, who);
    if (cell == "public") return Answers::everybody;
    if (cell == "-") return Answers::nobody;
    if (cell == "D" || cell == "A") return Answers::some;
    if (!who.is_key || cell == "me") return Answers::all;
    if (!who.has_scope) return Answers::nobody;
    return who.departments.empty() ? Answers::all : Answers::some;
}

/// One conversation in each situation that a department or an assignment makes, with what hangs on
/// it.
struct Objects {
    std::string conversation, message, contact, delivery;
};
struct Situation {
    const char* name;
    std::optional<std::string> department;
    std::string kind;
    bool is_assigned;  ///< To the expert.
};
const Situation situations[] = {
    {"of Reception", "Reception", "general", false},
    {"of Housekeeping", "Housekeeping", "general", false},
    {"of no department", {}, "general", false},
    {"a demo", {}, "demo", false},
    {"of Housekeeping, assigned", "Housekeeping", "general", true},
};

/// As section 12 words it: D also sees department null, except kind demo, which is Management's.
bool is_theirs(const RoleRow& row, const Who& who, const Situation& one) {
    if (cell_of(row, who) == "A") return one.is_assigned;
    const auto has = [&](const std::string& department) {
        return std::find(who.departments.begin(), who.departments.end(), department) !=
               who.departments.end();
    };
    if (one.department) return has(*one.department);
    return one.kind != "demo" || has("Management");
}

/// Well-formed bodies, so that what is refused is refused for who asks.
const std::map<std::string, std::string> bodies = {
    {"conversations.send", R"({"text":"Hello"})"},
    {"conversations.assign", R"({"department":"Reception"})"},
    {"conversations.typing", R"({"is_typing":true})"},
    {"conversations.relay", R"({"department":"Reception"})"},
    {"contacts.change", R"({"name":"Ann"})"},
    {"contacts.opt_in", R"({"channel":"sms"})"},
    {"contacts.opt_out", R"({"channel":"sms"})"},
    {"contacts.erase", R"({"confirm":"Ann Lee"})"},
    {"contacts.merge", R"({"into":"00000000-0000-7000-8000-000000000000"})"},
};

class RoleMatrix : public ApiTest {
protected:
    RoleMatrix() {
        token_for("owner");  // There must be one beside those who call.
        for (const Who& who : callers) people_of_[who.name] = person(who);
    }

    std::string person(const Who& who) {
        if (who.is_key) return "";
        const std::string role = who.name.substr(0, who.name.find(' '));
        const std::string id = get("/api/v1/auth/me", token_for(role, who.departments)).text("id");
        if (role == "expert") expert_ = id;
        return id;
    }

    /// Fresh, since a call may have ended the one before.
    std::string credential(const Who& who, const RoleRow& row) {
        if (!who.is_key) return identity_.token_for(people_of_.at(who.name), {}).token;
        const std::string cell = cell_of(row, who);
        const bool none = cell == "-" || cell == "me" || cell == "public" || cell == "socket";
        return store_.write([&](Transaction& tx) {
            const auto made = identity_.api_keys().add(
                tx,
                {.user_id = people_of_.at("owner"),
                 .name = who.name,
                 .scopes = who.has_scope && !none ? std::vector{cell} : std::vector<std::string>{},
                 .departments = who.departments},
                clock_.now_ms());
            return made.secret;
        });
    }

    Objects make(const Situation& one) {
        const std::string phone = "+1555" + std::to_string(2'000'000 + ++phones_);
        Objects made;
        made.conversation = talk({.number = phone, .department = one.department, .kind = one.kind});
        const std::string owner = identity_.token_for(people_of_.at("owner"), {}).token;
        made.message = post("/api/v1/conversations/" + made.conversation + "/messages",
                            R"({"text":"Text )" + std::to_string(phones_) + R"("})", owner)
                           .text("id");
        made.contact = get("/api/v1/conversations/" + made.conversation, owner).text("contact.id");
        made.delivery =
            get("/api/v1/deliveries?lane=" + made.conversation, owner).text("items.0.id");
        store_.write([&](Transaction& tx) {
            tx.run_text("UPDATE conversations SET assignee=$1 WHERE id=$2",
                        {one.is_assigned ? Value{expert_} : Value{}, made.conversation});
            tx.run_text("UPDATE messages SET status='failed' WHERE id=$1", {made.message});
        });
        return made;
    }

    /// Reading changes nothing, so all callers of one route may look at the same.
    const Objects& objects_for(const RouteSpec& route, const Situation& one) {
        const std::string key = route.method == "GET" ? one.name : std::to_string(phones_);
        const auto [place, fresh] = objects_.try_emplace(key);
        if (fresh) place->second = make(one);
        return place->second;
    }

    /// nullopt: what the path names hangs on no conversation.
    static std::optional<std::string> id_in(const std::string& path, const Objects& objects) {
        if (path.find("{id}") == std::string::npos) return std::nullopt;
        if (path.starts_with("/api/v1/conversations/")) return objects.conversation;
        if (path.starts_with("/api/v1/messages/")) return objects.message;
        if (path.starts_with("/api/v1/contacts/")) return objects.contact;
        if (path.starts_with("/api/v1/deliveries/")) return objects.delivery;
        return std::nullopt;
    }

    static std::string with(std::string path, const std::string& id) {
        for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
            path.replace(at, path.find('}') - at + 1, id);
        }
        return path;
    }

    Answer ask(const RouteSpec& route, const std::string& path, const std::string& credential) {
        const auto body = bodies.find(route.name);
        const std::string text = body != bodies.end()           ? body->second
                                 : route.body == BodyKind::json ? "{}"
                                                                : "";
        const Response response = raw({.method = route.method,
                                       .target = path,
                                       .body = text,
                                       .token = credential,
                                       .headers = {{"Idempotency-Key", std::to_string(++asked_)}}});
        Answer answer{response, make_object()};
        if (response.header("content-type").starts_with("application/")) {
            try {
                answer.json = parse_json_object(std::string_view(response.body));
            } catch (const JsonError&) {
            }
        }
        return answer;
    }

    void check_objects(const RouteSpec& route, const RoleRow& row, const Who& who);
    void check_list(const RouteSpec& route, const RoleRow& row, const Who& who);
    void check_route(const RouteSpec& route, const RoleRow& row);
    void check_routes(bool reading);

    std::map<std::string, std::string> people_of_;
    std::string expert_;
    std::map<std::string, Objects> objects_;
    int phones_ = 0, asked_ = 0;
    size_t foreign_ = 0, own_ = 0, cells_ = 0;
};

void RoleMatrix::check_objects(const RouteSpec& route, const RoleRow& row, const Who& who) {
    const std::string unknown_id = route.path.starts_with("/api/v1/deliveries")
                                       ? "4503599627370496"
                                       : "00000000-0000-7000-8000-000000000001";
    const bool is_one_enough = expected(row, who) == Answers::all && route.method != "GET";
    for (const Situation& situation : situations) {
        if (is_one_enough && situation.kind != "demo") continue;
        SCOPED_TRACE(situation.name);
        const auto id = id_in(route.path, objects_for(route, situation));
        if (!id) return;
        ASSERT_FALSE(id->empty());
        const Answer unknown = ask(route, with(route.path, unknown_id), credential(who, row));
        const Answer answer = ask(route, with(route.path, *id), credential(who, row));
        EXPECT_EQ(unknown.status(), 404) << unknown.response.body;
        if (expected(row, who) == Answers::all || is_theirs(row, who, situation)) {
            ++own_;
            EXPECT_TRUE(answer.status() < 300 || answer.status() == 409 || answer.status() == 422)
                << answer.response.body;
        } else {
            ++foreign_;
            EXPECT_EQ(answer.status(), 404) << answer.response.body;
            EXPECT_EQ(answer.response.body, unknown.response.body)
                << "foreign and unknown must look alike";
        }
    }
}

void RoleMatrix::check_list(const RouteSpec& route, const RoleRow& row, const Who& who) {
    std::map<std::string, const Situation*> made;
    for (const Situation& situation : situations) {
        const Objects& objects = objects_for(route, situation);
        for (const auto& id :
             {objects.conversation, objects.message, objects.contact, objects.delivery}) {
            made[id] = &situation;
        }
    }
    std::set<std::string> shown;
    const std::string first_page = route.path + "?limit=200";
    for (std::string page = first_page; !page.empty();) {
        const Answer answer = ask(route, page, credential(who, row));
        ASSERT_EQ(answer.status(), 200) << answer.response.body;
        for (size_t i = 0; i < answer.count("items"); ++i) {
            shown.insert(answer.text("items." + std::to_string(i) + ".id"));
        }
        const std::string next = answer.text("next");
        page = next.empty() ? "" : first_page + "&cursor=" + next;
    }
    size_t found = 0, wanted = 0;
    for (const auto& [id, situation] : made) {
        SCOPED_TRACE(situation->name);
        const bool theirs = expected(row, who) == Answers::all || is_theirs(row, who, *situation);
        if (shown.contains(id)) {
            ++found;
            EXPECT_TRUE(theirs);
        }
    }
    for (const Situation& situation : situations) {
        wanted += expected(row, who) == Answers::all || is_theirs(row, who, situation);
    }
    EXPECT_GE(found, wanted) << "own ones are missing";
}

/// Lists of what hangs on conversations.
bool lists_objects(const RouteSpec& route) {
    for (const char* path :
         {"/api/v1/conversations", "/api/v1/messages", "/api/v1/contacts", "/api/v1/deliveries"}) {
        if (route.method == "GET" && route.path == path) return true;
    }
    return false;
}

void RoleMatrix::check_route(const RouteSpec& route, const RoleRow& row) {
    objects_.clear();  // A page of a list has the newest.
    for (const Who& who : callers) {
        SCOPED_TRACE(who.name);
        ++cells_;
        const Answers want = expected(row, who);
        if (want != Answers::nobody && id_in(route.path, {"c", "m", "k", "d"})) {
            check_objects(route, row, who);
            continue;
        }
        if (want != Answers::nobody && lists_objects(route)) {
            check_list(route, row, who);
            continue;
        }
        const Answer answer = ask(route, with(route.path, "99999999"), credential(who, row));
        if (want == Answers::nobody) {
            EXPECT_EQ(answer.status(), 403) << answer.response.body;
        } else if (want != Answers::everybody) {
            EXPECT_NE(answer.status(), 401) << answer.response.body;
            EXPECT_NE(answer.status(), 403) << answer.response.body;
        }
    }
    const Answer anonymous = ask(route, with(route.path, "99999999"), "");
    if (expected(row, callers[0]) == Answers::everybody) {
        EXPECT_NE(anonymous.status(), 403);
    } else {
        EXPECT_EQ(anonymous.status(), 401) << anonymous.response.body;
    }
}

void RoleMatrix::check_routes(bool reading) {
    for (const RouteSpec& route : router_.all()) {
        if ((route.method == "GET") != reading) continue;
        SCOPED_TRACE(route.method + " " + route.path);
        const RoleRow* row = row_of(route);
        if (!row) {
            ADD_FAILURE() << "the route is in no row of role_table_test.hpp";
        } else if (!route.socket) {  // A handshake is no request like others; it has its own tests.
            check_route(route, *row);
        }
    }
}

TEST_F(RoleMatrix, HoldsForEveryRouteRoleAndDepartmentThatIsReadS69) {
    check_routes(true);
    EXPECT_GT(cells_, 250u);
    EXPECT_GT(foreign_, 80u);
    EXPECT_GT(own_, 80u);
}

TEST_F(RoleMatrix, HoldsForEveryRouteRoleAndDepartmentThatIsChangedS69) {
    check_routes(false);
    EXPECT_GT(cells_, 250u);
    EXPECT_GT(foreign_, 80u);
    EXPECT_GT(own_, 80u);
}

}  // namespace
}  // namespace patchbay
