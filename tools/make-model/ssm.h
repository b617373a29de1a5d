/* SPDX-License-Identifier: MIT */
/* ssm.h - layers that remember by a state: Mamba's, alone or (Jamba) in turns with attention.
 */
#ifndef DOZE_TOOLS_SSM_H
#define DOZE_TOOLS_SSM_H

#include "shape.h"

/* Is layer i of this shape of the kind? */
bool ssm_is(const struct shape *shape, int i);

/* Write the keys, if any layer is. */
void ssm_store(const struct shape *shape, struct gguf_file *file);

/* Add the layer's tensors that stand in the place of attention. */
void ssm_add(const struct shape *shape, const struct layer_fills *fills, int i,
             struct gguf_file *file);

#endif
