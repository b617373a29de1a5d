# SPDX-License-Identifier: MIT
# cmake -D IN=openapi.json -D OUT=openapi_json.c -P embed_openapi.cmake - make the C source that
# holds the document (src/daemon/routes/openapi.h).
cmake_minimum_required(VERSION 3.22)

file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR len "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "/* Made by cmake/embed_openapi.cmake from openapi.json. */
#include \"daemon/routes/openapi.h\"
const unsigned char openapi_json[] = {${bytes}};
const size_t openapi_json_len = ${len};
")
