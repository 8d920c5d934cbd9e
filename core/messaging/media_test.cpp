// Files that the hub keeps: their type, their place, their links.
#include "messaging/media.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "messaging/media_links.hpp"
#include "messaging/media_type.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::string_literals::operator""s;

const std::string png = "\x89PNG\r\n\x1A\n----";
const std::string pdf = "%PDF-1.7";

struct TypeCase {
    const char* name;
    std::string bytes, declared, file, expected;
};
const TypeCase type_cases[] = {
    {"by its bytes", png, "", "", "image/png"},
    {"that agrees with all that is said", png, "image/png", "a.png", "image/png"},
    {"of nothing in particular", png, unknown_media_type, "photo.PNG", "image/png"},
    {"under another name of the type", "\xFF\xD8\xFF\xE0", "image/jpg", "a.jpeg", "image/jpeg"},
    {"declared as something else", png, "image/gif", "a.png", unknown_media_type},
    {"with another extension", png, "image/png", "a.html", unknown_media_type},
    {"that only says so", "<html>", "image/png", "a.png", unknown_media_type},
    {"SVG", "<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml", "a.svg",
     unknown_media_type},
    {"HTML", "<!doctype html>", "text/html", "a.html", unknown_media_type},
    {"PDF", pdf, "application/pdf", "a.pdf", "application/pdf"},
    {"GIF", "GIF89a...", "", "", "image/gif"},
    {"WebP", "RIFF\1\1\1\1WEBPVP8 ", "", "a.webp", "image/webp"},
    {"wave", "RIFF\1\1\1\1WAVEfmt ", "audio/x-wav", "a.wav", "audio/wav"},
    {"MP4",
     "\1\1\1\x18"
     "ftypisom",
     "video/mp4", "a.mp4", "video/mp4"},
    {"M4A",
     "\1\1\1\x18"
     "ftypM4A ",
     "audio/mp4", "a.m4a", "audio/mp4"},
    {"Ogg", "OggS\1", "audio/ogg", "voice.ogg", "audio/ogg"},
    {"MP3", "ID3\3", "audio/mpeg", "a.mp3", "audio/mpeg"},
    {"AMR", "#!AMR\n", "audio/amr", "a.amr", "audio/amr"},
    {"a program",
     "\x7f"
     "ELF",
     "", "", unknown_media_type},
    {"cut off", "\x89P", "", "", unknown_media_type},
    {"empty", "", "", "", unknown_media_type},
};

TEST(MediaTypeS55, IsThatOfAFile) {
    for (const auto& [name, bytes, declared, file, expected] : type_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(media_type_of(bytes, declared, file), expected);
    }
    EXPECT_TRUE(may_be_shown("image/png"));
    EXPECT_TRUE(may_be_shown("application/pdf"));
    for (const char* type : {unknown_media_type, "text/html", "image/svg+xml", ""}) {
        EXPECT_FALSE(may_be_shown(type)) << type;
    }
}

TEST(FileNameS56, IsForShowOnly) {
    EXPECT_EQ(shown_file_name("../../etc/passwd"), "passwd");
    EXPECT_EQ(shown_file_name("C:\\Users\\bo\\plan.pdf"), "plan.pdf");
    EXPECT_EQ(shown_file_name("a\r\nb\x7f.png"s), "ab.png");
    EXPECT_EQ(shown_file_name("Café.png"), "Café.png");
    EXPECT_EQ(shown_file_name(std::string(500, 'x')).size(), 120u);
}

class BlobsS56 : public testing::Test {
protected:
    ~BlobsS56() override { std::filesystem::remove_all(folder); }
    std::filesystem::path place(const std::string& key) const {
        return folder / "media" / key.substr(0, 2) / key.substr(2, 2) / key;
    }
    const std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "blobs_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    const BlobStore blobs{folder / "media"};
};

TEST_F(BlobsS56, LieInTwoLevelsOfFoldersForTheHubAlone) {
    const std::string key = blobs.put("bytes\0more"s);
    EXPECT_EQ(key.size(), 32u);
    EXPECT_EQ(blobs.get(key), "bytes\0more"s);
    struct stat facts {};
    ASSERT_EQ(::stat(place(key).c_str(), &facts), 0);
    EXPECT_EQ(
        facts.st_mode & 0777, 0640u & ~[] {
            const mode_t mask = ::umask(0);
            ::umask(mask);
            return mask;
        }());
    EXPECT_NE(blobs.put("bytes"), key) << "the name says nothing";
    blobs.remove(key);
    EXPECT_EQ(blobs.get(key), std::nullopt);
    blobs.remove(key);
}

TEST_F(BlobsS56, AreFoundByTheirKeyAlone) {
    blobs.put("x");
    std::ofstream(folder / "secret") << "secret";
    for (const char* key :
         {"", "../secret", "../../../../etc/passwd", "/etc/passwd",
          "ABCDEF0123456789ABCDEF0123456789", "....................../../secret"}) {
        EXPECT_EQ(blobs.get(key), std::nullopt) << key;
    }
}

TEST_F(BlobsS56, FollowNoLink) {
    const std::string key = blobs.put("x");
    std::ofstream(folder / "secret") << "secret";
    std::filesystem::remove(place(key));
    std::filesystem::create_symlink(folder / "secret", place(key));
    EXPECT_EQ(blobs.get(key), std::nullopt);
    std::filesystem::remove(place(key));
    const auto second = place(key).parent_path();
    std::filesystem::remove(second);
    std::filesystem::create_directory(folder / "elsewhere");
    std::ofstream(folder / "elsewhere" / key) << "secret";
    std::filesystem::create_symlink(folder / "elsewhere", second);
    EXPECT_EQ(blobs.get(key), std::nullopt);
}

TEST(MediaLinksS57, HoldForTheirFileTheirHolderAndTenMinutes) {
    ManualClock clock;
    const Sealer sealer({"0123456789abcdef0123456789abcdef"});
    const MediaLinks links(sealer, clock, "https://hub.example");
    const std::string url = links.make("m1", "user:u 1", 1h);
    const std::string head = "https://hub.example/media/m1?";
    ASSERT_TRUE(url.starts_with(head)) << url;
    const std::string query = url.substr(head.size());
    EXPECT_EQ(links.holder_of("m1", query), "user:u 1");
    EXPECT_EQ(links.holder_of("m2", query), std::nullopt);
    for (const std::string& part : {"user"s, "until=1"s, "signature="s}) {
        std::string changed = query;
        changed.replace(changed.find(part) + part.size() - 1, 1, "9");
        EXPECT_EQ(links.holder_of("m1", changed), std::nullopt) << changed;
    }
    EXPECT_EQ(links.holder_of("m1", ""), std::nullopt);
    clock.advance(10min - 1ms);
    EXPECT_TRUE(links.holder_of("m1", query));
    clock.advance(1ms);
    EXPECT_EQ(links.holder_of("m1", query), std::nullopt);
}

}  // namespace
}  // namespace patchbay
