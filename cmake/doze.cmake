# SPDX-License-Identifier: MIT
# How folders of src/, tools/ and tests/ declare their targets.
#
#   doze_library(base SOURCES … USES doze::yyjson)      static library doze_base; headers are
#                                                       included as "base/x.h" from src/
#   doze_executable(doze SOURCES … USES doze_daemon)    program in the output folder: build/ for the
#                                                       release preset, else build/<preset>/
#   doze_test(unit lifecycle SOURCES … USES … [ARGS …]) program and ctest test
#                                                       "unit.lifecycle"; THREADS: the tsan build
#                                                       has it, too; WAITS: two of these run in
#                                                       the place of one (tests/run.sh)
#   doze_fuzz(gguf CORPUS dir SOURCES … USES …)         libFuzzer program fuzz-gguf
#   doze_left_out(page "why" [ELSEWHERE])               this build has not all tests of tests/page
#
# Where the shared objects are at run time. Built: build/deps/engine/lib and build/deps/usr/lib/….
# Installed: PREFIX/lib/doze. Every program carries both as rpaths relative to itself, so nothing is
# patched at install time and both trees may be moved. All libggml*.so stay in one folder; the
# worker finds it as the folder of its own libllama (dladdr of any llama_ function), built or
# installed.
#
# doze finds doze-engine beside /proc/self/exe, else in ../libexec/doze.

if(NOT DOZE_OUTPUT)
    set(DOZE_OUTPUT ${PROJECT_BINARY_DIR})
endif()
if(DOZE_FUZZ)
    file(WRITE ${DOZE_OUTPUT}/targets "") # program and corpus, a line for each; doze_fuzz adds
    add_custom_target(fuzzers)
endif()
# ThreadSanitizer is slow: its build has the tests whose programs have threads, and no other.
set(DOZE_TSAN OFF)
if(DOZE_SANITIZE STREQUAL "thread")
    set(DOZE_TSAN ON)
    add_custom_target(threads)
endif()

file(WRITE ${PROJECT_BINARY_DIR}/left-out "")

# Said again by tests/run.sh, and an error in CI: something is missing on this machine. ELSEWHERE:
# another build has these tests, by design.
function(doze_left_out class why)
    cmake_parse_arguments(arg "ELSEWHERE" "" "" ${ARGN})
    set(kind missing)
    if(arg_ELSEWHERE)
        set(kind elsewhere)
    endif()
    file(APPEND ${PROJECT_BINARY_DIR}/left-out "${kind} ${class} ${why}\n")
endfunction()

function(doze_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;USES" ${ARGN})
    add_library(doze_${name} STATIC ${arg_SOURCES})
    target_include_directories(doze_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(doze_${name} PUBLIC ${arg_USES} PRIVATE doze_warnings)
endfunction()

function(doze_program name output)
    cmake_parse_arguments(arg "" "" "SOURCES;USES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PRIVATE ${arg_USES} doze_warnings)
    set(rpath "$ORIGIN/../lib/doze" "$ORIGIN/../../lib/doze")
    foreach(folder IN LISTS DOZE_RUNTIME_DIRS)
        file(RELATIVE_PATH path ${output} ${folder})
        list(APPEND rpath "$ORIGIN/${path}")
    endforeach()
    if(DOZE_PACKAGE)
        set(rpath /usr/lib/doze)
    endif()
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${output}
        BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${rpath}")
endfunction()

function(doze_executable name)
    doze_program(${name} ${DOZE_OUTPUT} ${ARGN})
endfunction()

# A processor has two places for tests. One that mostly waits takes one of them, others take both.
function(doze_test_places test waits)
    set(places 2)
    if(waits)
        set(places 1)
    endif()
    set_tests_properties(${test} PROPERTIES PROCESSORS ${places})
endfunction()

# CLASS is the folder below tests/; it is the label too (tests/CMakeLists.txt): ctest -L CLASS.
function(doze_test class name)
    cmake_parse_arguments(arg "THREADS;WAITS" "" "SOURCES;USES;ARGS" ${ARGN})
    doze_program(test-${class}-${name} ${PROJECT_BINARY_DIR}/tests
        SOURCES ${arg_SOURCES} USES ${arg_USES})
    target_include_directories(test-${class}-${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support)
    if(DOZE_TSAN AND NOT arg_THREADS)
        return()
    elseif(DOZE_TSAN)
        add_dependencies(threads test-${class}-${name})
    endif()
    add_test(NAME ${class}.${name} COMMAND test-${class}-${name} ${arg_ARGS})
    doze_test_places(${class}.${name} "${arg_WAITS}")
    set_tests_properties(${class}.${name} PROPERTIES TIMEOUT 300)
endfunction()

# In other builds than fuzz the same target is a test that feeds the committed corpus once.
function(doze_fuzz name)
    cmake_parse_arguments(arg "" "CORPUS" "SOURCES;USES" ${ARGN})
    get_filename_component(corpus ${arg_CORPUS} ABSOLUTE)
    if(DOZE_FUZZ)
        doze_program(fuzz-${name} ${DOZE_OUTPUT} SOURCES ${arg_SOURCES} USES ${arg_USES})
        target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
        add_dependencies(fuzzers fuzz-${name})
        file(APPEND ${DOZE_OUTPUT}/targets "fuzz-${name} ${corpus}\n")
    else()
        doze_test(fuzz ${name} SOURCES ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/cmake/feed_corpus.c
            USES ${arg_USES} ARGS ${corpus})
    endif()
endfunction()
