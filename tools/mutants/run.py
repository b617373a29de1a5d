#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py LIST BUILD [NAME…] - seed the bugs of a list, one at a time; its judges must catch each.

LIST is a file of this folder. Its lines, by tabs:

  judge    TARGET  [ARGUMENTS]  a program of the build that must fail, the cheapest first
  program  TARGET  VARIABLE     a program that judges start; the variable names the changed one
  NAME     FILE    SED COMMAND  a bug: FILE, below src/, changed by sed

BUILD is the folder of a finished build: only the changed file is compiled, with its flags there,
and linked with the objects there. A bug must change its file and compile, else the list no longer
fits the code, which is an error like a bug that no judge catches. With NAMEs only those bugs are
seeded.
"""
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds for a judge without a bug
LEAST = 10      # a bug may hang its judge: it is given this many seconds, and TIMES as long as
TIMES = 5       # it takes without a bug
FEWEST = 20     # bugs in a list


class Unfit(Exception):
    """The list does not fit the code."""


def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, errors="replace", check=False, **more)


def fails(command, patience, **more):
    """True if the judge fails or hangs; ends it at the first test that fails."""
    judge = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    watch = threading.Timer(patience, judge.kill)
    watch.start()
    try:
        failed = any("[  FAILED  ]" in line for line in judge.stdout)
        if failed:
            judge.kill()
        return judge.wait() != 0 or failed
    finally:
        watch.cancel()


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.compiles = {}
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            self.compiles.setdefault(entry["file"], []).append(shlex.split(entry["command"]))
        self.links = {}

    def link_of(self, target):
        """The words of the command that links the program."""
        if target not in self.links:
            out = run(["ninja", "-t", "commands", target], cwd=self.folder).stdout
            words = shlex.split(out.strip().splitlines()[-1])
            if words[0] != ":" or "-o" not in words:
                raise Unfit(f"{target}: no such program in {self.folder}")
            self.links[target] = words[2:-2]  # without ": &&" and "&& :"
        return self.links[target]

    def libraries(self, target):
        return ":".join(w[2:] for w in self.link_of(target) if w.startswith("-L"))

    def relink(self, target, source, changed, out):
        """The program linked with the changed source, in folder out; None if it has no part."""
        words, has_part = list(self.link_of(target)), False
        for compile_words in self.compiles[str(source)]:
            thing = compile_words[compile_words.index("-o") + 1]
            folder, owner = thing.split("/CMakeFiles/")[0], thing.split("/CMakeFiles/")[1]
            archive = f"{folder}/lib{owner.split('.dir/')[0]}.a"
            if thing not in words and archive not in words:
                continue
            has_part = True
            mine = out / (thing.replace("/", "_"))
            self.compile(compile_words, changed, mine)
            if thing in words:
                words[words.index(thing)] = str(mine)
            else:  # before the library, whose own object is then not wanted
                words.insert(words.index(archive), str(mine))
        if not has_part:
            return None
        program = out / target
        words[words.index("-o") + 1] = str(program)
        linked = run(words, cwd=self.folder)
        if linked.returncode:
            raise Unfit(f"{target} does not link: {linked.stdout[-800:]}")
        return program

    def compile(self, words, changed, out):
        if out.exists():
            return
        words = list(words)
        words[words.index("-o") + 1] = str(out)
        words[words.index("-c") + 1] = str(changed)
        made = run(words + ["-w"], cwd=self.folder)
        if made.returncode:
            raise Unfit(f"does not compile: {made.stdout[-800:]}")


class Bugs:
    def __init__(self, path):
        self.judges, self.programs, self.bugs = [], [], []
        self.patience = {}  # by judge's target
        for line in path.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            what, first, rest = (line.split("\t", 2) + [""])[:3]
            if what == "judge":
                self.judges.append((first, rest.split()))
            elif what == "program":
                self.programs.append((first, rest))
            else:
                self.bugs.append((what, first, rest))


def changed_programs(bugs, build, source, changed, out):
    """The environment with which judges start the changed programs; None if none has a part."""
    environment = {}
    for target, variable in bugs.programs:
        program = build.relink(target, source, changed, out)
        if program:
            environment[variable] = str(program)
            environment["LD_LIBRARY_PATH"] = build.libraries(target)
    return environment or None


def caught_by(bugs, build, source, changed, out):
    """The first judge that fails, or None. Programs are linked only for a judge without a part."""
    started = False
    for target, arguments in bugs.judges:
        program, environment = build.relink(target, source, changed, out), {}
        if not program:
            if started is False:
                started = changed_programs(bugs, build, source, changed, out)
            if started is None:
                continue
            program, environment = build.folder / "tests" / target, started
        environment = {"LD_LIBRARY_PATH": build.libraries(target), **os.environ, **environment}
        if fails([program] + arguments, bugs.patience[target], env=environment):
            return target.removeprefix("test-")
    return None


def seed(bug, changed):
    """Writes the bug's file with the bug in it."""
    _, file, edit = bug
    text = (ROOT / "src" / file).read_bytes()
    made = subprocess.run(["sed", edit], input=text, stdout=subprocess.PIPE, check=True).stdout
    if made == text:
        raise Unfit(f"no longer changes {file}")
    if changed:
        changed.write_bytes(made)


