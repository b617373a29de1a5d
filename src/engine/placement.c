/* SPDX-License-Identifier: MIT */
#include "engine/placement.h"

#include <ggml-backend.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/backends.h"
#include "engine/context.h"
#include "engine/lent.h"
#include "engine/log_capture.h"
#include "engine/measure.h"

/* Left for drivers, other programs and the buffers of a load: a sixteenth, at most 1 GiB. */
enum { MARGIN_SHARE = 16 };
#define MARGIN_MOST ((size_t)1 << 30)

/* Experts of one layer; the names are those of LLM_FFN_EXPS_REGEX in common.h. */
#define EXPERTS "blk\\.%d\\.ffn_(up|down|gate|gate_up)_(ch|)exps"
enum { EXPERTS_LAYERS_MAX = 512 };

/* ---- what the settings say ---- */

static void keep_experts(struct llama_model_params *params, int64_t layers,
                         struct placement *room) {
    static char patterns[EXPERTS_LAYERS_MAX][64];
    int64_t count = layers < EXPERTS_LAYERS_MAX ? layers : EXPERTS_LAYERS_MAX;
    for (int i = 0; i < count; i++) {
        snprintf(patterns[i], sizeof patterns[i], EXPERTS, i);
        room->overrides[i] = (struct llama_model_tensor_buft_override){
            .pattern = patterns[i], .buft = ggml_backend_cpu_buffer_type()
        };
    }
    room->overrides[count] = (struct llama_model_tensor_buft_override){ 0 };
    params->tensor_buft_overrides = room->overrides;
}

static bool fill_split(struct llama_model_params *params, const struct load_settings *s,
                       struct placement *room) {
    double sum = 0;
    for (int i = 0; i < LOAD_MAX_DEVICES; i++) {
        room->split[i] = (float)s->tensor_split.shares[i];
        sum += s->tensor_split.shares[i];
    }
    if (sum > 0) params->tensor_split = room->split;
    return sum > 0;
}

/* True: the settings say where things go. */
static bool place_as_said(struct llama_model_params *params, const struct load_settings *s,
                          struct placement *room) {
    bool said = s->gpu_layers >= 0;
    params->n_gpu_layers = (int32_t)s->gpu_layers;
    if (s->main_gpu >= 0) {
        params->split_mode = LLAMA_SPLIT_MODE_NONE;
        params->main_gpu = (int32_t)s->main_gpu;
    }
    if (fill_split(params, s, room)) said = true;
    if (s->num_cpu_experts > 0) {
        keep_experts(params, s->num_cpu_experts, room);
        said = true;
    }
    return said;
}

/* ---- what fits ---- */

static size_t margin_of(size_t total) {
    size_t margin = total / MARGIN_SHARE;
    return margin < MARGIN_MOST ? margin : MARGIN_MOST;
}

/* If the model may not take all memory, each device keeps a proportional part of the rest
 * free. */
static uint64_t widen_margins(struct placement *room, const size_t *usable, size_t count,
                              uint64_t allowed) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += usable[i];
    if (allowed == 0 || sum <= allowed) return sum;
    for (size_t i = 0; i < count; i++) {
        double part = (double)usable[i] / (double)sum * (double)allowed;
        room->margins[i] += usable[i] - (size_t)part;
    }
    return allowed;
}

/* Bytes that it may have on all devices; the margins are filled in. allowed 0: any. */
static uint64_t room_on_devices(struct placement *room, uint64_t allowed) {
    size_t n = 0, usable[PLACEMENT_DEVICES] = { 0 };
    for (size_t i = 0; i < ggml_backend_dev_count() && n < PLACEMENT_DEVICES; i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        size_t free_bytes = 0, total = 0;
        if (!backends_is_gpu(device)) continue;
        ggml_backend_dev_memory(device, &free_bytes, &total);
        room->margins[n] = margin_of(total);
        if (free_bytes > room->margins[n]) usable[n] = free_bytes - room->margins[n];
        n++;
    }
    return widen_margins(room, usable, n, allowed);
}

/* They lie beside the matrices that they are for, all of which may be on one device. */
static void keep_room_for_adapters(struct placement *room,
                                   const struct load_adapters *adapters) {
    struct stat st;
    size_t bytes = 0;
    for (int64_t i = 0; i < adapters->count; i++) {
        if (stat(adapters->list[i].path, &st) == 0) bytes += (size_t)st.st_size;
    }
    for (size_t i = 0; i < PLACEMENT_DEVICES; i++) room->margins[i] += bytes;
}

/* Of several devices each takes whole layers, so that a part of each stays free. */
static bool fits_whole(const struct load_message *request, uint64_t free_bytes) {
    uint64_t whole = (uint64_t)request->whole_bytes;
    return whole > 0 && whole < UINT64_MAX / 5 && whole / 4 * 5 <= free_bytes;
}

/* Without its device a model does not lend it large batches, either. */
static void use_no_device(struct llama_model_params *params) {
    static ggml_backend_dev_t none[] = { NULL };
    params->n_gpu_layers = 0;
    params->devices = none;
}

static void choose(struct llama_model_params *params, const struct load_message *request,
                   struct placement *room) {
    struct error err;
    struct llama_context_params context = llama_context_default_params();
    if (place_as_said(params, &request->settings, room) || !llama_supports_gpu_offload())
        return;
    uint64_t allowed = (uint64_t)request->device_bytes;
    if (fits_whole(request, room_on_devices(room, allowed))) return;
    struct llama_model_params fitted = *params, plain = llama_model_default_params();
    fitted.n_gpu_layers = plain.n_gpu_layers;
    if (!measure_context(request, *params, &context, &err)) return; /* the load will say why */
    keep_room_for_adapters(room, &request->settings.adapters);
    bool fits = placement_fit(request->path, &fitted, &context, room);
    (void)log_capture_take();
    if (fits)
        *params = fitted;
    else
        params->n_gpu_layers = 0;
}

void placement_choose(struct llama_model_params *params, const struct load_message *request,
                      struct placement *room) {
    choose(params, request, room);
    if (params->n_gpu_layers == 0) use_no_device(params);
}

bool placement_choose_lent(struct llama_model_params *params,
                           const struct load_message *request, struct placement *room,
                           struct error *err) {
    static ggml_backend_dev_t devices[2];
    struct llama_context_params context = llama_context_default_params();
    size_t lent = (size_t)request->lent_bytes, free_bytes = 0, total = 0;
    devices[0] = lent_device();
    if (!devices[0])
        return error_set(err, ERR_LOAD_FAILED,
                         "The node that lends memory runs another version "
                         "of doze; install the same on both.");
    ggml_backend_dev_memory(devices[0], &free_bytes, &total);
    room->margins[0] = free_bytes > lent ? free_bytes - lent : 0;
    params->devices = devices;
    if (!measure_context(request, *params, &context, err)) return false;
    keep_room_for_adapters(room, &request->settings.adapters);
    bool fits = placement_fit(request->path, params, &context, room);
    (void)log_capture_take();
    return (fits && params->n_gpu_layers != 0) ||
           error_set(err, ERR_NO_MEMORY,
                     "The memory that another node lends is too small for a part of the model; "
                     "raise its fleet.lend_memory.");
}
