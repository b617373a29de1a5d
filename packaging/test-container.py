#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-container.py TREE DEB MODEL - what packaging/Containerfile says, done in TREE, which is a copy
of Debian's: its steps one by one as an engine for containers does them, then the program with its
user and environment, the health check, an answer, the stop by its signal, and a second start that
finds what the volume kept. As root, in namespaces of its own (mount, pid)."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 20
FILE = Path(__file__).parent / "Containerfile"


def instructions(text):
    """(word, rest) of each instruction; lines that end with a backslash go on."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        yield line.split(" ", 1)


class Container:
    def __init__(self, tree, context):
        self.tree, self.context = Path(tree), Path(context)
        self.user, self.env = "root", {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self.network = []  # what enters it
        self.program = self.health = self.signal = self.volume = None

    def command(self, words, user=None):
        """What runs the words in the tree as a user of it, with the environment so far."""
        env = [f"{key}={value}" for key, value in self.env.items()]
        become = ["setpriv", f"--reuid={user or self.user}", f"--regid={user or self.user}",
                  "--init-groups"]
        return [*self.network, "chroot", str(self.tree), "env", "-i", *env, *become, *words]

    def copy(self, rest):
        pattern, target = rest.split()
        for file in self.context.glob(pattern):
            shutil.copy(file, self.tree / target.lstrip("/"))

    def step(self, word, rest):
        if word == "FROM":
            assert rest == "debian:bookworm-slim", rest  # what the tree is
        elif word == "COPY":
            self.copy(rest)
        elif word == "RUN":
            subprocess.run(self.command(["sh", "-ec", rest]), check=True)
        elif word == "USER":
            self.user = rest
        elif word == "ENV":
            self.env.update(pair.split("=", 1) for pair in rest.split())
        elif word == "ENTRYPOINT":
            self.program = json.loads(rest)
        elif word == "HEALTHCHECK":
            self.health = json.loads(rest[rest.index("["):])
        elif word == "STOPSIGNAL":
            self.signal = rest
        elif word == "VOLUME":
            self.volume = rest
        else:
            assert word == "EXPOSE" and rest == "1234", f"{word} {rest}"

    def own_network(self):
        """From now on: one with a loopback and nothing else, so that no port is taken."""
        holder = subprocess.Popen(["unshare", "--net", "sh", "-c",
                                   "ip link set lo up && echo up && exec sleep infinity"],
                                  stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"up\n"
        self.network = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]

    def healthy(self):
        return subprocess.run(self.command(self.health), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def start(self):
        self.running = subprocess.Popen(self.command(self.program))
        end = time.monotonic() + PATIENCE_S
        while not self.healthy():
            assert self.running.poll() is None, "the program has ended"
            assert time.monotonic() < end, "it does not become healthy"
            time.sleep(0.1)  # engines ask now and then, too

    def stop(self):
        subprocess.run(["kill", "-s", self.signal, str(self.running.pid)], check=True)
        status = self.running.wait(PATIENCE_S)
        assert status == 0, f"{self.signal}: it ended with {status}"
        assert not self.healthy(), "the health check fails when nothing runs"

    def doze(self, *words):
        run = subprocess.run(self.command(["doze", *words]), stdout=subprocess.PIPE, check=True)
        return run.stdout.decode().strip()


def check(container, model):
    home = container.tree / container.volume.lstrip("/")
    shutil.copy(model, home / "models" / "m.gguf")
    os.chmod(home / "models" / "m.gguf", 0o644)
    container.start()
    assert container.doze("run", "m", "Hello?") == "Hello there."
    container.doze("settings", "set", "max_ttl", "77")
    container.stop()
    container.start()
    assert json.loads(container.doze("settings", "--json"))["max_ttl"] == 77
    container.stop()


def main():
    tree, deb, model = sys.argv[1:]
    container = Container(tree, Path(deb).parent)
    for word, rest in instructions(FILE.read_text()):
        container.step(word, rest)
    container.own_network()
    check(container, model)
    print("the container: built, healthy, answered, stopped, and kept its volume")


main()
