/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "fleet/fleet_view.h"
#include "fleet/node_proof.h"

/* What the thread of a transfer needs for its passes. */
struct signer {
    char *secret, *here;
};

static char *signer_sign(void *ctx, const char *name, const char *sha256) {
    const struct signer *signer = ctx;
    char text[NODE_PASS_SIZE];
    char *path = xasprintf(FLEET_FILES_PATH "/%s", sha256);
    struct node_pass pass = {
        .from = signer->here, .to = name, .method = "GET", .path = path, .at = clock_unix()
    };
    node_pass_format(signer->secret, &pass, text);
    free(path);
    return xasprintf(FLEET_PASS_HEADER ": %s", text);
}

static void signer_free(void *ctx) {
    struct signer *signer = ctx;
    free(signer->secret);
    free(signer->here);
    free(signer);
}

static struct peer_signer make_signer(const struct fleet_node *node) {
    struct fleet_question question = { 0 };
    struct signer *signer = xcalloc(1, sizeof *signer);
    fleet_node_ask(node, &question);
    signer->secret = xstrdup(question.secret);
    signer->here = xstrdup(question.here);
    return (struct peer_signer){ signer_sign, signer_free, signer };
}

static char *url_of(const char *base) {
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/') len--;
    return xasprintf("%.*s" FLEET_FILES_PATH, (int)len, base);
}

static void copy_files(const struct fleet_view *view, struct peer_model *ret) {
    ret->files = xcalloc(view->file_count, sizeof *ret->files);
    ret->file_count = view->file_count;
    for (size_t i = 0; i < view->file_count; i++) {
        const struct published_file *file = &view->files[i];
        struct peer_file *copy = &ret->files[i];
        *copy = (struct peer_file){ .size = file->size, .path = xstrdup(file->path) };
        (void)snprintf(copy->sha256, sizeof copy->sha256, "%s", file->sha256);
    }
}

static void find_sources(const struct fleet_node *node, const struct fleet_view *view,
                         struct peer_model *ret) {
    ret->sources = xcalloc(view->table.count, sizeof *ret->sources);
    for (uint32_t n = 0; n < view->table.count; n++) {
        if (!fleet_view_is_source(fleet_node_table(node), view, n)) continue;
        ret->sources[ret->source_count++] = (struct peer_source){ xstrdup(view->nodes[n].name),
                                                                  url_of(view->urls[n]) };
    }
}

bool fleet_files_find(const struct fleet_node *node, const struct fleet_view *view,
                      struct peer_model *ret, struct error *err) {
    *ret = (struct peer_model){ 0 };
    copy_files(view, ret);
    find_sources(node, view, ret);
    ret->signer = make_signer(node);
    if (peer_model_check(ret, err)) return true;
    peer_model_clear(ret);
    return false;
}
