/* SPDX-License-Identifier: MIT */
/* worker_failure.c - why a worker could not do what it was to do, as an error for clients. */
#include "supervisor/internal.h"

void supervisor_read_failure(yyjson_val *json, struct error *ret) {
    const char *code_name = yyjson_get_str(yyjson_obj_get(json, "code"));
    const char *text = yyjson_get_str(yyjson_obj_get(json, "text"));
    enum err_code code = error_from_name(code_name ? code_name : "");
    if (code == ERR_INTERNAL || code == ERR_NONE) code = ERR_LOAD_FAILED;
    const char *param = yyjson_get_str(yyjson_obj_get(json, "param"));
    error_set_param(ret, code, param ? param : "", "%s", text ? text : "");
}
