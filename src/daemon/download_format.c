/* SPDX-License-Identifier: MIT */
#include "daemon/download_format.h"

#include "api/write.h"
#include "base/clock.h"
#include "base/json.h"
#include "daemon/events.h"

static void fill_files(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                       const struct download_view *view) {
    yyjson_mut_val *files = yyjson_mut_obj_add_arr(doc, obj, "files");
    for (size_t i = 0; i < view->file_count; i++) {
        yyjson_mut_val *file = yyjson_mut_arr_add_obj(doc, files);
        yyjson_mut_obj_add_strcpy(doc, file, "path", view->files[i].path);
        yyjson_mut_obj_add_uint(doc, file, "size_bytes", view->files[i].size);
    }
}

/* When it will end at its current rate; 0: unknown. */
static msec estimate_end(const struct download_view *view) {
    if (view->status != DOWNLOAD_RUNNING || view->rate <= 0) return 0;
    double left = (double)(view->total - view->done) / view->rate;
    return left < 1e9 ? clock_unix() + (msec)(left * 1000) : 0;
}

void download_fill(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct download_view *view) {
    if (view->id) yyjson_mut_obj_add_strcpy(doc, obj, "job_id", view->id);
    yyjson_mut_obj_add_str(doc, obj, "status", download_status_name(view->status));
    yyjson_mut_obj_add_uint(doc, obj, "total_size_bytes", view->total);
    yyjson_mut_obj_add_uint(doc, obj, "downloaded_bytes", view->done);
    yyjson_mut_obj_add_real(doc, obj, "bytes_per_second", view->rate);
    add_time(doc, obj, "estimated_completion", estimate_end(view));
    add_time(doc, obj, "started_at", view->id ? view->started_at : 0);
    add_time(doc, obj, "completed_at", view->completed_at);
    yyjson_mut_obj_add_strcpy(doc, obj, "model", view->repo);
    yyjson_mut_obj_add_strcpy(doc, obj, "quantization", view->quantization);
    yyjson_mut_obj_add_strcpy(doc, obj, "path", view->folder);
    fill_files(doc, obj, view);
    if (view->error) yyjson_mut_obj_add_strcpy(doc, obj, "error", view->error);
    if (view->status != DOWNLOAD_PLANNED) return;
    yyjson_mut_obj_add_bool(doc, obj, "fits", view->fits);
    yyjson_mut_obj_add_uint(doc, obj, "disk_free_bytes", view->disk_free);
}

void search_result_fill(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                        const struct search_result *result) {
    yyjson_mut_obj_add_strcpy(doc, obj, "model", result->repo);
    yyjson_mut_obj_add_uint(doc, obj, "downloads", result->downloads);
    yyjson_mut_obj_add_uint(doc, obj, "likes", result->likes);
    yyjson_mut_obj_add_strcpy(doc, obj, "quantization", result->quantization);
    yyjson_mut_obj_add_strcpy(doc, obj, "quantizations", result->quantizations);
    if (result->size == 0) return;
    yyjson_mut_obj_add_uint(doc, obj, "size_bytes", result->size);
    yyjson_mut_obj_add_bool(doc, obj, "fits", result->fits);
}

static void format_download(const void *subject, uint64_t seq, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (seq) yyjson_mut_obj_add_uint(doc, root, "seq", seq);
    download_fill(doc, root, subject);
    json_write_end(doc, out);
}

void download_publish(struct feed *events, const struct download_view *view) {
    struct feed_entry entry = { .event = "download",
                                .topics = EVENT_TOPIC_INSTANCES,
                                .subject = view,
                                .format = format_download };
    feed_publish(events, &entry, view->status == DOWNLOAD_RUNNING ? FEED_PASS : FEED_REMEMBER);
}
