#include "store/database_file.hpp"

#include <sys/stat.h>

#include "store/test_store.hpp"

namespace patchbay {
namespace {

class DatabaseFile : public StoreTest {};

TEST_F(DatabaseFile, IsRelativeToTheConfigurationAndItsFolderIsMade) {
    EXPECT_EQ(require_database_file("sqlite:var/hub.db", folder_.path()),
              folder_.path() / "var/hub.db");
    EXPECT_EQ(require_database_file("sqlite:" + file().string(), "/nowhere"), file());
}

TEST_F(DatabaseFile, IsReadableByItsOwnerOnlyAndSoIsTheLog) {
    const auto store = open_with_things();
    for (const char* name : {"hub.db", "hub.db-wal", "hub.db-shm", "hub.db.lock"}) {
        struct stat status {};
        ASSERT_EQ(stat((folder_.path() / name).c_str(), &status), 0) << name;
        EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    }
}

TEST_F(DatabaseFile, OfAnotherEngineIsRefusedWithoutShowingItsUrl) {
    try {
        require_database_file("postgresql://hub:secret@host/db", folder_.path());
        ADD_FAILURE();
    } catch (const StoreError& error) {
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
    }
    EXPECT_THROW(require_database_file("sqlite:", folder_.path()), StoreError);
}

TEST_F(DatabaseFile, OnANetworkFileSystemIsRefused) {
    // Source: man 2 statfs
    for (const long type :
         {0x6969L, 0x517BL, 0xFF534D42L, 0xFE534D42L, 0x564cL, 0x5346414FL, 0x73757245L})
        EXPECT_TRUE(is_network_file_system(type)) << std::hex << type;
    EXPECT_TRUE(is_network_file_system(static_cast<int32_t>(0xFF534D42))) << "as 32 bits give it";
    for (const long local : {0xEF53L, 0x58465342L, 0x01021994L, 0x9123683EL, 0x794c7630L})
        EXPECT_FALSE(is_network_file_system(local)) << std::hex << local;
}

TEST_F(DatabaseFile, LeavesNoLogAndNoMarkAfterACleanStop) {
    open_with_things().reset();
    EXPECT_EQ(std::filesystem::file_size(folder_.path() / "hub.db.lock"), 0U);
    EXPECT_FALSE(ServerLock(file()).last_stop_was_unclean());
    std::error_code none;
    const auto log_bytes = std::filesystem::file_size(folder_.path() / "hub.db-wal", none);
    EXPECT_TRUE(none || log_bytes == 0);
}

TEST_F(DatabaseFile, KeepsAMarkWhileTheServerRuns) {
    { const ServerLock lock(file()); }
    EXPECT_TRUE(ServerLock(file()).last_stop_was_unclean());
}

TEST_F(DatabaseFile, HasABallastThatTakesSpaceAndGivesItBackG12) {
    Ballast ballast(file(), 1 << 20);
    EXPECT_TRUE(ballast.restore());
    struct stat status {};
    ASSERT_EQ(stat((file().string() + ".ballast").c_str(), &status), 0);
    EXPECT_GE(status.st_blocks * 512, 1 << 20) << "no hole: the space is really taken";
    EXPECT_TRUE(ballast.drop());
    EXPECT_FALSE(ballast.drop()) << "nothing more to give";
    EXPECT_TRUE(ballast.restore());
}

}  // namespace
}  // namespace patchbay
