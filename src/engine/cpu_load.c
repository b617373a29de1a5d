/* SPDX-License-Identifier: MIT */
#include "engine/cpu_load.h"

static int least(int a, int b) {
    return a < b ? a : b;
}

void cpu_load_sample(struct cpu_load *load, int others, int64_t now) {
    int sample = others > 0 ? others : 0;
    load->others = least(sample, least(load->last, load->before));
    load->before = load->last;
    load->last = sample;
    load->at = now;
}

void cpu_load_restart(struct cpu_load *load, int others, int64_t now) {
    load->before = load->last = others > 0 ? others : 0;
    load->others = load->last;
    load->at = now;
}

int cpu_load_threads(const struct cpu_load *load, int most, int cores) {
    int threads = least(cores - load->others, most);
    return threads > 1 ? threads : 1;
}
