# SPDX-License-Identifier: MIT
# doze_node_tests(e2e [ENVIRONMENT "NAME=value" …] [FIXTURES_REQUIRED fixture])
#
# One ctest "e2e.x" for each x.test.js of the current folder: the whole of doze, driven under
# `node --test`. tests/run.sh installs the clients (npm ci) first. Each test has ports, folders and
# a daemon of its own, so several run at once. A file with a line "// Alone: why" runs by itself; of
# those with "// Waits: why" two run in the place of one; one with "// Not sanitized: why" has its
# test in other builds than those with sanitizers.
function(doze_node_tests class)
    cmake_parse_arguments(arg "" "" "ENVIRONMENT;FIXTURES_REQUIRED" ${ARGN})
    find_program(NODE node)
    if(NOT NODE)
        doze_left_out(${class} "node is missing")
        return()
    endif()
    set(environment DOZE_BIN=$<TARGET_FILE:doze> DOZE_MAKE_MODEL=$<TARGET_FILE:make-model>
        ${arg_ENVIRONMENT})
    file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.test.js)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
    foreach(file IN LISTS files)
        file(STRINGS ${file} plain REGEX "^// Not sanitized: ")
        if(plain AND DOZE_SANITIZE)
            continue()
        endif()
        string(REPLACE ".test.js" "" name ${file})
        add_test(NAME ${class}.${name} COMMAND ${NODE} --test ${file}
            WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
        # A test with a working directory of its own does not get the label of its folder.
        set_tests_properties(${class}.${name} PROPERTIES LABELS ${class} TIMEOUT 600
            FIXTURES_REQUIRED "${arg_FIXTURES_REQUIRED}" ENVIRONMENT "${environment}")
        file(STRINGS ${file} waits REGEX "^// Waits: ")
        doze_test_places(${class}.${name} "${waits}")
        file(STRINGS ${file} alone REGEX "^// Alone: ")
        if(alone)
            set_tests_properties(${class}.${name} PROPERTIES RUN_SERIAL ON)
        endif()
    endforeach()
endfunction()
