# patchbay_add_plugin(NAME SOURCES ... TESTS ... LIBRARIES ...)
#
# The module NAME.so and, from the same objects, the test program NAME_test. The only supported way to set a plugin's flags: each of
# them keeps a library loadable, unloadable or apart from the hub's own libraries. Modules land in ${CMAKE_BINARY_DIR}/plugins.
#
# The same in this tree and in anybody's, after find_package(Patchbay). PATCHBAY_SDK_FOLDER has plugin.map and testing/.

# patchbay_testing_library(BENCH): the target patchbay_testing, what tests of plugins link. Compiled where it is used, with the compiler of
# the plugin; BENCH is the library that it loads.
function(patchbay_testing_library bench)
    add_library(patchbay_testing STATIC "${PATCHBAY_SDK_FOLDER}/testing/channel_under_test.cpp")
    target_include_directories(patchbay_testing PUBLIC "${PATCHBAY_SDK_FOLDER}/testing")
    target_link_libraries(patchbay_testing PUBLIC patchbay::sdk ${CMAKE_DL_LIBS})
    target_compile_definitions(patchbay_testing PRIVATE
        PATCHBAY_PLUGINS="${CMAKE_BINARY_DIR}/plugins" PATCHBAY_TEST_BENCH="${bench}")
endfunction()

function(patchbay_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;TESTS;LIBRARIES")

    add_library(${name}_objects OBJECT ${arg_SOURCES})
    set_target_properties(${name}_objects PROPERTIES
        POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_compile_features(${name}_objects PUBLIC cxx_std_20)
    # A UNIQUE symbol would pin the library for ever; clang makes none.
    target_compile_options(${name}_objects PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    target_link_libraries(${name}_objects PUBLIC patchbay::sdk $<TARGET_NAME_IF_EXISTS:patchbay_flags> ${arg_LIBRARIES})

    set(map "${PATCHBAY_SDK_FOLDER}/plugin.map")
    add_library(${name} MODULE)
    target_link_libraries(${name} PRIVATE ${name}_objects)
    set_target_properties(${name} PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins"
        BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN" LINK_DEPENDS "${map}")
    target_link_options(${name} PRIVATE
        "-Wl,--version-script=${map}" -Wl,-z,now -Wl,-z,relro -Wl,--exclude-libs,ALL -Wl,--build-id
        -Wl,--enable-new-dtags)
    if(NOT PATCHBAY_SANITIZE)
        # clang leaves the sanitizer's own symbols to the program.
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()

    # `patchbay plugin check`, as NAME_check: with the program of this build, or with an installed one.
    if(TARGET patchbay)
        set(PATCHBAY_PROGRAM patchbay)
    endif()
    if(PATCHBAY_PROGRAM)
        add_test(NAME ${name}_check
            COMMAND ${PATCHBAY_PROGRAM} plugin check $<TARGET_FILE:${name}> --folder "${CMAKE_CURRENT_SOURCE_DIR}")
        # The ports of a sample may be those that the plugin's tests listen on.
        set_tests_properties(${name}_check PROPERTIES TIMEOUT 300 RESOURCE_LOCK ${name}_test)
    endif()

    # The tests that every plugin gets need its plugin.yaml, sample.yaml and README.md.
    set(free_tests "")
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/plugin.yaml")
        set(free_tests "${PATCHBAY_SDK_FOLDER}/testing/free_tests.cpp")
    endif()
    if((arg_TESTS OR free_tests) AND TARGET patchbay_testing)
        patchbay_test(${name}_test SOURCES ${arg_TESTS} ${free_tests} LIBRARIES ${name}_objects patchbay_testing)
        if(TARGET ${name}_test)
            add_dependencies(${name}_test ${name})
            target_include_directories(${name}_test PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
            target_compile_definitions(${name}_test PRIVATE PATCHBAY_PLUGIN_NAME="${name}"
                PATCHBAY_PLUGIN_FILE="$<TARGET_FILE:${name}>" PATCHBAY_PLUGIN_FOLDER="${CMAKE_CURRENT_SOURCE_DIR}")
        endif()
    endif()
endfunction()
