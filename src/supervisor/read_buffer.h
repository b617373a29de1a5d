/* SPDX-License-Identifier: MIT */
/* read_buffer.h - the buffer into which the pipes of workers are read. */
#ifndef DOZE_SUPERVISOR_READ_BUFFER_H
#define DOZE_SUPERVISOR_READ_BUFFER_H

#include <uv.h>

/* A uv_alloc_cb. All pipes share one buffer: the read callback must copy or pass on its bytes
 * before it returns. Loop's thread only. */
void read_buffer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf);

#endif
