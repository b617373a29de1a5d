# SPDX-License-Identifier: MIT
# What doze stands on, as imported targets: doze::uv doze::llhttp doze::yyjson doze::curl
# doze::edit doze::sqlite doze::wslay doze::nettle doze::zlib doze::cmocka doze::threads
# doze::openssl doze::llama, doze::mtmd, doze::rpc, doze::stb and doze::xxhash (headers only).
# doze::llama carries the headers of llama.cpp (llama.h, ggml*.h, gguf.h, common/, vendor/) and its
# libraries; only src/engine and tools may link it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(DOZE_DEPS ${PROJECT_SOURCE_DIR}/build/deps)
set(borrowed ${DOZE_DEPS}/usr)
set(hint "run `make` (or `sh setup/all.sh`), which brings it in")

function(doze_pkg name module)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "${module} is missing: ${hint}")
    endif()
    add_library(doze::${name} ALIAS PkgConfig::${name})
endfunction()

# Link a shared object of ours by -L and -l: CMake would otherwise put its absolute folder into the
# programs; their rpath is relative (see doze_program). DOZE_RUNTIME_DIRS lists the folders.
function(doze_link_private target file)
    get_filename_component(folder ${file} DIRECTORY)
    get_filename_component(name ${file} NAME)
    target_link_options(${target} INTERFACE -L${folder})
    target_link_libraries(${target} INTERFACE -l:${name})
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_DEPENDS ${file})
    list(APPEND DOZE_RUNTIME_DIRS ${folder})
    list(REMOVE_DUPLICATES DOZE_RUNTIME_DIRS)
    set(DOZE_RUNTIME_DIRS ${DOZE_RUNTIME_DIRS} PARENT_SCOPE)
endfunction()

# A library without pkg-config data: the system's if it has it, else the one below build/deps/usr
# (Debian 12 has no llhttp and yyjson).
macro(doze_find name header library)
    find_path(${name}_INCLUDE ${header} HINTS ${borrowed}/include)
    find_library(${name}_LIBRARY NAMES ${library}
        HINTS ${borrowed}/lib PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE})
    if(NOT ${name}_INCLUDE OR NOT ${name}_LIBRARY)
        message(FATAL_ERROR "${name} is missing: ${hint}")
    endif()
    add_library(doze_${name}_dep INTERFACE)
    add_library(doze::${name} ALIAS doze_${name}_dep)
    if(${name}_INCLUDE MATCHES "^${borrowed}")
        target_include_directories(doze_${name}_dep SYSTEM INTERFACE ${${name}_INCLUDE})
    endif()
    if(${name}_LIBRARY MATCHES "^${borrowed}.*[.]so$")
        doze_link_private(doze_${name}_dep ${${name}_LIBRARY})
    else()
        target_link_libraries(doze_${name}_dep INTERFACE ${${name}_LIBRARY})
    endif()
endmacro()

doze_pkg(uv libuv)
doze_pkg(curl libcurl)
doze_pkg(edit libedit)
doze_pkg(sqlite sqlite3)
doze_pkg(cmocka cmocka)
doze_pkg(xxhash libxxhash)
doze_pkg(zlib zlib)
doze_pkg(openssl openssl)
add_library(doze::threads ALIAS Threads::Threads)
doze_find(wslay wslay/wslay.h wslay)
doze_find(llhttp llhttp.h libllhttp.a)
# SHA-1 and base64. Not the shared object: it would be resident with 0.2 MB, these parts are 0.04.
doze_find(nettle nettle/sha1.h libnettle.a)
doze_find(yyjson yyjson.h yyjson)

# llama.cpp: the pinned one, or DOZE_LLAMA_DIR (a source tree with its build, or an install prefix).
if(DOZE_LLAMA_DIR)
    set(roots ${DOZE_LLAMA_DIR} ${DOZE_LLAMA_DIR}/build)
    set(llama_hint "is not in DOZE_LLAMA_DIR=${DOZE_LLAMA_DIR}")
else()
    set(roots ${DOZE_DEPS}/engine ${DOZE_DEPS}/engine/src)
    set(llama_hint "is missing: ${hint}")
endif()
# The release whose variants for GPUs fit; none fit another llama.cpp.
set(DOZE_ENGINE_VERSION "")
if(NOT DOZE_LLAMA_DIR)
    file(STRINGS ${PROJECT_SOURCE_DIR}/setup/engine.lock locked REGEX "^node-llama-cpp ")
    string(REGEX REPLACE "^node-llama-cpp ([^ ]+) .*" "\\1" DOZE_ENGINE_VERSION "${locked}")
