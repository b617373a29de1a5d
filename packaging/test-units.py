#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-units.py DOZE MAKE_MODEL - the units: do they parse, is the system unit closed enough, and
does a worker still have its sandbox below the system unit's filter of system calls? Are the metrics
of that server what Prometheus wants?

Needs systemd-analyze and libseccomp.so.2, which comes with systemd; systemd itself need not run.
The metrics are checked where promtool is. As root the server runs as nobody, like the unit's user,
who has no capabilities.
"""
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

UNITS = Path(__file__).parent / "systemd"
SYSTEM_UNIT = UNITS / "system/doze.service"
MOST_EXPOSED = 2.5
ALLOW, EPERM = 0x7FFF0000, 0x00050000 | 1
NOBODY = 65534


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)


def check_syntax():
    """ExecStart= need not exist here."""
    for unit in sorted(UNITS.glob("*/doze.*")):
        scope = "--user" if unit.parent.name == "user" else "--system"
        said = analyze("verify", scope, "--man=no", "--recursive-errors=no", str(unit)).stderr
        wrong = [line for line in said.splitlines() if "doze." in line and
                 "is not executable" not in line]
        assert not wrong, wrong
        print(f"{unit.relative_to(UNITS)}: parses")


def check_exposure():
    said = analyze("security", "--offline=true", "--no-pager", str(SYSTEM_UNIT))
    level = float(re.search(r"Overall exposure level.*: ([\d.]+)", said.stdout)[1])
    assert level < MOST_EXPOSED, f"{level} of at most {MOST_EXPOSED}:\n{said.stdout}"
    print(f"exposure level {level}, below {MOST_EXPOSED}")


def calls_of(name):
    """The system calls of a set of systemd's, or of one name."""
    if not name.startswith("@"):
        return {name}
    lines = [line.strip() for line in analyze("syscall-filter", name).stdout.splitlines()[1:]]
    return {call for line in lines if line and line[0] != "#" for call in calls_of(line)}


def allowed_calls():
    """systemd.exec(5): the first line says that it lists what is allowed; ~ takes away."""
    allowed = calls_of("@default")
    for value in re.findall(r"^SystemCallFilter=(.*)$", SYSTEM_UNIT.read_text(), re.M):
        named = {call for word in value.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


def confine(allowed):
    """In the child: as the unit's filter, by libseccomp."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(EPERM))
    for call in allowed:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            seccomp.seccomp_rule_add(context, ALLOW, number, 0)
    assert seccomp.seccomp_load(context) == 0


def answer(port):
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions",
                                     json.dumps(body).encode(),
                                     {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as got:
        return json.load(got)["choices"][0]["message"]["content"]


def check_metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as got:
        said = subprocess.run(["promtool", "check", "metrics"], input=got.read(),
                              capture_output=True)
    assert said.returncode == 0 and not said.stderr, said
    print("promtool check metrics: clean")


def start(doze, folder):
    """The server below the filter, its port and its log."""
    log = open(folder / "log", "w+")
    reader, writer = os.pipe()
    allowed = allowed_calls()
    child = subprocess.Popen(
        [doze, "serve", "--port", "0", "--models-dir", folder / "models", "--state-dir",
         folder / "state", "--ready-fd", str(writer)],
        env={"HOME": str(folder), "PATH": "/usr/bin"}, stderr=log, pass_fds=[writer],
        preexec_fn=lambda: confine(allowed))
    os.close(writer)
    return child, os.read(reader, 16).decode().strip(), log


def check_sandbox(doze, make_model):
    folder = Path(tempfile.mkdtemp(prefix="doze-units-"))
    (folder / "models").mkdir()
    subprocess.run([make_model, "spoken", "--text", "Hello there.", "--out",
                    folder / "models/m.gguf"],
                   check=True)
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", str(NOBODY), folder], check=True)
    child, port, log = start(doze, folder)
    text = answer(port) if port else ""
    if port and shutil.which("promtool"):
        check_metrics(port)
    child.terminate()
    status = child.wait()
    log.seek(0)
    said = log.read()
    assert text == "Hello there." and status == 0, said
    assert not re.search("sandbox|denied", said), said
    shutil.rmtree(folder)
    print("a worker answers with its whole sandbox below SystemCallFilter=")


check_syntax()
check_exposure()
check_sandbox(*(str(Path(word).resolve()) for word in sys.argv[1:]))
