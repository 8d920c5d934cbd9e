#include "config/config_revisions.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace patchbay {
namespace {

class Revisions : public testing::Test {
protected:
    Revisions() {
        std::string name = testing::TempDir() + "patchbay_revisions_XXXXXX";
        folder = std::filesystem::path{mkdtemp(name.data())} / "revisions";
    }
    ~Revisions() override { std::filesystem::remove_all(folder.parent_path()); }

    std::filesystem::path folder;
};

TEST_F(Revisions, CountOnOverProcessesAndGiveTheirTextsBack_G21) {
    {
        ConfigRevisions first{folder};
        EXPECT_EQ(first.latest(), 0);
        EXPECT_EQ(first.note("a"), 1);
        EXPECT_EQ(first.note("a"), 1) << "the same text is no other configuration";
        EXPECT_EQ(first.note("b"), 2);
    }
    ConfigRevisions next{folder};
    EXPECT_EQ(next.latest(), 2);
    EXPECT_EQ(next.note("b"), 2);
    EXPECT_EQ(next.note("a"), 3) << "also when it is an old one's again";
    EXPECT_EQ(next.note_new("a"), 4);
    EXPECT_EQ(next.text(1), "a");
    EXPECT_EQ(next.text(2), "b");
    EXPECT_EQ(next.text(5), std::nullopt);
}

TEST_F(Revisions, KeepTheNewestOnly) {
    ConfigRevisions revisions{folder};
    const auto most = static_cast<int64_t>(ConfigRevisions::kept);
    for (int64_t i = 1; i <= most + 3; ++i) revisions.note(std::to_string(i));
    EXPECT_EQ(revisions.text(3), std::nullopt);
    EXPECT_EQ(revisions.text(4), "4");
    EXPECT_EQ(revisions.numbers().size(), ConfigRevisions::kept);
    EXPECT_EQ(ConfigRevisions{folder}.numbers(), revisions.numbers());
}

TEST_F(Revisions, AreForTheirOwnersEyes_S80) {
    ConfigRevisions{folder}.note("token: secret");
    struct stat seen {};
    ASSERT_EQ(stat((folder / "1.yaml").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0600);
    ASSERT_EQ(stat(folder.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0700);
}

TEST_F(Revisions, GoOnCountingWhereNothingCanBeKept) {
    ConfigRevisions revisions{"/proc/self/nowhere"};
    EXPECT_EQ(revisions.note("a"), 1);
    EXPECT_EQ(revisions.note("b"), 2);
    EXPECT_EQ(revisions.text(1), std::nullopt);
}

}  // namespace
}  // namespace patchbay
