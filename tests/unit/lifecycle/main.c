/* SPDX-License-Identifier: MIT */
#include "world.h"

int main(void) {
    return jit_tests() + ttl_tests() + evict_tests() + fit_tests() + explicit_tests() +
           unload_tests() + failure_tests() + shutdown_tests() + limit_tests() +
           explain_tests() + pressure_tests() + growth_tests() + device_tests() +
           reader_tests();
}
