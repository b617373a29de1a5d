/* SPDX-License-Identifier: MIT */
/* show.h - printing that several commands share. */
#ifndef DOZE_CLI_SHOW_H
#define DOZE_CLI_SHOW_H

#include "cli/inventory.h"

/* Print the table of `doze ps`. */
void show_instances(const struct inventory *inv);

/* Print the document as one line of JSON, and free it. */
void show_json(yyjson_mut_doc *doc);

/* Print text as it came from a model or a file: on a terminal without its control
 * characters. */
void show_text(FILE *out, const char *text, size_t len);

#endif
