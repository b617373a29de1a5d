/* SPDX-License-Identifier: MIT */
/* fleet_settings.h - the setting `fleet`: which etcd, and what this node is called there. Pure.
 */
#ifndef DOZE_SUPERVISOR_FLEET_SETTINGS_H
#define DOZE_SUPERVISOR_FLEET_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/msec.h"

enum {
    FLEET_ETCD_SIZE = 1024, /* of all URLs */
    FLEET_ETCD_MAX = 16,    /* URLs */
    FLEET_NAME_SIZE = 64,
    FLEET_URL_SIZE = 256,
    FLEET_KEY_SIZE = 128,
};

/* Zeroed: no fleet. */
struct fleet_settings {
    char etcd[FLEET_ETCD_SIZE]; /* URLs with spaces between; "": no fleet */
    char node[FLEET_NAME_SIZE]; /* "": the name of the machine */
    char url[FLEET_URL_SIZE];   /* "": made from what the server listens on */
    char key[FLEET_KEY_SIZE];   /* "": none */
    nbytes lend_memory;         /* bytes that other nodes may have; 0: none */
};

/* Merge an object with "etcd" (a URL or an array of them), "node", "url", "key" and
 * "lend_memory"; null unsets one. The stars of fleet_settings_show leave the key as it is.
 * Fails with ERR_INVALID_REQUEST and the param "fleet"; the settings are as they were. */
bool fleet_settings_patch(struct fleet_settings *settings, yyjson_val *patch, struct error *err)
    __attribute__((warn_unused_result));
/* Would the patch set another key or none? */
bool fleet_settings_patch_changes_key(const struct fleet_settings *settings, yyjson_val *patch);

/* The object that fleet_settings_patch reads; strings are copied. */
yyjson_mut_val *fleet_settings_format(const struct fleet_settings *settings,
                                      yyjson_mut_doc *doc);

/* Replace the key by stars, for clients. */
void fleet_settings_mask(struct fleet_settings *settings);

#endif
