/* SPDX-License-Identifier: MIT */
/* shim_error.h - what the C++ of the project makes of the library's exceptions. */
#ifndef DOZE_ENGINE_SHIM_ERROR_H
#define DOZE_ENGINE_SHIM_ERROR_H

#include <cstring>
#include <exception>
#include <new>
#include <string>

extern "C" {
#include "base/error.h"
}

/* A template's own error message, without the place in the template. */
inline std::string own_words(const std::string &text) {
    std::string words = text;
    for (const char *mark : { "\nError: ", "Jinja Exception: " }) {
        const size_t at = words.rfind(mark);
        if (at != std::string::npos) words.erase(0, at + strlen(mark));
    }
    return words;
}

inline void shim_error(struct error *err, enum err_code code, const char *what,
                       const std::exception &e) {
    const bool memory = dynamic_cast<const std::bad_alloc *>(&e) != nullptr;
    error_set(err, code, "%s: %s", what,
              memory ? "it takes too much memory" : own_words(e.what()).c_str());
}

#endif
