/* SPDX-License-Identifier: MIT */
/*
 * settings_file.h - reads the settings at the start so that damage never opens the server.
 *
 * The API key is in two files: settings.json has it as a setting, api_key.json alone:
 * {"api_key":"..."}, or null if none is set. A key in settings.json counts; without one the
 * copy does, so a key is removed only by a change that writes both. If settings.json is
 * damaged and there is no copy, or if the copy itself cannot be read, nobody knows whether a
 * key was set: then the copy is made {} and this stays so over restarts.
 */
#ifndef DOZE_DAEMON_SETTINGS_FILE_H
#define DOZE_DAEMON_SETTINGS_FILE_H

#include "supervisor/settings.h"

/* Initialise the settings from the files, blocking. What cannot be read of settings.json has
 * its default: then the file is set aside with a warning and written again. False: it is not
 * known whether a key was set. */
bool settings_file_read(const char *path, const char *key_path, struct settings *ret_settings)
    __attribute__((warn_unused_result));

/* Append the content of api_key.json. key "": none. */
void settings_file_format_key(const char *key, struct buf *out);

#endif
