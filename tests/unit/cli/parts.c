/* SPDX-License-Identifier: MIT */
#include "parts.h"

int main(void) {
    return run_parts() + run_sse() + run_docs() == 0 ? 0 : 1;
}
