#include <sys/stat.h>

#include "store/test_store.hpp"

namespace patchbay {
namespace {

class Backups : public StoreTest {
protected:
    std::filesystem::path copy() const { return folder_.path() / "copy.db"; }
};

TEST_F(Backups, HoldOneStateWhileWritesGoOnF65) {
    const auto store = open_with_things();
    std::atomic<bool> is_over{false};
    std::thread writer([&] {
        for (int64_t id = 0; !is_over; id += 2)
            store->write([&](Transaction& tx) {
                tx.run(things_add, {id, std::string(5000, 'x')});
                tx.run(things_add, {id + 1, std::string(5000, 'y')});
            });
    });
    while (count(*store) < 100) std::this_thread::yield();
    store->backup(copy());
    is_over = true;
    writer.join();
    Store restored({.url = "sqlite:copy.db", .base = folder_.path(), .ballast_bytes = 0}, clock_);
    const int64_t things = count(restored);
    EXPECT_GE(things, 100);
    EXPECT_EQ(things % 2, 0) << "no transaction is torn";
}

TEST_F(Backups, StandAloneAndAreReadableByTheirOwnerOnly) {
    const auto store = open_with_things();
    store->backup(copy());
    struct stat status {};
    ASSERT_EQ(stat(copy().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    for (const char* other : {"copy.db.part", "copy.db-wal", "copy.db-journal", "copy.db-shm"})
        EXPECT_FALSE(std::filesystem::exists(folder_.path() / other)) << other;
}

TEST_F(Backups, ReplaceNoFileAndLeaveNothingBehindWhenTheyFail) {
    const auto store = open_with_things();
    std::ofstream(copy()) << "precious";
    EXPECT_THROW(store->backup(copy()), StoreError);
    EXPECT_EQ(std::filesystem::file_size(copy()), 8U);
    EXPECT_THROW(store->backup(folder_.path() / "nowhere/copy.db"), StoreError);
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "nowhere"));
}

}  // namespace
}  // namespace patchbay
