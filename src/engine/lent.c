/* SPDX-License-Identifier: MIT */
#include "engine/lent.h"

#include <ggml-rpc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/cpu_threads.h"
#include "engine/preparer.h"
#include "engine/process_rights.h"

/* ggml wants one that looks like this; nothing is looked up. */
#define ENDPOINT "lent:0"

/* ---- who borrows ---- */

/* Of a preparer: what it reads is a client's. */
static void leave_connection(void) {
    (void)close(LENT_FD);
}

static ggml_backend_t kept; /* the connection lasts as long as somebody uses it */

ggml_backend_dev_t lent_device(void) {
    if (!kept) {
        (void)pthread_atfork(NULL, NULL, leave_connection);
        kept = ggml_backend_rpc_init(ENDPOINT, 0);
    }
    return kept ? ggml_backend_get_device(kept) : NULL;
}

bool lent_is_used(void) {
    return kept != NULL;
}

/* ---- who lends ---- */

/* The limit includes a second copy of what the borrower sends, while it is put into place.
 * Sanitizers have no limit, because their own memory would count. */
static bool limit_memory(uint64_t bytes) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    uint64_t own = preparer_data_bytes();
    struct rlimit limit = { own + bytes, own + bytes };
    return own > 0 && setrlimit(RLIMIT_DATA, &limit) == 0;
#else
    (void)bytes;
    return true;
#endif
}

/* The whole sandbox is required, because the bytes come from another machine. */
static bool enter_sandbox(struct error *err) {
    const struct sandbox_rights nothing = { 0 };
    struct sandbox sandbox;
    process_rights_drop_capabilities(&nothing);
    sandbox_enter(&sandbox, SANDBOX_LOADING, &nothing);
    sandbox_enter(&sandbox, SANDBOX_SERVING, &nothing);
    if (!sandbox.missing) return true;
    return error_set(
        err, ERR_NOT_SUPPORTED,
        "This machine lends no memory because its workers do not have the whole sandbox.");
}

static bool begin(const char *payload, size_t len, struct error *err) {
    int64_t bytes = 0;
    yyjson_doc *doc = json_parse_object(payload, len, err);
    bool ok = doc &&
              json_read_int(yyjson_doc_get_root(doc), "bytes", 1, INT64_MAX / 2, &bytes, err);
    yyjson_doc_free(doc);
    if (!ok) return false;
    if (!limit_memory((uint64_t)bytes))
        return error_set(err, ERR_NOT_SUPPORTED, "Lent memory cannot be limited here.");
    return enter_sandbox(err);
}

/* The library keeps to the number for as long as the loan lasts. */
static int idle_cores(void) {
    struct cpu_threads cpu;
    cpu_threads_init(&cpu);
    int count = cpu_threads_begin_batch(&cpu, cpu_threads_default());
    cpu_threads_end_batch(&cpu);
    return count;
}

bool lent_serve(struct link *link, const char *payload, size_t len, struct error *err) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    int threads = idle_cores();
    if (!begin(payload, len, err)) return false;
    link_send(link, MSG_READY, 0, "{}", 2);
    link_drain(link);
    ggml_backend_rpc_start_server(ENDPOINT, NULL, (size_t)threads, 1, &cpu);
    return true;
}
