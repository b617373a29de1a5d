/* SPDX-License-Identifier: MIT */
/* upload.c - a file that comes as base64 is read where the host works on large texts. Until
 * then the socket's next message waits, and this one, which has the text, counts. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct uploading {
    struct lmws_op *op;
    const struct lmws_host *host;
    yyjson_doc *message;
    void *upload;
};

static void uploading_work(void *ctx) {
    const struct uploading *u = ctx;
    u->host->file_read(u->upload);
}

static void reply(struct lmws_op *op, const struct lmws_file *file) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *result = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, result, "identifier", file->identifier);
    yyjson_mut_obj_add_str(doc, result, "fileType", file->type);
    yyjson_mut_obj_add_uint(doc, result, "sizeBytes", file->size);
    lmws_op_result(op, doc, result);
}

static void uploading_on_done(void *ctx) {
    struct uploading *u = ctx;
    struct lmws_session *session = u->op->session;
    struct lmws_file file;
    struct error err;
    if (u->host->file_put(u->host->self, u->upload, &file, &err))
        reply(u->op, &file);
    else
        lmws_op_fail(u->op, &err);
    yyjson_doc_free(u->message);
    free(u);
    lmws_session_go_on(session);
}

void lmws_upload_file(struct lmws_op *op, yyjson_val *param) {
    struct lmws_session *session = op->session;
    const struct lmws_host *host = session->host;
    const struct lmws_transport *transport = &session->transport;
    const char *name = json_find_str(param, "name");
    const char *base64 = json_find_str(param, "contentBase64");
    struct error err;
    error_set(&err, ERR_INVALID_REQUEST, "'name' and 'contentBase64' must be strings.");
    void *upload = name && base64 ? host->file_begin(host->self, name, base64,
                                                     transport->held(transport->ctx), &err)
                                  : NULL;
    if (!upload) {
        lmws_op_fail(op, &err);
        return;
    }
    struct uploading *u = xcalloc(1, sizeof *u);
    *u = (struct uploading){ op, host, lmws_session_take_message(session), upload };
    struct lmws_piece piece = { uploading_work, uploading_on_done, u };
    lmws_session_wait(session);
    host->offload(host->self, strlen(base64), &piece);
}
