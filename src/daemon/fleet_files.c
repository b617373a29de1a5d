/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "fleet/fleet_view.h"
#include "fleet/node_proof.h"

enum { SUM_LEN = HUB_SHA256_SIZE - 1 };

/* What the thread of a transfer needs for its passes. */
struct signer {
    char *secret, *here, *path;
};

static char *signer_sign(void *ctx, const char *name) {
    const struct signer *signer = ctx;
    char text[NODE_PASS_SIZE];
    struct node_pass pass = { .from = signer->here,
                              .to = name,
                              .method = "GET",
                              .path = signer->path,
                              .at = clock_unix() };
    node_pass_format(signer->secret, &pass, text);
    return xasprintf(FLEET_PASS_HEADER ": %s", text);
}

static void signer_free(void *ctx) {
    struct signer *signer = ctx;
    free(signer->secret);
    free(signer->here);
    free(signer->path);
    free(signer);
}

static struct peer_signer make_signer(const struct fleet_node *node, const char *path) {
    struct fleet_question question = { 0 };
    struct signer *signer = xcalloc(1, sizeof *signer);
    fleet_node_ask(node, &question);
    signer->secret = xstrdup(question.secret);
    signer->here = xstrdup(question.here);
    signer->path = xstrdup(path);
    return (struct peer_signer){ signer_sign, signer_free, signer };
}

static char *url_of(const char *base, const char *path) {
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/') len--;
    return xasprintf("%.*s%s", (int)len, base, path);
}

static bool is_sum(const char *text) {
    return text && strlen(text) == SUM_LEN && strspn(text, "0123456789abcdef") == SUM_LEN;
}

bool fleet_files_find(const struct fleet_node *node, const struct fleet_view *view,
                      struct peer_file *ret, struct error *err) {
    *ret = (struct peer_file){ .size = view->request.file };
    if (!is_sum(view->file.sha256))
        return error_set(
            err, ERR_MODEL_NOT_FOUND,
            "No node has the model in a form that can be fetched; copy it by hand.");
    char *path = xasprintf(FLEET_FILES_PATH "/%s", view->file.sha256);
    memcpy(ret->sha256, view->file.sha256, HUB_SHA256_SIZE);
    ret->path = xstrdup(view->file.path);
    ret->sources = xcalloc(view->table.count, sizeof *ret->sources);
    for (uint32_t n = 0; n < view->table.count; n++) {
        if (!fleet_view_is_source(fleet_node_table(node), view, n)) continue;
        ret->sources[ret->count++] = (struct peer_source){ xstrdup(view->nodes[n].name),
                                                           url_of(view->urls[n], path) };
    }
    ret->signer = make_signer(node, path);
    free(path);
    return true;
}
