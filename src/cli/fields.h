/* SPDX-License-Identifier: MIT */
/* fields.h - reads fields of the server's JSON; absent and unusable ones have a default. */
#ifndef DOZE_CLI_FIELDS_H
#define DOZE_CLI_FIELDS_H

#include <stdint.h>
#include <yyjson.h>

#include "base/msec.h"

/* "" if the field is not a string. Borrowed from the document. */
const char *field_str(yyjson_val *obj, const char *name);

/* `missing` if the field is not a finite number below 9e15. */
double field_num(yyjson_val *obj, const char *name, double missing);

/* 0 if the field is not such a number. */
int64_t field_int(yyjson_val *obj, const char *name);

/* 0 also for a negative number. */
nbytes field_bytes(yyjson_val *obj, const char *name);

/* Seconds as ms; MSEC_NEVER for null, a negative number or more than 1e12. */
msec field_span(yyjson_val *obj, const char *name);

/* "2026-11-22T14:03:07.123Z" as Unix ms; 0 if the field is not such a time. */
msec field_time(yyjson_val *obj, const char *name);

#endif
