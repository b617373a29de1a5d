/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_facts.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk_free.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "daemon/listeners.h"
#include "daemon/own_address.h"
#include "daemon/settings_store.h"
#include "daemon/tls_files.h"
#include "fleet/etcd_message.h"
#include "fleet/node_proof.h"
#include "fleet/published.h"
#include "supervisor/lending.h"
#include "supervisor/supervisor.h"

#define DISK_STEP ((nbytes)256 << 20)

enum { HOST_SIZE = 256, STEPS = 50 /* of the free memory */ };

/* ---- the node ---- */

void fleet_fingerprint(const char *key, char ret[FLEET_FINGERPRINT_SIZE]) {
    static const char text[] = "doze fleet";
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    hmac_sha256_set_key(&hmac, strlen(key), (const uint8_t *)key);
    hmac_sha256_update(&hmac, sizeof text - 1, (const uint8_t *)text);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    for (int i = 0; i < (FLEET_FINGERPRINT_SIZE - 1) / 2; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void machine_name(char *ret, size_t size) {
    if (gethostname(ret, size - 1) != 0) ret[0] = '\0';
    ret[size - 1] = '\0';
    if (!*ret) (void)snprintf(ret, size, "localhost");
}

void fleet_facts_name(const struct fleet_node_config *config, char *ret, size_t size) {
    const char *set = settings_store_get(config->settings)->fleet.node;
    char host[HOST_SIZE];
    machine_name(host, sizeof host);
    (void)snprintf(ret, size, "%s", *set ? set : host);
    for (char *at = ret; *at; at++) { /* the kernel takes any name */
        if (!fleet_node_is_name((char[]){ *at, '\0' })) *at = '-';
    }
}

/* Of an address for all: the one that leads to etcd, which the others find as etcd does. With
 * TLS the machine's name, as certificates have names. */
static void choose_host(const struct fleet_node_config *config, char ret[HOST_SIZE]) {
    const char *etcd = settings_store_get(config->settings)->fleet.etcd;
    char address[OWN_ADDRESS_SIZE];
    if (!config->tls->on && own_address_towards(etcd, address) &&
        !listeners_is_loopback(address))
        (void)snprintf(ret, HOST_SIZE, "%s", address);
    else
        machine_name(ret, HOST_SIZE);
}

/* Of the settings, else by the address that it listens on. */
static char *make_url(const struct fleet_node_config *config) {
    const char *set = settings_store_get(config->settings)->fleet.url, *host;
    char chosen[HOST_SIZE];
    if (*set) return xstrdup(set);
    int port = listeners_named_port(config->listeners, &host);
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) {
        choose_host(config, chosen);
        host = chosen;
    }
    bool v6 = strchr(host, ':') != NULL;
    return xasprintf("http%s://%s%s%s:%d", config->tls->on ? "s" : "", v6 ? "[" : "", host,
                     v6 ? "]" : "", port);
}

/* In steps, as it follows the free memory. Nobody without the key gets any. */
static nbytes lend_free(const struct fleet_node_config *config) {
    const struct fleet_settings *fleet = &settings_store_get(config->settings)->fleet;
    nbytes step = fleet->lend_memory / STEPS, left = supervisor_lendable(config->supervisor);
    if (!fleet->key[0]) return 0;
    return step > 0 && left < fleet->lend_memory ? left / step * step : left;
}

static bool is_near(nbytes a, nbytes b, nbytes limit) {
    return (a > b ? a - b : b - a) < limit / STEPS;
}

/* In steps: other programs write all the time. */
static nbytes room_on_disk(const char *folder) {
    nbytes all = disk_free(folder);
    return all > DISK_KEPT ? (all - DISK_KEPT) / DISK_STEP * DISK_STEP : 0;
}

static const char *const evict_words[] = {
    [LC_EVICT_ON] = "on",
    [LC_EVICT_OFF] = "off",
    [LC_EVICT_FIT] = "fit",
    [LC_EVICT_PER_TYPE] = "per_type",
};

void fleet_facts_node(const struct fleet_node_config *config, nbytes *memory_free,
                      struct buf *out) {
    const struct fleet_settings *fleet = &settings_store_get(config->settings)->fleet;
    struct memory_status memory = supervisor_memory(config->supervisor);
    nbytes limit = memory.limit ? memory.limit : memory.total,
           now = memory_status_free(&memory);
    const struct lc_settings *rules = &settings_store_get(config->settings)->rules;
    char fingerprint[FLEET_FINGERPRINT_SIZE], proof[NODE_PROOF_SIZE], name[FLEET_NODE_SIZE];
    char *url = make_url(config);
    if (!is_near(now, *memory_free, limit)) *memory_free = now;
    fleet_fingerprint(fleet->key, fingerprint);
    fleet_facts_name(config, name, sizeof name);
    node_proof_of_entry(fleet->key, name, url, proof);
    struct published_node node = { .url = url,
                                   .version = DOZE_VERSION,
                                   .boot = config->boot,
                                   .memory_free = *memory_free,
                                   .memory_limit = limit,
                                   .device_memory = config->program->device,
                                   .parked = supervisor_parked_bytes(config->supervisor),
                                   .lend_free = lend_free(config),
                                   .disk_free = room_on_disk(config->models_dir),
                                   .cores = (int)uv_available_parallelism(),
                                   .key_fingerprint = fleet->key[0] ? fingerprint : NULL,
                                   .proof = fleet->key[0] ? proof : NULL,
                                   .auto_evict = evict_words[rules->auto_evict],
                                   .jit_limit = rules->jit_limit };
    published_format_node(&node, out);
    free(url);
}

/* ---- instances ---- */

static bool is_resident(const struct instance_view *view) {
    return view->state != INSTANCE_QUEUED;
}

/* What this daemon has of models in memory. */
struct in_memory {
    struct instance_status instances[LC_MAX_SLOTS];
    size_t count;
    struct parked_status parked[PARKED_MAX];
    size_t parked_count;
};

static bool is_parked(const struct in_memory *all, const char *model) {
    for (size_t i = 0; i < all->parked_count; i++) {
        if (strcmp(all->parked[i].model_key, model) == 0) return true;
    }
    return false;
}

/* Its instances are `list`; returns how many. */
static size_t find_resident(const struct in_memory *all, const char *model,
                            struct published_instance list[LC_MAX_SLOTS]) {
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct instance_view *view = &all->instances[i].view;
        if (is_resident(view) && strcmp(view->model_key, model) == 0)
            list[count++] = (struct published_instance){ view,
                                                         all->instances[i].tokens_per_second };
    }
    return count;
}

