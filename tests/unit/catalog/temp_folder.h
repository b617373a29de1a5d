/* SPDX-License-Identifier: MIT */
/* temp_folder.h - a folder for one test, and models in it. */
#ifndef DOZE_TESTS_TEMP_FOLDER_H
#define DOZE_TESTS_TEMP_FOLDER_H

#include "base/buf.h"
#include "gguf_writer.h"

/* cmocka's set-up and tear-down: *state is the folder's path. */
int temp_folder_make(void **state);
int temp_folder_remove(void **state);

/* Write bytes to <root>/<path>, making the folders. */
void write_file(const char *root, const char *path, const struct buf *bytes);

/* A small model at <root>/<path>, its time of change set to `modified` seconds. */
void write_model(const char *root, const char *path, const struct small_model *model,
                 long modified);

#endif
