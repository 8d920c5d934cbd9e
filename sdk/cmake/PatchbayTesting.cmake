# Tests of plugins outside the hub's tree: patchbay_test and patchbay_testing, for the plugin's compiler and its standard library.
# Without them: -DPATCHBAY_PLUGIN_TESTS=OFF.

option(PATCHBAY_PLUGIN_TESTS "Build the test programs of plugins" ON)
set(PATCHBAY_GOOGLETEST_SOURCE "/usr/src/googletest" CACHE PATH "GoogleTest's source, for compilers whose standard library is not the system's")
if(NOT PATCHBAY_PLUGIN_TESTS)
    return()
endif()

include(CheckCXXSourceCompiles)
include(GoogleTest)
check_cxx_source_compiles("#include <version>\n#ifndef _LIBCPP_VERSION\n#error\n#endif\nint main() {}" PATCHBAY_USES_LIBCXX)

# Not judged by the plugin's warnings.
function(patchbay_build_googletest)
    set(INSTALL_GTEST OFF)
    set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
    add_subdirectory("${PATCHBAY_GOOGLETEST_SOURCE}" "${CMAKE_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
endfunction()

# The installed GoogleTest is made for libstdc++.
if(PATCHBAY_USES_LIBCXX AND NOT TARGET GTest::gmock)
    patchbay_build_googletest()
elseif(NOT TARGET GTest::gmock)
    find_package(GTest QUIET)
    if(NOT TARGET GTest::gmock)
        message(FATAL_ERROR "Tests of plugins need GoogleTest with GoogleMock (Debian: libgmock-dev); without tests: -DPATCHBAY_PLUGIN_TESTS=OFF")
    endif()
endif()

if(NOT TARGET patchbay_testing)
    patchbay_testing_library("${PATCHBAY_TEST_BENCH}")
endif()

function(patchbay_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
    if(PATCHBAY_USES_LIBCXX)
        # The test bench brings libstdc++: with libc++ inside the program neither sees the other's exceptions.
        target_link_options(${name} PRIVATE -static-libstdc++)
    endif()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()
