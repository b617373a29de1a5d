#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layers.py [ROOT] - who may include whom, as docs/design.md states it. Exits 1 naming file:line.

A folder of src/ may include its own headers, those of the folders named here, libc, and the
libraries named here. tests/ and tools/ may include every folder of ours.
"""
import re
import sys
from pathlib import Path

EVERYTHING = {"base", "lifecycle", "ipc", "prompts", "catalog", "load", "http", "api", "engine",
              "supervisor", "daemon", "cli", "hub", "fleet"}
TESTING = {"tests", "tools"}
FOLDERS = {  # folder: what it may include of ours: folders, or single headers
    "base": set(),
    "lifecycle": {"base/msec.h"},
    "ipc": {"base", "load"},
    "prompts": {"base"},
    "catalog": {"base", "load"},
    "load": {"base"},
    "hub": {"base", "catalog"},
    "http": {"base"},
    "fleet": {"base", "api"},
    "api": {"base", "load"},
    "engine": {"base", "ipc", "load", "prompts"},
    "supervisor": {"base", "lifecycle", "ipc", "prompts", "catalog", "load", "api/service.h",
                   # refuses what its workers would
                   "engine/prompt_length.h", "engine/request.h", "engine/rules.h"},
    "daemon": EVERYTHING - {"engine", "cli"},
    "cli": {"base", "daemon/serve.h", "load/load_settings.h", "catalog/gguf_file.h",
            "catalog/model_files.h", "api/sampling_range.h"},
}
DIALECTS = {  # folder of src/api: the other dialects it may build on; none knows the rest
    # /api/v0 is OpenAI's with statistics; /api/v1/chat keeps conversations as Responses does
    "lmstudio_rest": {"openai", "responses"},
    "responses": {"openai"},      # its errors are OpenAI's
    "rerank": {"openai"},         # so are these
    "decisions": {"openai"},      # and these
}
LIBRARIES = {  # a library's headers: the folders that may name them
    r"llguidance\.h": {"engine"},
    r"yyjson\.h": EVERYTHING - {"lifecycle"} | TESTING,
    r"uv(/.*)?\.h": {"http", "hub", "supervisor", "daemon", "fleet"} | TESTING,
    r"llhttp\.h": {"http"} | TESTING,
    r"wslay/.*": {"http"} | TESTING,
    r"zlib\.h": {"http"} | TESTING,
    r"openssl/.*": {"http"} | TESTING,
    r"nettle/.*": {"http", "api", "daemon", "hub", "engine", "fleet"} | TESTING,
    r"stb/.*": {"engine"},
    r"curl/.*": {"base"} | TESTING,
    r"histedit\.h": {"cli"} | TESTING,
    r"sqlite3\.h": {"daemon"} | TESTING,
    r"xxhash\.h": {"prompts"} | TESTING,
    r"(llama|ggml|gguf|mtmd)[^/]*\.h": {"engine", "tools"},
    r"(common|chat|sampling|json-schema-to-grammar|jinja|peg-parser|arg|log)(/.*)?\.h(pp)?":
        {"engine", "tools"},
    r"nlohmann/.*": {"engine", "tools"},
    r"cmocka\.h": {"tests"},
}
# lifecycle/ and placement are pure: of libc only what cannot allocate, do I/O or read a clock.
PURE = ("src/lifecycle/", "src/fleet/placement.", "src/fleet/placement_estimate.",
        "src/fleet/placement_loan.")
PURE_LIBC = {"assert.h", "inttypes.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
PURE_BANNED = re.compile(
    r"\b(malloc|calloc|realloc|free|printf|fprintf|time|clock_gettime|rand)\s*\(")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaint_own(folder, header):
    """Why src/<folder> may not include one of our headers; None if it may."""
    owner = header.split("/")[0]
    allowed = FOLDERS.get(folder, EVERYTHING)
    if owner == folder or owner in allowed or header in allowed:
        return None
    names = ", ".join(sorted(allowed)) or "nothing of ours"
    return f"src/{folder} may use {names}"


def complaint_dialect(parts, header):
    """Why src/api/<dialect>/... may not include a header of another dialect; None if it may."""
    if parts[:2] != ("src", "api") or not header.startswith("api/"):
        return None
    own = parts[2] if len(parts) > 3 else ""
    allowed = {own} | DIALECTS.get(own, set())
    owner = header.split("/")[1] if header.count("/") > 1 else own
    return None if owner in allowed else f"src/api/{own} knows no other dialect"


def pure_part(root, path):
    """What of PURE the file belongs to; None if it is no part of it."""
    name = path.relative_to(root).as_posix()
    return next((part.rstrip("/.") for part in PURE if name.startswith(part)), None)


def complaint_library(folder, header, pure):
    if pure and header not in PURE_LIBC:
        return f"{pure} is pure: of libc only " + ", ".join(sorted(PURE_LIBC))
    for pattern, allowed in LIBRARIES.items():
        if re.fullmatch(pattern, header) and folder not in allowed:
            return "only " + ", ".join(sorted(allowed)) + " may name this library"
    return None


def complaint_ours(root, folder, path, header):
    return complaint_own(folder, header) or complaint_dialect(path.relative_to(root).parts, header)


def complaint(root, folder, path, line):
    match = INCLUDE.match(line)
    pure = pure_part(root, path)
    if not match:
        if pure and PURE_BANNED.search(line.split("/*")[0]):
            return f"{pure} is pure: no allocation, I/O, clock or chance"
        return None
    bracket, header = match.groups()
    if bracket == '"' and header.split("/")[0] in EVERYTHING and "/" in header:
        return complaint_ours(root, folder, path, header)
    if bracket == '"' and (path.parent / header).exists():
        parts = (path.parent / header).resolve().relative_to(root).parts
        if parts[0] != "src":
            return None
        return complaint_ours(root, folder, path, "/".join(parts[1:]))
    return complaint_library(folder, header, pure)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    files = bad = 0
    for top in ("src", "tools", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".c", ".h", ".cpp") or "node_modules" in path.parts:
                continue
            files += 1
            folder = path.relative_to(root / top).parts[0] if top == "src" else top
            for number, line in enumerate(path.read_text().splitlines(), 1):
                why = complaint(root, folder, path, line)
                if why:
                    bad += 1
                    print(f"{path.relative_to(root)}:{number}: {line.strip()}: {why}")
    print(f"layers: {files} files, {bad} violations")
    return 1 if bad else 0


sys.exit(main())
