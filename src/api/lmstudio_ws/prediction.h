/* SPDX-License-Identifier: MIT */
/* prediction.h - one prediction on its channel: events of the service become messages. */
#ifndef DOZE_API_LMSTUDIO_WS_PREDICTION_H
#define DOZE_API_LMSTUDIO_WS_PREDICTION_H

#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/tags.h"

struct lmws_prediction {
    yyjson_mut_doc *success;    /* its last message, all but the stats; NULL: sent */
    yyjson_mut_val *stats;      /* empty object in success */
    yyjson_mut_val *call_stops; /* stop strings that mean a tool call; of success, or NULL */
    int gpu_layers;             /* -1: all */

    bool started;
    struct service_usage usage; /* so far */

    bool reasoning_apart;  /* reasoning is marked as such, not part of the text */
    bool reasoning_open;   /* its start tag was sent, its end tag not */
    struct lmws_tags tags; /* that the client names, for models whose template does not */
    int held_tokens;       /* of the text that the tags hold back, in no fragment yet */

    struct byte_hold kept;     /* for call */
    struct buf call;           /* arguments of the tool call that is being written */
    char *call_id, *call_name; /* call_name NULL: none is */
    int call_index;
};

/* Makes it the op's state. Copies what success will say of the instance, which may be gone by
 * then. config: what lmws_prediction_config_read gave for the stack. Fails with ERR_QUEUE_FULL.
 */
bool lmws_prediction_begin(struct lmws_op *op, const struct lmws_found *found,
                           yyjson_val *stack, yyjson_mut_val *config, struct error *err)
    __attribute__((warn_unused_result));

/* on_event of the op's service call; ctx is the op. */
void lmws_prediction_on_event(void *ctx, call_id call, const struct service_event *ev);

/* The client cancels: end with what was said so far. */
void lmws_prediction_cancel(struct lmws_op *op);

#endif
