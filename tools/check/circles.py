#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""circles.py [OBJECTS] - no circle of more than two files: who needs a symbol that whom defines.

Reads the object files of src/ in a build (default: build/release/obj/src) with nm. Two files that
need each other are one object in two files and pass; a larger circle has no bottom to start reading
from. Exits 1 naming the files and the symbols that close each circle.
"""
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

LARGEST = 2
DEFINED = set("TDBRVWCGSui")


def symbols(path):
    """(defined, undefined) external symbols of an object file."""
    defined, undefined = set(), set()
    out = subprocess.run(["nm", "-g", str(path)], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        (undefined if kind == "U" else defined if kind in DEFINED else set()).add(name)
    return defined, undefined


def dependencies(objects):
    """object: {object it needs: symbols}."""
    owner, wanted = {}, {}
    for path in objects:
        defined, wanted[path] = symbols(path)
        for name in defined:
            owner.setdefault(name, path)
    graph = {path: defaultdict(set) for path in objects}
    for path, names in wanted.items():
        for name in names:
            if owner.get(name, path) != path:
                graph[path][owner[name]].add(name)
    return graph


def circles(graph):
    """Strongly connected components (Tarjan), iterative: the stack holds (node, its edges left)."""
    index, low, stack, found = {}, {}, [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, edges = work[-1]
            following = next(edges, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    found.append(stack[at:])
                    del stack[at:]
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(graph[following])))
            elif following in stack:
                low[node] = min(low[node], index[following])
    return found


def name(root, path):
    """CMakeFiles/doze_x.dir/a/b.c.o of folder F is F/a/b.c."""
    parts = path.relative_to(root).parts
    kept = [part for part in parts if part != "CMakeFiles" and not part.endswith(".dir")]
    return "src/" + "/".join(kept).removesuffix(".o")


def main():
    build = Path(__file__).parents[2] / "build/release/obj/src"
    root = Path(sys.argv[1] if len(sys.argv) > 1 else build).resolve()
    objects = sorted(root.rglob("*.o"))
    if not objects:
        print(f"circles: no object files below {root}: build first")
        return 1
    graph = dependencies(objects)
    bad = [circle for circle in circles(graph) if len(circle) > LARGEST]
    for circle in bad:
        print(f"circle of {len(circle)} files:")
        for path in sorted(circle):
            for needed in sorted(set(graph[path]) & set(circle)):
                print(f"  {name(root, path)} needs {', '.join(sorted(graph[path][needed]))}"
                      f" of {name(root, needed)}")
    print(f"circles: {len(objects)} object files, {len(bad)} circles of more than {LARGEST}")
    return 1 if bad else 0


sys.exit(main())
