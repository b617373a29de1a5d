/* SPDX-License-Identifier: MIT */
/* table.c - the endpoints by namespace and kind. Any other is answered with an error. */
#include <string.h>

#include "api/lmstudio_ws/handlers.h"

#define MODELS (LMWS_LLM | LMWS_EMBEDDING)
#define LIFE (MODELS | LMWS_DECISION)

static const struct lmws_endpoint endpoints[] = {
    { LIFE, LMWS_CHANNEL, "loadModel", lmws_load_model, lmws_load_message },
    { LIFE, LMWS_CHANNEL, "getOrLoad", lmws_get_or_load, lmws_load_message },
    { LIFE, LMWS_RPC, "listLoaded", lmws_list_loaded, NULL },
    { LIFE, LMWS_RPC, "getModelInfo", lmws_get_model_info, NULL },
    { LIFE, LMWS_RPC, "getLoadConfig", lmws_get_load_config, NULL },
    { LIFE, LMWS_RPC, "getBasePredictionConfig", lmws_get_base_prediction_config, NULL },
    { LIFE, LMWS_RPC, "getInstanceProcessingState", lmws_get_processing_state, NULL },
    { LIFE, LMWS_RPC, "unloadModel", lmws_unload_model, NULL },
    { LIFE, LMWS_RPC, "estimateModelUsage", lmws_estimate_usage, NULL },
    { MODELS, LMWS_RPC, "tokenize", lmws_tokenize, NULL },
    { MODELS, LMWS_RPC, "countTokens", lmws_count_tokens, NULL },
    { LMWS_LLM, LMWS_CHANNEL, "predict", lmws_predict, lmws_predict_message },
    { LMWS_LLM, LMWS_CHANNEL, "completeRawText", lmws_complete_raw_text, lmws_predict_message },
    { LMWS_LLM, LMWS_RPC, "applyPromptTemplate", lmws_apply_template, NULL },
    { LMWS_EMBEDDING, LMWS_RPC, "embedString", lmws_embed_string, NULL },

    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModels", lmws_list_downloaded, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModelVariants", lmws_list_variants, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "version", lmws_system_version, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "info", lmws_system_info, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "startHttpServer", lmws_system_start_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "stopHttpServer", lmws_system_stop_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "requestShutdown", lmws_system_shutdown, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "notify", lmws_system_notify, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "getExperimentFlags", lmws_system_experiment_flags, NULL },
    { LMWS_SYSTEM, LMWS_CHANNEL, "alive", lmws_system_alive, NULL },

    { LMWS_DIAGNOSTICS, LMWS_CHANNEL, "streamLogs", lmws_stream_logs,
      lmws_stream_logs_message },
    { LMWS_FILES, LMWS_RPC, "uploadFileBase64", lmws_upload_file, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "listEngines", lmws_list_engines, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "getEngineSelections", lmws_engine_selections, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "lmLinkStatus", lmws_link_status, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getAuthenticationStatus", lmws_authentication_status, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "isAuthenticated", lmws_is_authenticated, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getModelCatalog", lmws_model_catalog, NULL },
};

const struct lmws_endpoint *lmws_endpoint_find(enum lmws_namespace ns, enum lmws_op_kind kind,
                                               const char *name) {
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const struct lmws_endpoint *e = &endpoints[i];
        if ((e->namespaces & ns) && e->kind == kind && strcmp(e->name, name) == 0) return e;
    }
    return NULL;
}
