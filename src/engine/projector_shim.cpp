/* SPDX-License-Identifier: MIT */
#include "engine/projector_shim.h"

#include <vector>

#include <clip.h>

int projector_width(const char *path) {
    clip_context_params params = {};
    params.flash_attn_type = CLIP_FLASH_ATTN_TYPE_DISABLED;
    params.image_min_tokens = params.image_max_tokens = -1; /* as the file says */
    params.no_alloc = true;
    const clip_init_result result = clip_init(path, params);
    const int width = result.ctx_v ? clip_n_mmproj_embd(result.ctx_v) : 0;
    for (clip_ctx *ctx : { result.ctx_v, result.ctx_a, result.ctx_gen_a })
        if (ctx) clip_free(ctx);
    return width;
}
