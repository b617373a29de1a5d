/* SPDX-License-Identifier: MIT */
/* projector_shim.h - the C interface of what mtmd tells about a projector only in C++. */
#ifndef DOZE_ENGINE_PROJECTOR_SHIM_H
#define DOZE_ENGINE_PROJECTOR_SHIM_H

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers in each of the vectors that the file's projector makes; its weights are not read. 0:
 * it cannot be opened, or sees no pictures. */
int projector_width(const char *path);

#ifdef __cplusplus
}
#endif

#endif
