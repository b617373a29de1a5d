/* SPDX-License-Identifier: MIT */
/* prediction.h - one prediction on its channel: events of the service become messages. */
#ifndef DOZE_API_LMSTUDIO_WS_PREDICTION_H
#define DOZE_API_LMSTUDIO_WS_PREDICTION_H

#include "api/lmstudio_ws/op.h"
#include "api/lmstudio_ws/tags.h"

struct lmws_prediction {
    char *model_info, *load_config, *prediction_config; /* JSON */
    bool reasoning_apart;                               /* reasoning is told from content */
    bool reasoning_open;   /* its start tag was sent, its end tag not */
    struct lmws_tags tags; /* that the client names, for models whose template does not */
    int held_tokens;       /* of the text that they hold back and no fragment has told */
    bool started;
    struct buf call;           /* arguments of the tool call that is being written */
    char *call_id, *call_name; /* call_name NULL: none is */
    int call_index;
    struct service_usage usage;
    const char *stop_string; /* while success is being sent */
    int gpu_layers;          /* -1: all */
};
void lmws_prediction_clear(void *prediction);
void lmws_prediction_on_event(void *op, call_id call, const struct service_event *ev);
/* The client wants no more of it. */
void lmws_prediction_cancel(struct lmws_op *op);

#endif
