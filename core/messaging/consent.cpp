#include "messaging/consent.hpp"

#include <array>

#include "messaging/statements.hpp"

namespace patchbay {
namespace {

// Twilio's defaults; `YES` counts as START only for who is opted out: see the event pipeline.
constexpr std::array stop_words{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL",
                                "END",  "QUIT",    "REVOKE",      "OPTOUT"};
constexpr std::array start_words{"START", "YES", "UNSTOP"};
constexpr std::array help_words{"HELP", "INFO"};

template <class Words>
bool contains(const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::string bare_upper(std::string_view text) {
    std::string word;
    for (const char c : text) {
        if (c >= 'a' && c <= 'z') {
            word += static_cast<char>(c - 'a' + 'A');
        } else if (std::string_view{" \t\r\n.!"}.find(c) == std::string_view::npos) {
            word += c;
        }
    }
    return word;
}

}  // namespace

ConsentWord consent_word(std::string_view text) {
    if (text.size() > 20) return ConsentWord::none;
    const std::string word = bare_upper(text);
    if (contains(stop_words, word)) return ConsentWord::stop;
    if (contains(start_words, word)) return ConsentWord::start;
    if (contains(help_words, word)) return ConsentWord::help;
    return ConsentWord::none;
}

bool is_opted_out(Session& session, const Address& address, const std::string& channel) {
    const Rows rows = session.run(sql::consent_get, {address.kind, address.value});
    bool out = false;
    TimeMs newest = 0;
    for (const Row& row : rows) {
        if (row.text(0) != "*" && row.text(0) != channel) continue;
        const bool says_out = row.text(1) == "out";
        const TimeMs at = row.number(2);
        out = at > newest ? says_out : at == newest && says_out ? true : out;
        newest = std::max(newest, at);
    }
    return out;
}

void set_consent(Transaction& tx, Ids& ids, const ConsentChange& change) {
    const auto& [address, channel, state, source, evidence, actor, at] = change;
    if (!tx.first(sql::consent_set, {address.kind, address.value, channel, state, source, at})) {
        return;  // A later change is there already.
    }
    tx.run(sql::consent_record, {ids.uuid(), address.kind, address.value, channel, state, source,
                                 evidence.empty() ? Value{} : Value{evidence}, actor, at});
}

}  // namespace patchbay
