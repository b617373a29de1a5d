/* SPDX-License-Identifier: MIT */
#include "engine/fingerprint.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "prompts/entry.h"

/* Metadata and tensor index of every known model are shorter: nearly all of it is the
 * vocabulary, 6 MB for one of 152,000 tokens. */
enum { HEAD = 16 << 20 };

static bool add_file(const char *path, struct buf *out) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = fstat(fd, &st) == 0 && st.st_size > 0;
    size_t len = ok && st.st_size < HEAD ? (size_t)st.st_size : HEAD;
    void *map = ok ? mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED) return false;
    (void)buf_addf(out, "%lld %lld.%09ld %016llx\n", (long long)st.st_size,
                   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                   (unsigned long long)entry_sum(map, len));
    munmap(map, len);
    return true;
}

static int split_count(const struct llama_model *weights) {
    char text[16];
    if (llama_model_meta_val_str(weights, "split.count", text, sizeof text) <= 0) return 1;
    long n = strtol(text, NULL, 10);
    return n > 1 && n < 10000 ? (int)n : 1;
}

/* All parts of a split set; path is its first. */
static bool add_files(const struct model *model, const char *path, struct buf *out) {
    int parts = split_count(model->weights);
    char prefix[4096], part[4200];
    if (parts == 1 || llama_split_prefix(prefix, sizeof prefix, path, 0, parts) <= 0) {
        return add_file(path, out);
    }
    for (int i = 0; i < parts; i++) {
        llama_split_path(part, sizeof part, prefix, i, parts);
        if (!add_file(part, out)) return false;
    }
    return true;
}

/* Contexts of one length at least have the same set of rope factors (model_has_long_rope). */
static uint32_t rope_length(const struct model *model, const struct context *context) {
    return model_has_long_rope(model->weights) ? llama_n_ctx_seq(context->llama) : 0;
}

static void add_settings(const struct model *model, const struct context *context,
                         const struct load_settings *s, struct buf *out) {
    (void)buf_addf(out, "settings=%016llx flash=%d length=%u window=%d\n",
                   (unsigned long long)load_settings_state_hash(s), context->flash_attention,
                   rope_length(model, context), model->window);
}

static bool add_adapters(const struct load_adapters *adapters, struct buf *out) {
    for (int64_t i = 0; i < adapters->count; i++) {
        if (!add_file(adapters->list[i].path, out)) return false;
    }
    return true;
}

bool fingerprint_make(const struct model *model, const struct context *context,
                      const struct load_message *request, unsigned char ret[FINGERPRINT_SIZE]) {
    struct buf file = BUF_INIT(1 << 20), settings = BUF_INIT(4096);
    unsigned char half[FINGERPRINT_SIZE];
    bool ok = add_files(model, request->path, &file) &&
              (!model->projector || add_file(request->projector, &file)) &&
              add_adapters(&request->settings.adapters, &settings);
    if (ok) {
        (void)buf_addf(&file, "%s\n", llama_version());
        add_settings(model, context, &request->settings, &settings);
        entry_fingerprint(buf_str(&file), file.len, half);
        memcpy(ret, half, FINGERPRINT_SIZE / 2);
        entry_fingerprint(buf_str(&settings), settings.len, half);
        memcpy(ret + FINGERPRINT_SIZE / 2, half, FINGERPRINT_SIZE / 2);
    }
    buf_clear(&file);
    buf_clear(&settings);
    return ok;
}
