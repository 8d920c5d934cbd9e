# What every target of this project shares: flags, sanitizers, output folders, and the two helpers that folders use.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

# Where things go when installed. The program and its plugins lie in one folder, side by side as in a build, so that it finds them.
# Components: hub, sdk, docs.
include(GNUInstallDirs)
set(PATCHBAY_INSTALL_HOME "${CMAKE_INSTALL_LIBDIR}/patchbay")
set(PATCHBAY_INSTALL_SHARE "${CMAKE_INSTALL_DATADIR}/patchbay")

# patchbay_install_program(TARGET): into the home, with a link from bin/.
function(patchbay_install_program target)
    install(TARGETS ${target} RUNTIME DESTINATION "${PATCHBAY_INSTALL_HOME}/bin" COMPONENT hub)
    file(RELATIVE_PATH home "/${CMAKE_INSTALL_BINDIR}" "/${PATCHBAY_INSTALL_HOME}/bin")
    file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/links")
    file(CREATE_LINK "${home}/${target}" "${PROJECT_BINARY_DIR}/links/${target}" SYMBOLIC)
    install(FILES "${PROJECT_BINARY_DIR}/links/${target}" DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT hub)
endfunction()

set(PATCHBAY_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

add_library(patchbay_flags INTERFACE)
target_compile_options(patchbay_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -fstack-protector-strong)
target_compile_definitions(patchbay_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_options(patchbay_flags INTERFACE -Wl,-z,relro,-z,now)
if(PATCHBAY_SANITIZE)
    # Global, so that plugins and tests agree with the core.
    add_compile_options(-fsanitize=${PATCHBAY_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PATCHBAY_SANITIZE})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Net Util JSON JWT Crypto Data DataSQLite)
find_package(CURL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
if(PATCHBAY_TESTS)
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()

# patchbay_test(NAME SOURCES ... LIBRARIES ...): one GoogleTest program. Its tests run one after another, beside those of other programs: some of
# them listen on the ports of a sample.
function(patchbay_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
    if(NOT PATCHBAY_TESTS)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE patchbay_flags ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name} PRIVATE PATCHBAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                               PATCHBAY_BINARY_DIR="${PROJECT_BINARY_DIR}")
    # What is tested is compiled as it ships; optimising the tests themselves takes half of a build's time.
    target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 RESOURCE_LOCK ${name})
endfunction()

# patchbay_core_library(FOLDER SOURCES ... LIBRARIES ... TESTS ...): the static library core_FOLDER of one folder of core/.
# TESTS are *_test.cpp files beside the sources; they become one program, core_FOLDER_test.
function(patchbay_core_library folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES;TESTS")
    add_library(core_${folder} STATIC ${arg_SOURCES})
    target_include_directories(core_${folder} PUBLIC "${PROJECT_SOURCE_DIR}/core")
    target_link_libraries(core_${folder} PUBLIC patchbay_flags patchbay::sdk ${arg_LIBRARIES} Threads::Threads)
    target_precompile_headers(core_${folder} PRIVATE "${PROJECT_SOURCE_DIR}/core/precompiled.hpp")
    if(arg_TESTS)
        patchbay_test(core_${folder}_test SOURCES ${arg_TESTS} LIBRARIES core_${folder})
    endif()
endfunction()
