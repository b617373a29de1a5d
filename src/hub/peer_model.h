/* SPDX-License-Identifier: MIT */
/* peer_model.h - the files of a model that other machines have, and how these are asked. */
#ifndef DOZE_HUB_PEER_MODEL_H
#define DOZE_HUB_PEER_MODEL_H

#include "base/error.h"
#include "hub/hub_listing.h"

enum { PEER_FILES_MAX = 64 };

struct peer_file {
    char sha256[HUB_SHA256_SIZE];
    nbytes size;
    char *path; /* "owner/repo/name.gguf", below the folder for models */
};

struct peer_source {
    char *name; /* of the machine, for people and for `sign` */
    char *url;  /* of the files there: the SHA-256 of one follows after a slash */
};

/* A header line that the machine wants to see with the request for a file. Called on the thread
 * of the transfer; the caller frees it. */
struct peer_signer {
    char *(*sign)(void *ctx, const char *name, const char *sha256);
    void (*free)(void *ctx);
    void *ctx;
};

struct peer_model {
    struct peer_file *files; /* the first one makes the others a model */
    size_t file_count;
    struct peer_source *sources; /* each has all files */
    size_t source_count;
    struct peer_signer signer;
};

/* Accepts a zeroed one. */
void peer_model_clear(struct peer_model *model);

/* Is the path of a file here one that may be fetched? Three parts, none of them hidden. */
bool peer_path_is_safe(const char *path);

/* May its files be fetched? Each has such a path, all in one folder, and a checksum; and there
 * are neither none nor too many. Fails with ERR_NOT_FOUND. */
bool peer_model_check(const struct peer_model *model, struct error *err)
    __attribute__((warn_unused_result));

/* Bytes of all of them. */
nbytes peer_model_size(const struct peer_model *model);

#endif