static void tell_model(const struct in_memory *all, const char *model, fleet_facts_fn *fn,
                       void *ctx) {
    struct published_instance list[LC_MAX_SLOTS];
    struct buf value = BUF_INIT(ETCD_VALUE_MAX);
    size_t count = find_resident(all, model, list);
    published_format_instances(list, count, is_parked(all, model), &value);
    fn(ctx, model, count > 0, buf_str(&value));
    buf_clear(&value);
}

/* Is it the first one that is resident, of its model? */
static bool is_first(const struct in_memory *all, size_t index) {
    const char *model = all->instances[index].view.model_key;
    for (size_t i = 0; i < index; i++) {
        const struct instance_view *view = &all->instances[i].view;
        if (is_resident(view) && strcmp(view->model_key, model) == 0) return false;
    }
    return is_resident(&all->instances[index].view);
}

/* Is it the first one, of a model that is not resident? */
static bool is_first_parked(const struct in_memory *all, size_t index) {
    struct published_instance list[LC_MAX_SLOTS];
    const char *model = all->parked[index].model_key;
    for (size_t i = 0; i < index; i++) {
        if (strcmp(all->parked[i].model_key, model) == 0) return false;
    }
    return find_resident(all, model, list) == 0;
}

void fleet_facts_instances(const struct fleet_node_config *config, fleet_facts_fn *fn,
                           void *ctx) {
    struct in_memory *all = xcalloc(1, sizeof *all);
    all->count = supervisor_instances(config->supervisor, all->instances);
    all->parked_count = supervisor_parked(config->supervisor, all->parked);
    for (size_t i = 0; i < all->count; i++) {
        if (is_first(all, i)) tell_model(all, all->instances[i].view.model_key, fn, ctx);
    }
    for (size_t i = 0; i < all->parked_count; i++) {
        if (is_first_parked(all, i)) tell_model(all, all->parked[i].model_key, fn, ctx);
    }
    free(all);
}
