#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tidy.py [ROOT] - clang-tidy over src/ and tools/ of the release build, two at a time.

A file that passed is not looked at again until it, a header that it was compiled with, its command,
.clang-tidy, clang-tidy or this script changes. What passed is remembered by hash, for a fresh clone
too, in $XDG_CACHE_HOME/doze/tidy; in ~/.cache/doze/tidy if that is not set.
"""
import functools
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
BUILD = ROOT / "build/release/obj"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PASSED = CACHE / "doze/tidy"
KEPT = 30 * 86400  # seconds since it was of use


def output_of(*command):
    return subprocess.run(command, cwd=BUILD, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True, check=True).stdout


def compiled_from():
    """The files that ninja knows each object was compiled from, headers of the system too."""
    found = {}
    for line in output_of("ninja", "-t", "deps").splitlines():
        if line.startswith(" "):
            files.append(BUILD / line.strip())
        elif ": #deps" in line:
            files = found.setdefault(line.split(": #deps")[0], [])
    return found


@functools.cache
def sum_of(path):
    return hashlib.sha256(path.read_bytes()).digest()


class Tidy:
    def __init__(self):
        self.compiled_from = compiled_from()
        self.same_for_all = b"".join([
            sum_of(ROOT / ".clang-tidy"), sum_of(Path(__file__).resolve()),
            output_of("clang-tidy", "--version").encode()])

    def mark_of(self, entry):
        """What tells that the file has passed as it is; None if its headers may be others now."""
        words = shlex.split(entry["command"])
        made = words[words.index("-o") + 1]
        files = self.compiled_from.get(made, [])
        command = entry["command"].replace(str(ROOT), "")
        digest = hashlib.sha256(self.same_for_all + command.encode())
        try:
            at = (BUILD / made).stat().st_mtime
            if not files or any(path.stat().st_mtime > at for path in files):
                return None
            for path in files:
                digest.update(sum_of(path))
        except FileNotFoundError:
            return None
        return PASSED / digest.hexdigest()

    def passes(self, entry):
        mark = self.mark_of(entry)
        if mark and mark.exists():
            mark.touch()
            return True
        run = subprocess.run(["clang-tidy", "--quiet", "-p", str(BUILD), entry["file"],
                              "--extra-arg=-Wno-unknown-warning-option"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if run.returncode == 0:
            if mark:
                mark.touch()
            return True
        print(f"{run.stdout}{run.stderr if not run.stdout else ''}", flush=True)
        return False


def forget_old():
    for mark in PASSED.iterdir():
        if mark.stat().st_mtime < time.time() - KEPT:
            mark.unlink()


def main():
    database = BUILD / "compile_commands.json"
    entries = {e["file"]: e for e in json.loads(database.read_text())}
    ours = [e for f, e in sorted(entries.items())
            if f.startswith((str(ROOT / "src"), str(ROOT / "tools")))]
    PASSED.mkdir(parents=True, exist_ok=True)
    tidy = Tidy()
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        results = list(pool.map(tidy.passes, ours))
    forget_old()
    print(f"clang-tidy: {len(results)} files, {results.count(False)} with findings")
    return 1 if False in results else 0


sys.exit(main())
