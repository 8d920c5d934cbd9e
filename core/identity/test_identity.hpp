// What the tests of this folder share: a store with the core's tables and an identity with cheap
// hashes.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "identity/identity.hpp"
#include "store/migrations.hpp"

namespace patchbay {

inline const std::string test_password = "correct horse battery";

class IdentityTest : public testing::Test {
protected:
    IdentityTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "patchbay-identity-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        store_ = std::make_unique<Store>(
            StoreConfig{.url = "sqlite:hub.db", .base = folder_, .ballast_bytes = 0}, clock_);
        store_->migrate("core", core_migrations());
        config_.base = folder_;
        config_.auth.token_keys = {"0123456789abcdef0123456789abcdef"};
        identity_ = std::make_unique<Identity>(current_config_, *store_, ids_,
                                               ScryptCost{.log2_n = 4, .r = 8, .p = 1});
        store_->on_changes([this](const Changes& changes) {
            const auto found = access_changes_in(changes);
            told_.insert(told_.end(), found.begin(), found.end());
        });
    }
    ~IdentityTest() override {
        identity_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    User add(const std::string& email, const std::string& role,
             std::vector<std::string> departments = {}) {
        const std::string phc = identity_->passwords().hash(test_password);
        return store_->write([&](Transaction& tx) {
            return add_user(tx, ids_, {email, "Name of " + email, role, departments, phc},
                            clock_.now_ms());
        });
    }
    User change(const User& user, const UserChange& wanted) {
        return store_->write(
            [&](Transaction& tx) { return change_user(tx, user.id, wanted, clock_.now_ms()); });
    }
    static HttpRequest with_token(const std::string& token) {
        HttpRequest request;
        request.headers.push_back({"Authorization", "Bearer " + token});
        return request;
    }
    /// The code of the Problem that `work` throws; empty when it throws none.
    template <class F>
    static std::string code_of(F&& work) {
        try {
            work();
        } catch (const Problem& problem) {
            return problem.code;
        }
        return "";
    }

    std::filesystem::path folder_;
    std::vector<AccessChange> told_;  ///< By the store's writer, before write() returns.
    ManualClock clock_;
    Ids ids_{clock_};
    HubConfig config_;
    CurrentConfig current_config_{config_};
    std::unique_ptr<Store> store_;
    std::unique_ptr<Identity> identity_;
};

}  // namespace patchbay
