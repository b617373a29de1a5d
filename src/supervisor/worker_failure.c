/* SPDX-License-Identifier: MIT */
/* worker_failure.c - a worker's FAILED as an error for clients. */
#include "base/json.h"
#include "supervisor/internal.h"

void supervisor_read_failure(yyjson_val *json, struct error *ret) {
    const char *code_name = json_find_str(json, "code");
    const char *text = json_find_str(json, "text");
    enum err_code code = error_from_name(code_name ? code_name : "");
    if (code == ERR_INTERNAL || code == ERR_NONE) code = ERR_LOAD_FAILED;
    const char *param = json_find_str(json, "param");
    error_set_param(ret, code, param ? param : "", "%s", text ? text : "");
}