def fits(bug):
    try:
        seed(bug, None)
        return True
    except (Unfit, OSError, subprocess.CalledProcessError) as error:
        print(f"{bug[0]}: {error}", flush=True)
        return False


def share_of(bugs):
    """The bugs to seed: all, or the share that the environment asks for."""
    every = int(os.environ.get("MUTANTS_SHARE") or 1)
    commit = run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT).stdout.strip()
    return bugs[(int(commit) if commit.isdigit() else 0) % every::every]


def try_bug(bugs, build, folder, bug):
    """True if it was caught."""
    name, file, _ = bug
    source, out = ROOT / "src" / file, folder / name
    out.mkdir(parents=True, exist_ok=True)
    changed = out / source.name
    try:
        seed(bug, changed)
        judge = caught_by(bugs, build, source, changed, out)
    except (Unfit, subprocess.CalledProcessError) as error:
        print(f"{name}: {error}", flush=True)
        return False
    finally:
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
    print(f"{name}: caught by {judge}" if judge else f"{name}: SURVIVED", flush=True)
    return judge is not None


def passes_without(bugs, build, judge):
    """True if the judge passes without a bug; how long it takes says when one hangs it."""
    target, arguments = judge
    begun = time.monotonic()
    result = run([build.folder / "tests" / target] + arguments, timeout=PATIENCE)
    bugs.patience[target] = LEAST + TIMES * (time.monotonic() - begun)
    if result.returncode:
        print(f"without any bug {target} fails already:\n{result.stdout[-2000:]}")
    return result.returncode == 0


def main():
    path, folder, names = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    bugs, build = Bugs(path), Build(folder)
    chosen = [bug for bug in bugs.bugs if bug[0] in names] if names else share_of(bugs.bugs)
    doubled = len({bug[0] for bug in bugs.bugs}) != len(bugs.bugs)
    if doubled or len(bugs.bugs) < FEWEST or not chosen:
        print(f"{path.name}: fewer than {FEWEST} bugs, or two with the same name")
        return 1
    if not all([fits(bug) for bug in bugs.bugs]):
        return 1
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        if not all(pool.map(lambda judge: passes_without(bugs, build, judge), bugs.judges)):
            return 1
        out = folder / "mutants" / path.stem
        results = list(pool.map(lambda bug: try_bug(bugs, build, out, bug), chosen))
    print(f"{len(results)} of {len(bugs.bugs)} bugs seeded, {results.count(True)} caught")
    return 0 if all(results) else 1


sys.exit(main())
