/* SPDX-License-Identifier: MIT */
/* table.c - the endpoints by namespace and kind. Any other is answered with an error. */
#include <string.h>

#include "api/lmstudio_ws/handlers.h"

#define KINDS (LMWS_LLM | LMWS_EMBEDDING)
#define LIFE (KINDS | LMWS_DECISION)

/* What an API key needs. */
#define ANY PERMISSION_ANY
#define ADMIN PERMISSION_ADMIN
#define INFERENCE PERMISSION_INFERENCE
#define MODELS PERMISSION_MODELS
#define EVENTS PERMISSION_EVENTS

static const struct lmws_endpoint endpoints[] = {
    { LIFE, LMWS_CHANNEL, "loadModel", MODELS, lmws_load_model, lmws_load_message },
    { LIFE, LMWS_CHANNEL, "getOrLoad", INFERENCE, lmws_get_or_load, lmws_load_message },
    { LIFE, LMWS_RPC, "listLoaded", ANY, lmws_list_loaded, NULL },
    { LIFE, LMWS_RPC, "getModelInfo", ANY, lmws_get_model_info, NULL },
    { LIFE, LMWS_RPC, "getLoadConfig", ANY, lmws_get_load_config, NULL },
    { LIFE, LMWS_RPC, "getBasePredictionConfig", ANY, lmws_get_base_prediction_config, NULL },
    { LIFE, LMWS_RPC, "getInstanceProcessingState", ANY, lmws_get_processing_state, NULL },
    { LIFE, LMWS_RPC, "unloadModel", MODELS, lmws_unload_model, NULL },
    { LIFE, LMWS_RPC, "estimateModelUsage", INFERENCE, lmws_estimate_usage, NULL },
    { KINDS, LMWS_RPC, "tokenize", INFERENCE, lmws_tokenize, NULL },
    { KINDS, LMWS_RPC, "countTokens", INFERENCE, lmws_count_tokens, NULL },
    { LMWS_LLM, LMWS_CHANNEL, "predict", INFERENCE, lmws_predict, lmws_predict_message },
    { LMWS_LLM, LMWS_CHANNEL, "completeRawText", INFERENCE, lmws_complete_raw_text,
      lmws_predict_message },
    { LMWS_LLM, LMWS_RPC, "applyPromptTemplate", INFERENCE, lmws_apply_template, NULL },
    { LMWS_EMBEDDING, LMWS_RPC, "embedString", INFERENCE, lmws_embed_string, NULL },

    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModels", ANY, lmws_list_downloaded, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "listDownloadedModelVariants", ANY, lmws_list_variants, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "version", ANY, lmws_system_version, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "info", ANY, lmws_system_info, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "startHttpServer", ADMIN, lmws_system_start_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "stopHttpServer", ADMIN, lmws_system_stop_http, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "requestShutdown", ADMIN, lmws_system_shutdown, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "notify", ANY, lmws_system_notify, NULL },
    { LMWS_SYSTEM, LMWS_RPC, "getExperimentFlags", ANY, lmws_system_experiment_flags, NULL },
    { LMWS_SYSTEM, LMWS_CHANNEL, "alive", ANY, lmws_system_alive, NULL },

    { LMWS_DIAGNOSTICS, LMWS_CHANNEL, "streamLogs", EVENTS, lmws_stream_logs,
      lmws_stream_logs_message },
    { LMWS_FILES, LMWS_RPC, "uploadFileBase64", INFERENCE, lmws_upload_file, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "listEngines", ANY, lmws_list_engines, NULL },
    { LMWS_RUNTIME, LMWS_RPC, "getEngineSelections", ANY, lmws_engine_selections, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "lmLinkStatus", ANY, lmws_link_status, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getAuthenticationStatus", ANY, lmws_authentication_status,
      NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "isAuthenticated", ANY, lmws_is_authenticated, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getModelCatalog", ANY, lmws_model_catalog, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "searchModels", MODELS, lmws_search_models, NULL },
    { LMWS_REPOSITORY, LMWS_RPC, "getModelDownloadOptions", MODELS, lmws_download_options,
      NULL },
    { LMWS_REPOSITORY, LMWS_CHANNEL, "downloadModel", MODELS, lmws_download_model,
      lmws_download_message },
    { LMWS_REPOSITORY, LMWS_RPC, "fuzzyFindStaffPicks", MODELS, lmws_find_staff_picks, NULL },
    { LMWS_REPOSITORY, LMWS_CHANNEL, "createDownloadPlan", MODELS, lmws_create_download_plan,
      lmws_download_plan_message },
};

const struct lmws_endpoint *lmws_endpoint_find(enum lmws_namespace ns, enum lmws_op_kind kind,
                                               const char *name) {
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const struct lmws_endpoint *e = &endpoints[i];
        if ((e->namespaces & ns) && e->kind == kind && strcmp(e->name, name) == 0) return e;
    }
    return NULL;
}
