/* SPDX-License-Identifier: MIT */
/* poor_kernel.h - a kernel, or a container, that has not all of what a sandbox is made of. */
#ifndef DOZE_TEST_ENGINE_POOR_KERNEL_H
#define DOZE_TEST_ENGINE_POOR_KERNEL_H

#include <stdbool.h>

/* From now on, for this process and those that it starts. */
void poor_kernel(bool has_landlock, bool has_seccomp);

#endif
