/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct code_row {
    int status;
    const char *name;
};

static const struct code_row rows[] = {
    [ERR_NONE] = { 200, "none" },
    [ERR_INVALID_REQUEST] = { 400, "invalid_request_error" },
    [ERR_CONTEXT_LENGTH] = { 400, "context_length_exceeded" },
    [ERR_API_KEY] = { 401, "invalid_api_key" },
    [ERR_FORBIDDEN] = { 403, "forbidden" },
    [ERR_MODEL_NOT_FOUND] = { 404, "model_not_found" },
    [ERR_NOT_FOUND] = { 404, "not_found" },
    [ERR_NO_TLS] = { 400, "tls_required" },
    [ERR_METHOD] = { 405, "method_not_allowed" },
    [ERR_IDENTIFIER_IN_USE] = { 409, "identifier_in_use" },
    [ERR_MODEL_IN_USE] = { 409, "model_in_use" },
    [ERR_TOO_LARGE] = { 413, "request_too_large" },
    [ERR_QUEUE_FULL] = { 429, "queue_full" },
    [ERR_LOAD_FAILED] = { 500, "model_load_failed" },
    [ERR_INTERNAL] = { 500, "internal_error" },
    [ERR_NOT_SUPPORTED] = { 400, "not_supported" },
    [ERR_WORKER_DIED] = { 502, "worker_died" },
    [ERR_MODEL_UNLOADED] = { 503, "model_unloaded" },
    [ERR_BACK_OFF] = { 503, "model_backing_off" },
    [ERR_SHUTTING_DOWN] = { 503, "shutting_down" },
    [ERR_NO_MEMORY] = { 507, "insufficient_memory" },
    [ERR_DISK_FULL] = { 507, "insufficient_storage" },
    [ERR_CANCELLED] = { 499, "cancelled" },
    [ERR_IO] = { 500, "io_error" },
};
_Static_assert(sizeof rows / sizeof rows[0] == ERR_CODE_COUNT, "one row per code");

static void make_safe(char *text) {
    utf8_mend(text); /* a quoted name may have been cut (%.80s) */
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
    }
}

static void error_fill(struct error *err, enum err_code code, const char *param,
                       const char *fmt, va_list args) {
    struct error fresh = { .code = code };
    snprintf(fresh.param, sizeof fresh.param, "%s", param);
    vsnprintf(fresh.text, sizeof fresh.text, fmt, args);
    fresh.text[utf8_whole(fresh.text, strlen(fresh.text))] = '\0'; /* it may be cut */
    make_safe(fresh.text);
    *err = fresh; /* last: the arguments may point into *err */
}

bool error_set(struct error *err, enum err_code code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    error_fill(err, code, "", fmt, args);
    va_end(args);
    return false;
}

bool error_set_param(struct error *err, enum err_code code, const char *param, const char *fmt,
                     ...) {
    va_list args;
    va_start(args, fmt);
    error_fill(err, code, param, fmt, args);
    va_end(args);
    return false;
}

int error_status(enum err_code code) {
    return rows[code].status;
}

const char *error_name(enum err_code code) {
    return rows[code].name;
}

enum err_code error_from_name(const char *name) {
    for (int i = 0; i < ERR_CODE_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) return (enum err_code)i;
    }
    return ERR_INTERNAL;
}
