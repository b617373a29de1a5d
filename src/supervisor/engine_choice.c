/* SPDX-License-Identifier: MIT */
#include "supervisor/engine_choice.h"

#include <stdio.h>

const char *const engine_words[ENGINE_KINDS] = {
    [ENGINE_AUTO] = "auto",
    [ENGINE_CPU] = "cpu",
    [ENGINE_VULKAN] = "vulkan",
    [ENGINE_CUDA] = "cuda",
};

static bool works(const struct engine_state *state) {
    return state->installed && !state->problem[0] && state->report.count > 0;
}

static const char asked[] = "It is being asked for its devices; look again in some seconds.";

static void say_why_not(enum engine_kind kind, const struct engine_state *state, char *out,
                        size_t size) {
    const char *name = engine_words[kind];
    if (!state->installed)
        snprintf(out, size, "It is not installed: `doze engine install %s` does that.", name);
    else if (state->asking || state->problem[0])
        snprintf(out, size, "%s", state->asking ? asked : state->problem);
    else
        snprintf(out, size, "It finds no device; is a driver installed for it?");
}

static struct engine_choice choose_named(enum engine_kind kind,
                                         const struct engine_state *state) {
    struct engine_choice choice = { .kind = kind, .why = "The setting 'engine' says so." };
    if (kind == ENGINE_CPU || works(state)) return choice;
    choice.kind = ENGINE_CPU;
    choice.fallback = !state->asking;
    say_why_not(kind, state, choice.why, sizeof choice.why);
    return choice;
}

/* CUDA is the faster one on the cards that it knows. */
static struct engine_choice choose_best(const struct engine_state states[ENGINE_KINDS],
                                        bool nvidia) {
    static const enum engine_kind order[] = { ENGINE_CUDA, ENGINE_VULKAN };
    struct engine_choice choice = { .kind = ENGINE_CPU };
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const struct engine_state *state = &states[order[i]];
        if (works(state)) {
            choice = (struct engine_choice){ .kind = order[i] };
            snprintf(choice.why, sizeof choice.why, "It finds %s.",
                     state->report.devices[0].description);
            return choice;
        }
        if (!state->installed || choice.why[0]) continue;
        const char *none = state->asking ? asked : "It finds no device.";
        choice.fallback = state->problem[0] != '\0';
        snprintf(choice.why, sizeof choice.why, "%s: %s", engine_words[order[i]],
                 choice.fallback ? state->problem : none);
    }
    if (choice.why[0]) return choice;
    snprintf(choice.why, sizeof choice.why, "%s",
             nvidia ? "There is an NVIDIA card; `doze engine install cuda` makes it usable."
                    : "No engine for graphics cards is installed (`doze engine install`).");
    return choice;
}

struct engine_choice engine_choose(enum engine_kind setting,
                                   const struct engine_state states[ENGINE_KINDS],
                                   bool nvidia) {
    if (setting == ENGINE_AUTO) return choose_best(states, nvidia);
    return choose_named(setting, &states[setting]);
}