endif()
set(DOZE_LLAMA_VERSION unknown)
add_library(doze_llama INTERFACE)
add_library(doze::llama ALIAS doze_llama)
# Not cached: another DOZE_LLAMA_DIR takes effect at once.
foreach(library llama-common llama ggml ggml-base)
    set(names lib${library}.so)
    foreach(root IN LISTS roots)
        file(GLOB versioned RELATIVE ${root}/lib ${root}/lib/lib${library}.v[0-9]*.so)
        list(APPEND names ${versioned})
    endforeach()
    unset(file)
    find_library(file NAMES ${names} NO_CACHE NO_DEFAULT_PATH
        PATHS ${roots} PATH_SUFFIXES lib bin ${CMAKE_INSTALL_LIBDIR})
    if(NOT file)
        message(FATAL_ERROR "lib${library}.so ${llama_hint}")
    endif()
    doze_link_private(doze_llama ${file})
    get_filename_component(DOZE_LLAMA_LIB_DIR ${file} DIRECTORY)
    # The release, to show: libllama.v0.5.0.so, or libllama.so -> libllama.so.0.0.9000
    get_filename_component(real ${file} REALPATH)
    if(library STREQUAL llama AND real MATCHES "\\.v?([0-9]+(\\.[0-9]+)+)(\\.so)?$")
        set(DOZE_LLAMA_VERSION ${CMAKE_MATCH_1})
    endif()
endforeach()
foreach(header llama.h ggml.h common.h nlohmann/json.hpp)
    unset(folder)
    find_path(folder ${header} NO_CACHE NO_DEFAULT_PATH
        PATHS ${roots} PATH_SUFFIXES include ggml/include common vendor)
    if(NOT folder)
        message(FATAL_ERROR "${header} ${llama_hint}")
    endif()
    target_include_directories(doze_llama SYSTEM INTERFACE ${folder})
endforeach()

# mtmd, by which a model sees pictures, is not among the prebuilt libraries: it is compiled from the
# same release's sources, without its helpers for audio and video.
unset(mtmd)
find_path(mtmd mtmd.cpp NO_CACHE NO_DEFAULT_PATH PATHS ${roots} PATH_SUFFIXES tools/mtmd)
if(NOT mtmd)
    message(FATAL_ERROR "tools/mtmd/mtmd.cpp ${llama_hint}")
endif()
file(GLOB mtmd_models ${mtmd}/models/*.cpp)
add_library(doze_mtmd STATIC ${mtmd}/mtmd.cpp ${mtmd}/mtmd-audio.cpp ${mtmd}/mtmd-image.cpp
    ${mtmd}/clip.cpp ${mtmd_models})
add_library(doze::mtmd ALIAS doze_mtmd)
target_include_directories(doze_mtmd SYSTEM PUBLIC ${mtmd})
target_link_libraries(doze_mtmd PUBLIC doze::llama PRIVATE doze::threads)
target_compile_options(doze_mtmd PRIVATE -w -g0)

# ggml-rpc, by which a model has a part of itself in another process, is not among them, either. Its
# transport by TCP is left out: src/engine/lent_transport.cpp stands in its place.
unset(rpc)
find_path(rpc ggml-rpc.cpp NO_CACHE NO_DEFAULT_PATH PATHS ${roots} PATH_SUFFIXES ggml/src/ggml-rpc)
if(NOT rpc)
    message(FATAL_ERROR "ggml/src/ggml-rpc/ggml-rpc.cpp ${llama_hint}")
endif()
add_library(doze_rpc STATIC ${rpc}/ggml-rpc.cpp
    ${PROJECT_SOURCE_DIR}/src/engine/lent_transport.cpp)
add_library(doze::rpc ALIAS doze_rpc)
target_include_directories(doze_rpc PRIVATE ${rpc} ${rpc}/.. ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(doze_rpc PUBLIC doze::llama PRIVATE doze::threads)
target_compile_options(doze_rpc PRIVATE -w -g0)

# The decoder of pictures in llama.cpp's vendor folder; headers only.
unset(stb)
find_path(stb stb/stb_image.h NO_CACHE NO_DEFAULT_PATH PATHS ${roots} PATH_SUFFIXES vendor)
if(NOT stb)
    message(FATAL_ERROR "vendor/stb/stb_image.h ${llama_hint}")
endif()
add_library(doze_stb INTERFACE)
add_library(doze::stb ALIAS doze_stb)
target_include_directories(doze_stb SYSTEM INTERFACE ${stb})

# llguidance (setup/guidance.sh); without it llama.cpp's own grammars keep answers to a schema.
set(DOZE_GUIDANCE "")
set(guidance ${DOZE_DEPS}/guidance)
if(EXISTS ${guidance}/lib/libdoze_guidance.so)
    file(STRINGS ${PROJECT_SOURCE_DIR}/setup/guidance/Cargo.toml line REGEX "^llguidance ")
    string(REGEX REPLACE ".*version = \"=([^\"]+)\".*" "llguidance \\1" DOZE_GUIDANCE "${line}")
    add_library(doze_guidance INTERFACE)
    add_library(doze::guidance ALIAS doze_guidance)
    target_include_directories(doze_guidance SYSTEM INTERFACE ${guidance}/include)
    doze_link_private(doze_guidance ${guidance}/lib/libdoze_guidance.so)
endif()

# For programs declared without doze_program.
list(APPEND CMAKE_BUILD_RPATH ${DOZE_RUNTIME_DIRS})
