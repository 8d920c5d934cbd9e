#include "identity/passwords.hpp"

#include <charconv>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

constexpr int most_running = 2;
constexpr int most_waiting = 16;
constexpr size_t salt_bytes = 16;
constexpr size_t hash_bytes = 32;
constexpr size_t shortest = 12;
constexpr size_t longest = 256;

/// Those of the usual lists that are long enough to pass the length rule.
constexpr std::string_view well_known[] = {
    "1234567890123",    "123456789012",  "123123123123", "1q2w3e4r5t6y",  "1qaz2wsx3edc",
    "administrator",    "changeme1234",  "iloveyou1234", "password1234",  "password12345",
    "passwordpassword", "qwerty123456",  "qwertyuiop12", "qwertyuiop123", "unbelievable",
    "welcome12345",     "letmeinletmein"};

struct Phc {
    ScryptCost cost;
    std::string salt, hash;
};

std::string base64_without_padding(std::string_view bytes) {
    std::string text = to_base64(bytes);
    while (text.ends_with('=')) text.pop_back();
    return text;
}

std::optional<std::string> from_unpadded_base64(std::string_view text) {
    std::string padded(text);
    while (padded.size() % 4 != 0) padded += '=';
    return from_base64(padded);
}

/// Takes `prefix` and a number from the front.
bool take_number(std::string_view& text, std::string_view prefix, unsigned highest, unsigned& out) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    text.remove_prefix(static_cast<size_t>(rest - text.data()));
    return error == std::errc{} && out >= 1 && out <= highest;
}

std::optional<Phc> parse_phc(std::string_view text) {
    Phc out;
    // Bounds, so that a damaged row cannot take the machine's memory.
    if (!take_number(text, "$scrypt$ln=", 20, out.cost.log2_n) ||
        !take_number(text, ",r=", 32, out.cost.r) || !take_number(text, ",p=", 16, out.cost.p) ||
        !text.starts_with('$')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const size_t dollar = text.find('$');
    if (dollar == std::string_view::npos) return std::nullopt;
    const auto salt = from_unpadded_base64(text.substr(0, dollar));
    const auto hash = from_unpadded_base64(text.substr(dollar + 1));
    if (!salt || !hash || hash->size() < 16) return std::nullopt;
    out.salt = *salt;
    out.hash = *hash;
    return out;
}

}  // namespace

/// A place among the two that hash; waits for it.
class Passwords::Turn {
public:
    explicit Turn(Passwords& owner) : owner_(owner) {
        std::unique_lock lock(owner_.mutex_);
        if (owner_.running_ >= most_running && owner_.waiting_ >= most_waiting) {
            throw Problem("busy", "Too many sign-ins at once.");
        }
        ++owner_.waiting_;
        owner_.free_.wait(lock, [&] { return owner_.running_ < most_running; });
        --owner_.waiting_;
        ++owner_.running_;
    }
    ~Turn() {
        {
            std::lock_guard lock(owner_.mutex_);
            --owner_.running_;
        }
        owner_.free_.notify_one();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    Passwords& owner_;
};

std::string password_problem(std::string_view password) {
    if (password.size() < shortest) return "must have 12 characters or more";
    if (password.size() > longest) return "must have 256 bytes or fewer";
    const std::string lower = ascii_lower(password);
    const bool known =
        std::find(std::begin(well_known), std::end(well_known), lower) != std::end(well_known);
    const bool one_character = lower.find_first_not_of(lower[0]) == std::string::npos;
    if (known || one_character) return "is one of the first that are guessed";
    return {};
}

std::string Passwords::hash(std::string_view password) {
    const Turn turn(*this);
    const std::string salt = random_bytes(salt_bytes);
    const std::string key = scrypt(password, salt, cost_.log2_n, cost_.r, cost_.p, hash_bytes);
    return "$scrypt$ln=" + std::to_string(cost_.log2_n) + ",r=" + std::to_string(cost_.r) +
           ",p=" + std::to_string(cost_.p) + "$" + base64_without_padding(salt) + "$" +
           base64_without_padding(key);
}

bool Passwords::matches(std::string_view password, std::string_view phc) {
    const Turn turn(*this);
    const auto known = parse_phc(phc);
    if (password.size() > longest) password = password.substr(0, longest + 1);
    // An unknown user costs the same time as a known one (S61).
    const Phc stored = known.value_or(Phc{cost_, std::string(salt_bytes, 's'), {}});
    const size_t size = stored.hash.empty() ? hash_bytes : stored.hash.size();
    const std::string key =
        scrypt(password, stored.salt, stored.cost.log2_n, stored.cost.r, stored.cost.p, size);
    return known && equal_constant_time(key, stored.hash);
}

bool Passwords::is_outdated(std::string_view phc) const {
    const auto known = parse_phc(phc);
    return !known || known->cost.log2_n != cost_.log2_n || known->cost.r != cost_.r ||
           known->cost.p != cost_.p;
}

}  // namespace patchbay
