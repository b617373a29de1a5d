/* SPDX-License-Identifier: MIT */
#include "ssm.h"

#include <math.h>
#include <string.h>

/* Mamba's own proportions. */
enum { CONV = 4, STATE = 16, EXPANSION = 2, STEP_PART = 16 };

/* The state falls to a third within some 15 tokens, and the convolution's parts add up to 1. */
#define DECAY (-0.25f)
#define STEP (-1.0f)
#define CONV_DEVIATION 0.5f

bool ssm_is(const struct shape *shape, int i) {
    if (strcmp(shape->arch, "mamba") == 0) return true;
    return strcmp(shape->arch, "jamba") == 0 && i % 2 == 0;
}

static int64_t inner(const struct shape *shape) {
    return EXPANSION * shape->embd;
}

static int64_t step_rank(const struct shape *shape) {
    return (shape->embd + STEP_PART - 1) / STEP_PART;
}

void ssm_store(const struct shape *shape, struct gguf_file *file) {
    if (!ssm_is(shape, 0)) return;
    gguf_file_u32(file, "ssm.conv_kernel", CONV);
    gguf_file_u32(file, "ssm.inner_size", (uint32_t)inner(shape));
    gguf_file_u32(file, "ssm.state_size", STATE);
    gguf_file_u32(file, "ssm.time_step_rank", (uint32_t)step_rank(shape));
}

static void add_norms(const struct shape *shape, int i, struct gguf_file *file) {
    const struct fill one = { .value = 1 };

    gguf_file_tensor(file, GGML_TYPE_F32, step_rank(shape), 0, one, "blk.%d.ssm_dt_norm.weight",
                     i);
    gguf_file_tensor(file, GGML_TYPE_F32, STATE, 0, one, "blk.%d.ssm_b_norm.weight", i);
    gguf_file_tensor(file, GGML_TYPE_F32, STATE, 0, one, "blk.%d.ssm_c_norm.weight", i);
}

void ssm_add(const struct shape *shape, const struct layer_fills *fills, int i,
             struct gguf_file *file) {
    const struct fill one = { .value = 1 }, zero = { 0 };
    const struct fill steps = { .deviation = 1 / sqrtf((float)step_rank(shape)) };
    int64_t embd = shape->embd, width = inner(shape);
    enum ggml_type type = shape->type, plain = GGML_TYPE_F32;

    gguf_file_tensor(file, type, embd, 2 * width, fills->v, "blk.%d.ssm_in.weight", i);
    gguf_file_tensor(file, plain, CONV, width, (struct fill){ .deviation = CONV_DEVIATION },
                     "blk.%d.ssm_conv1d.weight", i);
    gguf_file_tensor(file, plain, width, 0, zero, "blk.%d.ssm_conv1d.bias", i);
    gguf_file_tensor(file, type, width, step_rank(shape) + 2 * STATE, fills->v,
                     "blk.%d.ssm_x.weight", i);
    if (strcmp(shape->arch, "jamba") == 0) add_norms(shape, i, file);
    gguf_file_tensor(file, plain, step_rank(shape), width, steps, "blk.%d.ssm_dt.weight", i);
    gguf_file_tensor(file, plain, width, 0, (struct fill){ .value = STEP },
                     "blk.%d.ssm_dt.bias", i);
    gguf_file_tensor(file, plain, STATE, width, (struct fill){ .value = DECAY }, "blk.%d.ssm_a",
                     i);
    gguf_file_tensor(file, plain, width, 0, one, "blk.%d.ssm_d", i);
    gguf_file_tensor(file, type, width, embd, fills->out, "blk.%d.ssm_out.weight", i);
}
