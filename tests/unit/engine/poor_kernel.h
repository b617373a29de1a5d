/* SPDX-License-Identifier: MIT */
/* poor_kernel.h - a kernel, or a container, that has not all of what a sandbox is made of. */
#ifndef DOZE_TEST_ENGINE_POOR_KERNEL_H
#define DOZE_TEST_ENGINE_POOR_KERNEL_H

#include <stdbool.h>

enum { HAS_LANDLOCK = 1, HAS_SECCOMP = 2 };

/* Skip the test, and say why, where the kernel has not all of these (HAS_…). Asks the kernel,
 * not the sandbox. */
void skip_without(int features);

/* From now on, for this process and those that it starts. Needs seccomp. */
void poor_kernel(bool has_landlock, bool has_seccomp);

#endif
