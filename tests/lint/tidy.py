# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over every C file that the build compiles; usage: tidy.py BUILD.

It is the longest of all tests, and waits for nothing: so it takes the time that
others leave (nice), and what it found clean it does not read again while not a
byte of it, of what it includes and of how it is compiled has changed.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import tap
import tree

SOURCE = os.environ["DIALTONE_SOURCE"]
# gcc's own flags stand in compile_commands.json.
FLAGS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option",
         # Fortified vsnprintf hides the va_list from the analyzer.
         "--extra-arg=-U_FORTIFY_SOURCE"]
FINDING = re.compile(r".*: (error|warning): .*")
CLEAN = os.path.join(os.environ.get("XDG_CACHE_HOME")
                     or os.path.expanduser("~/.cache"), "dialtone-tidy")
KEPT_S = 30 * 86400

# One fault for each kind of check that we chose.
FAULTS = {
    "clang-analyzer": "int f(int *p) { p = 0; return *p; }",
    "bugprone": "int f(void) { return (int)sizeof(sizeof(int)); }",
    "cert": "#include <stdlib.h>\nint f(void) { return rand(); }",
    "misc": "int f(int a) { return a == a; }",
    "readability-else-after-return":
        "int f(int a) { if (a) { return 1; } else { a++; } return a; }",
    "readability-function-size": "int f(int a) {" + "a++;\n" * 90 + "return a; }",
    "readability-identifier-naming": "int badName(void) { return 1; }",
}


def compiled():
    """source path → how the build compiles it, once for each file."""
    path = os.path.join(sys.argv[1], "compile_commands.json")
    with open(path, encoding="utf-8") as f:
        entries = json.load(f)
    below = os.path.realpath(SOURCE) + os.sep
    found = {os.path.realpath(os.path.join(e["directory"], e["file"])): e
             for e in entries}
    return {name: e for name, e in found.items() if name.startswith(below)}


def included():
    """object file → all that was read to make it, as ninja was told."""
    said = subprocess.run(["ninja", "-C", sys.argv[1], "-t", "deps"],
                          stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    found = {}
    for block in said.split("\n\n"):
        head, *files = block.splitlines() or [""]
        if head.endswith("(VALID)"):
            found[head.partition(":")[0]] = [line.strip() for line in files]
    return found


class Marks:
    """Names of what was found clean: a hash of all that it depends on."""

    def __init__(self):
        os.makedirs(CLEAN, 0o700, exist_ok=True)
        self._hashes = {}
        self._included = included()
        version = subprocess.run(["clang-tidy", "--version"], check=True,
                                 stdout=subprocess.PIPE).stdout
        self._tool = [version.decode(), *FLAGS,
                      self._hash(os.path.join(SOURCE, ".clang-tidy"))]

    def _hash(self, name):
        path = os.path.realpath(os.path.join(sys.argv[1], name))
        if path not in self._hashes:
            with open(path, "rb") as f:
                self._hashes[path] = hashlib.sha256(f.read()).hexdigest()
        return self._hashes[path]

    def of(self, entry):
        """None: it is not known what it depends on."""
        files = self._included.get(entry.get("output"))
        if not files:
            return None
        words = [*self._tool, entry["command"],
                 *(f"{name} {self._hash(name)}" for name in files)]
        name = hashlib.sha256("\n".join(words).encode()).hexdigest()
        return os.path.join(CLEAN, name)

    @staticmethod
    def forget_old():
        for name in os.listdir(CLEAN):
            path = os.path.join(CLEAN, name)
            if os.path.getmtime(path) < time.time() - KEPT_S:
                os.unlink(path)


def findings_in(path, database, mark):
    if mark and os.path.exists(mark):
        os.utime(mark)
        return []
    done = subprocess.run(["clang-tidy", "-p", database, *FLAGS, path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    found = [line for line in done.stdout.splitlines() if FINDING.match(line)]
    if done.returncode and not found:
        found = [f"{path}: clang-tidy ended with {done.returncode}: "
                 + done.stderr.strip()[-300:]]
    if mark and not found:
        with open(mark, "wb"):
            pass
    return found


def below_source(line):
    """A finding with its path as the source tree has it, not the build."""
    path, rest = line.split(":", 1)
    path = os.path.realpath(os.path.join(sys.argv[1], path))
    return os.path.relpath(path, os.path.realpath(SOURCE)) + ":" + rest


def clang_tidy_finds_nothing():
    # The analyzer is slow on long files: those first, so no core waits.
    commands = compiled()
    paths = sorted(commands, key=os.path.getsize, reverse=True)
    assert paths, "the build compiles nothing"
    marks = Marks()
    with tempfile.TemporaryDirectory() as database:
        path = os.path.join(database, "compile_commands.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(list(commands.values()), f)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            every = list(pool.map(
                lambda path: findings_in(path, database,
                                         marks.of(commands[path])), paths))
    marks.forget_old()
    tap.none(sorted({below_source(line) for found in every for line in found}))


def every_c_file_is_compiled():
    built = {os.path.relpath(path, os.path.realpath(SOURCE))
             for path in compiled()}
    tap.none(f"{name}: no target compiles it"
             for name in tree.files(SOURCE, ".c") if name not in built)


def each_kind_of_fault_is_caught():
    config = "--config-file=" + os.path.join(SOURCE, ".clang-tidy")
    for check, code in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fault.c")
            with open(path, "w", encoding="utf-8") as f:
                f.write(code + "\n")
            done = subprocess.run(
                ["clang-tidy", config, "--quiet", path, "--"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, check=False)
            caught = done.returncode and f"[{check}" in done.stdout
            assert caught, f"{check}: {done.stdout}"


if __name__ == "__main__":
    if not shutil.which("clang-tidy"):
        print("1..0 # SKIP clang-tidy is not installed")
        sys.exit(0)
    os.nice(19)
    sys.exit(tap.run(each_kind_of_fault_is_caught, every_c_file_is_compiled,
                     clang_tidy_finds_nothing))
