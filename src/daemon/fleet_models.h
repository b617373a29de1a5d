/* SPDX-License-Identifier: MIT */
/*
 * fleet_models.h - the models on this node's disk, in the words of the fleet, and the files of
 * them that other nodes may fetch: those of a model in LM Studio's layout, if the SHA-256 of
 * each is known without reading it, and if its settings name no adapters.
 */
#ifndef DOZE_DAEMON_FLEET_MODELS_H
#define DOZE_DAEMON_FLEET_MODELS_H

#include "base/buf.h"
#include "catalog/catalog.h"

struct settings;

/* Append the value of models/<node>. */
void fleet_models_format(const struct catalog *catalog, const struct settings *settings,
                         struct buf *out);

/* The path of the file with that SHA-256, if another node may have it; NULL. The caller frees
 * it. */
char *fleet_models_file(const struct catalog *catalog, const char *sha256);

#endif
