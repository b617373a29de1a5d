/* SPDX-License-Identifier: MIT */
/*
 * error.h - an error as a value: a code from a closed set and one sentence.
 *
 * A function that can fail for several reasons returns bool and takes `struct error *err` last:
 * never NULL, written only on failure. Library code neither logs nor exits; the edge reports
 * once.
 */
#ifndef DOZE_BASE_ERROR_H
#define DOZE_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum err_code {
    ERR_NONE,
    ERR_INVALID_REQUEST,   /* bad JSON, wrong type or value: 400 */
    ERR_CONTEXT_LENGTH,    /* prompt longer than the context: 400 */
    ERR_API_KEY,           /* 401 */
    ERR_FORBIDDEN,         /* foreign Host or Origin: 403 */
    ERR_MODEL_NOT_FOUND,   /* unknown name, or not loaded with JIT off: 404 */
    ERR_NOT_FOUND,         /* unknown path, setting, ...: 404 */
    ERR_NO_TLS,            /* plain HTTP where TLS is spoken: 400 */
    ERR_METHOD,            /* 405 */
    ERR_IDENTIFIER_IN_USE, /* 409 */
    ERR_MODEL_IN_USE,      /* it is loaded, its files cannot go: 409 */
    ERR_TOO_LARGE,         /* body or field over its limit: 413 */
    ERR_QUEUE_FULL,        /* 429 + Retry-After */
    ERR_LOAD_FAILED,       /* 500 */
    ERR_INTERNAL,          /* our side failed: 500 */
    ERR_NOT_SUPPORTED,  /* this model or build cannot: 400, as trying again changes nothing */
    ERR_WORKER_DIED,    /* 502 */
    ERR_MODEL_UNLOADED, /* 503 */
    ERR_BACK_OFF,       /* 503 + Retry-After */
    ERR_SHUTTING_DOWN,  /* 503 */
    ERR_NO_MEMORY,      /* 507 */
    ERR_DISK_FULL,      /* 507 */
    ERR_CANCELLED,      /* the client left; not reported */
    ERR_IO,             /* a file or socket failed: 500 */
};
enum { ERR_CODE_COUNT = ERR_IO + 1 };

struct error {
    enum err_code code;
    int retry_after; /* seconds; 0: none */
    char param[64];  /* the field of the request at fault; "" if none */
    char text[320];  /* one sentence for a person, no newline, safe to show to a client */
};

/* Fill *err and return false, so that a failing line reads: return error_set(err, ...).
 * Control characters in the text, and bytes that are not UTF-8, become '?'. */
bool error_set(struct error *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with the name of the field at fault. */
bool error_set_param(struct error *err, enum err_code code, const char *param, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

/* HTTP status of a code. */
int error_status(enum err_code code);

/* The code in the API and between processes: "model_not_found". */
const char *error_name(enum err_code code);

/* The code of a name; ERR_INTERNAL if the name is unknown. */
enum err_code error_from_name(const char *name);

#endif
