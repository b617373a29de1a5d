/* SPDX-License-Identifier: MIT */
/* inventory.h - the models on disk and their instances, as GET /api/v1/models lists them. */
#ifndef DOZE_CLI_INVENTORY_H
#define DOZE_CLI_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/msec.h"
#include "cli/client.h"

/* A string that the server does not give is "". */
struct listed_model {
    const char *key, *type, *publisher, *display_name, *architecture, *params, *problem;
    const char *quantization, *path, *license;
    double bits_per_weight;
    nbytes size_bytes;
    int64_t max_context_length, layers; /* layers: 0 if unknown */
    bool vision, tool_use, reasoning, chat_template;
    bool ranks;                            /* a reranker */
    size_t first_instance, instance_count; /* into inventory.instances */
};

struct listed_instance {
    const char *id, *model_key, *state, *origin;
    double progress; /* of the load, 0 to 1 */
    nbytes memory_bytes, device_memory_bytes;
    const char *device;      /* "cpu" or a description; "": not known */
    const char *draft_model; /* "": none */
    int64_t context_length, parallel, running, waiting, pid;
    msec ttl;          /* MSEC_NEVER: none */
    msec expires_in;   /* MSEC_NEVER: its idle clock is not running */
    msec last_used_at; /* Unix ms; 0: unknown */
    double load_time_seconds;
    int64_t prompts_kept, prompt_hits; /* of the prompt store */
    nbytes prompt_bytes;
    yyjson_val *adapters; /* a list; NULL: it has none */
};

/* A worker that keeps a model, though no instance of it is loaded. */
struct listed_parked {
    const char *model_key;
    nbytes memory_bytes;
    msec expires_at; /* Unix ms; 0: it does not */
};

struct inventory {
    yyjson_doc *doc; /* owns every string */
    struct listed_model *models;
    size_t model_count;
    struct listed_instance *instances;
    size_t instance_count;
    struct listed_parked *parked;
    size_t parked_count;
};

/* A model for embeddings, which cannot chat. */
bool listed_model_embeds(const struct listed_model *model);

/* Ask the server. *ret is filled with OUTCOME_DONE only; clear it with inventory_clear. */
enum outcome inventory_fetch(const struct cli *cli, struct inventory *ret, struct error *err);

/* Read the server's answer; takes doc, also on failure. Fails if it has no list of models. */
bool inventory_read(yyjson_doc *doc, struct inventory *ret, struct error *err);
void inventory_clear(struct inventory *inv);

/* "IDLE", "GENERATING", "LOADING 42%", "UNLOADING", ...: LM Studio's words. */
enum { STATUS_TEXT = 32 };
void instance_status(const struct listed_instance *instance, char text[STATUS_TEXT]);

/* Ask the server to unload an instance (NULL: all), and wait until its memory is free. */
enum outcome instance_unload(const struct cli *cli, const char *id, struct error *err);

#endif
