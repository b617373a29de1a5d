/* SPDX-License-Identifier: MIT */
#include "engine/projector.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/log_capture.h"
#include "engine/projector_shim.h"

struct projector {
    mtmd_context *mtmd;
    bool non_causal;
    bool (*stop)(void *ctx); /* of the piece that is being computed; NULL: none is */
    void *stop_ctx;
    bool stopped;
};

/* ggml asks which results of the graph we want to look at: those that take long to make. After
 * each it asks whether to go on. */
static bool projector_on_node(struct ggml_tensor *node, bool ask, void *ctx) {
    struct projector *p = ctx;
    if (ask) return node->op == GGML_OP_MUL_MAT;
    if (p->stop && p->stop(p->stop_ctx)) p->stopped = true;
    return !p->stopped;
}

/* libmtmd says what went wrong in its log only. */
static bool load_failed(struct error *err) {
    const char *why = log_capture_take();
    bool memory = strstr(why, "alloc") || strstr(why, "out of memory");
    return error_set(err, memory ? ERR_NO_MEMORY : ERR_LOAD_FAILED,
                     "its projector cannot be loaded%s%.120s", *why ? ": " : "", why);
}

/* Positions in the context count tokens, one each. */
static bool can_be_used(const mtmd_context *mtmd, const struct llama_model *weights,
                        struct error *err) {
    char arch[64] = "";
    (void)llama_model_meta_val_str(weights, "general.architecture", arch, sizeof arch);
    if (!mtmd_support_vision(mtmd))
        return error_set(err, ERR_NOT_SUPPORTED, "its projector is for sound only");
    if (mtmd_decode_use_mrope(mtmd))
        return error_set(
            err, ERR_NOT_SUPPORTED,
            "its way of numbering positions in pictures (M-RoPE) is not supported");
    if (strncmp(arch, "deepseek4", 9) == 0)
        return error_set(err, ERR_NOT_SUPPORTED, "pictures of %s are not supported", arch);
    return true;
}

/* mtmd_init_from_file() checks this too, but then keeps what it has loaded for nobody. */
static bool belongs(const char *path, const struct llama_model *weights, struct error *err) {
    int width = projector_width(path), wanted = llama_model_n_embd_inp(weights);
    if (width == 0 || width == wanted) return true;
    return error_set(err, ERR_LOAD_FAILED,
                     "its projector cannot be loaded: it is another model's (its vectors have "
                     "%d numbers, the model's %d)",
                     width, wanted);
}

struct projector *projector_open(const char *path, const struct llama_model *weights,
                                 int threads, bool gpu, struct error *err) {
    if (!belongs(path, weights, err)) return NULL;
    struct mtmd_context_params params = mtmd_context_params_default();
    struct projector *p = xcalloc(1, sizeof *p);
    params.use_gpu = gpu;
    params.n_threads = threads;
    params.print_timings = false;
    params.warmup = gpu; /* which finds out what its kernels can; those of the CPU can all */
    if (!gpu) params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.cb_eval = projector_on_node;
    params.cb_eval_user_data = p;
    p->mtmd = mtmd_init_from_file(path, weights, params);
    if (p->mtmd ? can_be_used(p->mtmd, weights, err) : load_failed(err)) {
        p->non_causal = mtmd_decode_use_non_causal(p->mtmd, NULL);
        return p;
    }
    projector_close(p);
    return NULL;
}

void projector_close(struct projector *projector) {
    if (!projector) return;
    if (projector->mtmd) mtmd_free(projector->mtmd);
    free(projector);
}

void picture_encoding_clear(struct picture_encoding *encoding) {
    if (encoding->chunks) mtmd_input_chunks_free(encoding->chunks);
    free(encoding->vectors);
    *encoding = (struct picture_encoding){ 0 };
}

bool projector_is_non_causal(const struct projector *projector) {
    return projector->non_causal;
}

mtmd_input_chunks *projector_cut(const struct projector *projector,
                                 const struct picture *picture, size_t number,
                                 struct error *err) {
    mtmd_bitmap *bitmap = mtmd_bitmap_init(picture->width, picture->height, picture->rgb);
    mtmd_input_chunks *chunks = mtmd_input_chunks_init();
    const mtmd_input_part part = { .bitmap = bitmap }, *parts[] = { &part };
    int32_t status = mtmd_tokenize_from_parts(projector->mtmd, chunks, parts, 1, false);
    mtmd_bitmap_free(bitmap);
    if (status == 0) return chunks;
    mtmd_input_chunks_free(chunks);
    (void)error_set_param(
        err, ERR_INVALID_REQUEST, "messages",
        "Picture %zu of the conversation cannot be made ready for this model; "
        "send it in another size.",
        number);
    return NULL;
}

const float *projector_encode(struct projector *projector, const mtmd_input_chunk *chunk,
                              bool (*stop)(void *ctx), void *ctx, bool *ret_failed) {
    projector->stop = stop;
    projector->stop_ctx = ctx;
    projector->stopped = false;
    *ret_failed = mtmd_encode_chunk(projector->mtmd, chunk) != 0 && !projector->stopped;
    projector->stop = NULL;
    log_capture_mute(false); /* what stops it mutes it */
    return *ret_failed || projector->stopped ? NULL : mtmd_get_output_embd(projector->mtmd);
}
