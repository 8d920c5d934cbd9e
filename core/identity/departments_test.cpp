#include "identity/departments.hpp"

#include <gtest/gtest.h>

namespace patchbay {

TEST(Departments, AreKnownBySlugAndByNameInAnyCase) {
    const std::vector<std::string> known = {"Reception", "Room Service", "Café"};
    EXPECT_EQ(department_slug("Room Service"), "room-service");
    EXPECT_EQ(department_slug("Café"), "cafe");
    for (const char* text : {"room-service", "ROOM SERVICE", " Room Service ", "room_service"}) {
        EXPECT_EQ(find_department(known, text), "Room Service") << text;
    }
    EXPECT_EQ(find_department(known, "cafe"), "Café");
    EXPECT_EQ(find_department(known, "CAFÉ"), "Café");
    EXPECT_EQ(find_department(known, "kitchen"), std::nullopt);
}

}  // namespace patchbay
