#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tidy.py [ROOT] - clang-tidy over src/ and tools/ of the release build, two at a time.

A file that passed is not looked at again until it, a header of ours that it includes (directly or
not), or .clang-tidy changes: what passed is remembered by hash in build/check/tidy.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
BUILD = ROOT / "build/release/obj"
PASSED = ROOT / "build/check/tidy"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def closure(path, seen):
    """The file and all headers of ours that it includes."""
    if path in seen or not path.exists():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        for folder in (path.parent, ROOT / "src", ROOT / "tests", ROOT / "tools"):
            closure((folder / name).resolve(), seen)
    return seen


def fingerprint(path, command):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + command.encode())
    for part in sorted(closure(path, set())):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def tidy(entry):
    path = Path(entry["file"])
    mark = PASSED / fingerprint(path, entry["command"])
    if mark.exists():
        return True
    run = subprocess.run(["clang-tidy", "--quiet", "-p", str(BUILD), str(path),
                          "--extra-arg=-Wno-unknown-warning-option"],
                         capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if run.returncode == 0:
        mark.touch()
        return True
    print(f"{run.stdout}{run.stderr if not run.stdout else ''}", flush=True)
    return False


def main():
    database = BUILD / "compile_commands.json"
    entries = {e["file"]: e for e in json.loads(database.read_text())}
    ours = [e for f, e in sorted(entries.items())
            if f.startswith((str(ROOT / "src"), str(ROOT / "tools")))]
    PASSED.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        results = list(pool.map(tidy, ours))
    print(f"clang-tidy: {len(results)} files, {results.count(False)} with findings")
    return 1 if False in results else 0


sys.exit(main())
