/* SPDX-License-Identifier: MIT */
/* table.c - the endpoints by namespace and kind. What is not here is answered with an
 * error that says so. */
#include <string.h>

#include "api/lmstudio_ws/internal.h"

#define MODELS (LMWS_LLM | LMWS_EMBEDDING)
#define LIFE (MODELS | LMWS_DECISION)

static const struct endpoint endpoints[] = {
    { LIFE, LMWS_CHANNEL, "loadModel", ws_load_model, ws_load_message },
    { LIFE, LMWS_CHANNEL, "getOrLoad", ws_get_or_load, ws_load_message },
    { LIFE, LMWS_RPC, "listLoaded", ws_list_loaded, NULL },
    { LIFE, LMWS_RPC, "getModelInfo", ws_get_model_info, NULL },
    { LIFE, LMWS_RPC, "getLoadConfig", ws_get_load_config, NULL },
    { LIFE, LMWS_RPC, "getBasePredictionConfig", ws_get_base_prediction_config, NULL },
    { LIFE, LMWS_RPC, "getInstanceProcessingState", ws_get_processing_state, NULL },
    { LIFE, LMWS_RPC, "unloadModel", ws_unload_model, NULL },
    { LIFE, LMWS_RPC, "estimateModelUsage", ws_estimate_usage, NULL },
    { MODELS, LMWS_RPC, "tokenize", ws_tokenize, NULL },
    { MODELS, LMWS_RPC, "countTokens", ws_count_tokens, NULL },
    { LMWS_LLM, LMWS_CHANNEL, "predict", ws_predict, ws_predict_message },
    { LMWS_LLM, LMWS_CHANNEL, "completeRawText", ws_complete_raw_text, ws_predict_message },
    { LMWS_LLM, LMWS_RPC, "applyPromptTemplate", ws_apply_template, NULL },
    { LMWS_EMBEDDING, LMWS_RPC, "embedString", ws_embed_string, NULL },

    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModels", ws_list_downloaded, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModelVariants", ws_list_variants, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "version", ws_system_version, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "info", ws_system_info, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "startHttpServer", ws_system_start_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "stopHttpServer", ws_system_stop_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "requestShutdown", ws_system_shutdown, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "notify", ws_system_notify, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "getExperimentFlags", ws_system_experiment_flags, NULL },
    { LMWS_SYSTEM, LMWS_CHANNEL, "alive", ws_system_alive, NULL },

    { LMWS_DIAGNOSTICS, LMWS_CHANNEL, "streamLogs", ws_stream_logs, ws_stream_logs_message },
    { LMWS_FILES, LMWS_RPC, "uploadFileBase64", ws_upload_file, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "listEngines", ws_list_engines, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "getEngineSelections", ws_engine_selections, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "lmLinkStatus", ws_link_status, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getAuthenticationStatus", ws_authentication_status, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "isAuthenticated", ws_is_authenticated, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getModelCatalog", ws_model_catalog, NULL },
};

const struct endpoint *ws_endpoint_find(enum lmws_namespace ns, enum op_kind kind,
                                        const char *name) {
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const struct endpoint *e = &endpoints[i];
        if ((e->namespaces & ns) && e->kind == kind && strcmp(e->name, name) == 0) return e;
    }
    return NULL;
}
