/* SPDX-License-Identifier: MIT */
/*
 * settings_file.h - reads the settings at the start so that damage never opens the server.
 *
 * What protects the server is in two files: settings.json has it among the settings,
 * api_key.json alone: {"api_key":"...","tls_cert":"...","tls_key":"..."}, with null for what
 * is not set. A key or certificate in settings.json counts; without one the copy's does, so it
 * is removed only by a change that writes both. If settings.json is damaged and there is no
 * copy, or if the copy itself cannot be read, it is unknown whether a key was set: then the
 * copy has no api_key, so that this survives restarts.
 */
#ifndef DOZE_DAEMON_SETTINGS_FILE_H
#define DOZE_DAEMON_SETTINGS_FILE_H

#include "supervisor/settings.h"

/* Initialise the settings from the files, blocking. What cannot be read of settings.json has
 * its default: then the file is set aside with a warning and written again. False: it is not
 * known whether a key was set. */
bool settings_file_read(const char *path, const char *copy_path, struct settings *ret_settings)
    __attribute__((warn_unused_result));

/* Append the content of api_key.json. key_is_known: whether one is set. */
void settings_file_format_copy(const struct settings *settings, bool key_is_known,
                               struct buf *out);

#endif
