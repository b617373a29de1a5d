/* SPDX-License-Identifier: MIT */
/* download_format.h - downloads and search results as JSON: answers and events. */
#ifndef DOZE_DAEMON_DOWNLOAD_FORMAT_H
#define DOZE_DAEMON_DOWNLOAD_FORMAT_H

#include <yyjson.h>

#include "daemon/feed.h"
#include "hub/downloads.h"

/* Fill an object: LM Studio's fields (POST /api/v1/models/download and its status), then
 * doze's: model, quantization, path, files, error; for a plan also fits and disk_free_bytes.
 * Copies. */
void download_fill(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct download_view *view);

void search_result_fill(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                        const struct search_result *result);

/* Publish the event "download", which is not remembered unless the download has ended. */
void download_publish(struct feed *events, const struct download_view *view);

#endif
