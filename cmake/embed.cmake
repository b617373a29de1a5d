# SPDX-License-Identifier: MIT
# cmake -D DIST=web/dist -D OUT=page_files.c -P embed.cmake - make the C source that holds the built
# page (src/daemon/routes/page_files.h). A file that has a .gz beside it is embedded compressed.
cmake_minimum_required(VERSION 3.22)

set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_txt "text/plain; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")
set(types_png "image/png")

file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
list(FILTER files EXCLUDE REGEX "(\\.gz|^\\.stamp)$")
list(SORT files)
if(NOT "index.html" IN_LIST files)
    message(FATAL_ERROR "${DIST} has no index.html: remove the folder and build the page again")
endif()

set(text "/* Made by cmake/embed.cmake from web/dist. */\n")
string(APPEND text "#include \"daemon/routes/page_files.h\"\n")
set(table "")
set(number 0)
foreach(file IN LISTS files)
    string(REGEX REPLACE "^.*\\." "" ending ${file})
    if(NOT DEFINED types_${ending})
        message(FATAL_ERROR
            "web/dist/${file}: add the type of .${ending} files to cmake/embed.cmake")
    endif()
    set(source ${DIST}/${file})
    set(gzipped false)
    if(EXISTS ${source}.gz)
        set(source ${source}.gz)
        set(gzipped true)
    endif()
    file(READ ${source} hex HEX)
    file(SHA256 ${source} sum)
    string(SUBSTRING ${sum} 0 20 etag)
    string(LENGTH "${hex}" digits)
    math(EXPR len "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND text "\nstatic const unsigned char file_${number}[] = {${bytes}};\n")
    string(REGEX REPLACE "^index\\.html$" "" path ${file})
    string(APPEND table "    { \"/${path}\", \"${types_${ending}}\", \"\\\"${etag}\\\"\", "
        "${gzipped}, file_${number}, ${len} },\n")
    math(EXPR number "${number} + 1")
endforeach()

string(APPEND text "\nconst struct page_file page_files[] = {\n${table}};\n"
    "const size_t page_file_count = ${number};\n")
file(WRITE ${OUT} "${text}")
