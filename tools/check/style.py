#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""style.py [ROOT] - rules that clang-format and the compiler do not know. Exits 1 naming file:line.

The first line is the licence; no banned function; no sleeping in tests; a file has at most 800
lines, a function at most 100 (over 60 it must say "Long:" and why in the comment above it). A line
of C has at most 96 columns, comments and strings too (clang-format sees to the code only); one of
a script, CMake, Python, TypeScript or CSS has 100. No TODO.
"""
import re
import sys
from pathlib import Path

MAX_FILE, MAX_FUNCTION, EXPLAIN = 800, 100, 60
C = {".c", ".h", ".cpp"}
JS = {".js", ".mjs", ".ts", ".tsx"}
OTHER = {".sh", ".py", ".cmake", ".css"}
NAMES = {"CMakeLists.txt", "Makefile", "run"}  # without an ending that says what they are
FOLDERS = (".ci", "cmake", "setup", "src", "tests", "tools", "web")
SKIP = {"node_modules", "dist", "corpus"}
MAX_LINE_C, MAX_LINE = 96, 100
LICENCE = "SPDX-License-Identifier: MIT"
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strncpy|gets|atoi|atol|atof|strtok|system|"
                    r"popen|alloca|tmpnam|mktemp|rand|srand|localtime|gmtime|asctime|ctime|"
                    r"inet_ntoa|readdir_r|longjmp|signal(?=\s*\(\w+, [^S]))\s*\(")
SLEEPING = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
SLEEPING_JS = re.compile(r"timers/promises|setTimeout\(\s*(r|res|resolve|done|ok)\s*,")
BARE_LIBRARY = re.compile(r"^\s*add_library\(\w+ (STATIC|SHARED|OBJECT)\b")
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b")
STRING = re.compile(r'"(\\.|[^"\\])*"')


def code_lines(text):
    """The lines with comments and string contents blanked, so that prose is not code."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    return [STRING.sub('""', line.split("//")[0]) for line in text.splitlines()]


def functions(lines):
    """(first, last) line numbers of every function: clang-format puts its ends in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.endswith("{") and re.match(r"[A-Za-z].*\)|\s+.*\) \{$", line) and start is None:
            start = number
        elif line.startswith("}"):
            if start is not None and line.strip() == "}":
                yield start, number
            start = None


def explained(raw, start):
    above = "\n".join(raw[max(0, start - 15):start])
    return "Long:" in above[above.rfind("/*"):] if "/*" in above else False


def check_c(text, in_tests):
    raw = text.splitlines()
    lines = code_lines(text)
    if len(raw) > MAX_FILE:
        yield MAX_FILE, f"{len(raw)} lines: split the file (at most {MAX_FILE})"
    for number, line in enumerate(lines, 1):
        match = BANNED.search(line)
        if match:
            yield number, f"{match.group(1)}() is banned"
        if in_tests and SLEEPING.search(line):
            yield number, "tests wait for events, they never sleep"
    for start, end in functions(lines):
        size = end - start + 1
        if size > MAX_FUNCTION:
            yield start, f"function of {size} lines (at most {MAX_FUNCTION})"
        elif size > EXPLAIN and not explained(raw, start):
            yield start, f'function of {size} lines: say "Long: why" above it, or split it'


def check_any(path, text):
    most = MAX_LINE_C if path.suffix in C else MAX_LINE
    lines = text.splitlines()
    first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not first or LICENCE not in first[0]:
        yield 1, f'the first line must say "{LICENCE}"'
    for number, line in enumerate(lines, 1):
        if len(line) > most:
            yield number, f"{len(line)} columns (at most {most})"
        if BARE_LIBRARY.match(line) and path.name == "CMakeLists.txt":
            yield number, "libraries are defined by doze_library()"
        if TODO.search(line) and path.name not in ("style.py", "selftest.sh"):
            yield number, "no TODO in the tree: do it, or open an issue"


def sources(root):
    """The files that the rules are for, and the folder below the root that each is in."""
    yield from ((path, "") for path in sorted(root.iterdir()) if path.name in NAMES)
    for top in FOLDERS:
        for path in sorted((root / top).rglob("*")):
            if SKIP & set(path.relative_to(root).parts) or not path.is_file():
                continue
            if path.suffix in C | JS | OTHER or path.name in NAMES:
                yield path, top


def findings(root):
    for path, top in sources(root):
        text = path.read_text()
        yield path, check_any(path, text)
        if path.suffix in C:
            yield path, check_c(text, top == "tests")
        elif path.suffix in JS and top == "tests" and SLEEPING_JS.search(text):
            line = text[:SLEEPING_JS.search(text).start()].count("\n") + 1
            yield path, [(line, "tests wait for events, they never sleep")]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    bad = 0
    for path, found in findings(root):
        for number, why in found:
            bad += 1
            print(f"{path.relative_to(root)}:{number}: {why}")
    print(f"style: {bad} violations")
    return 1 if bad else 0


sys.exit(main())
