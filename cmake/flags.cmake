# SPDX-License-Identifier: MIT
# Compiler and linker flags. Link doze_warnings (PRIVATE) to every target of ours; the rest is set
# for all targets here. Assertions stay on in release: they guard against our own bugs.
include(CheckPIESupported)
check_pie_supported()

set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-fno-omit-frame-pointer)

if(DOZE_PACKAGE) # the same bytes wherever it is built
    add_compile_options(-ffile-prefix-map=${PROJECT_BINARY_DIR}=.
        -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
endif()

add_library(doze_warnings INTERFACE)
target_compile_options(doze_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Wvla -Werror
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)

if(DOZE_SANITIZE)
    add_compile_options(-fsanitize=${DOZE_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${DOZE_SANITIZE})
elseif(NOT DOZE_COVERAGE)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        add_compile_options(-D_FORTIFY_SOURCE=3)
    endif()
    add_compile_options(-fstack-protector-strong -fstack-clash-protection)
    add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()

if(DOZE_COVERAGE)
    add_compile_definitions(DOZE_COVERAGE) # the counters are files that a sandbox would not allow
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
