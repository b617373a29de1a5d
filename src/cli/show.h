/* SPDX-License-Identifier: MIT */
/* show.h - output that several commands share. */
#ifndef DOZE_CLI_SHOW_H
#define DOZE_CLI_SHOW_H

#include "cli/inventory.h"

/* Print the table of `doze ps`. */
void show_instances(const struct inventory *inv);

/* Append the instances to an array, with the names that `lms ps --json` uses and, after these,
 * what only doze has. */
void show_add_instances(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct inventory *inv);

/* Print as one line of JSON. show_json frees the document. */
void show_json(yyjson_mut_doc *doc);
void show_value(const yyjson_val *val);

/* Print text that comes from a model or a file: on a terminal without control characters. */
void show_text(FILE *out, const char *text, size_t len);

#endif
