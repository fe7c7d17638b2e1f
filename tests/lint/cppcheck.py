# SPDX-License-Identifier: Apache-2.0
"""cppcheck over every C file, with what we do not want to hear, and why."""
import os
import shutil
import subprocess
import sys
import tempfile

import tap
import tree

SOURCE = os.environ["DIALTONE_SOURCE"]

OPTIONS = [
    "--quiet", "--error-exitcode=1", "--inline-suppr", "--std=c11",
    "--platform=unix64", "--enable=warning,performance,portability",
    f"-j{os.cpu_count()}", "-D_GNU_SOURCE", "-D__linux__",
    "--template={file}:{line}: {id}: {message}",
    # The headers of libraries are not ours to judge.
    "--suppress=missingInclude", "--suppress=missingIncludeSystem",
    # It gives up on many #if branches and calls that a finding.
    "--suppress=toomanyconfigs",
    # Finds the walk to a NUL unsafe where the limit is the target's.
    "--suppress=arrayIndexThenCheck",
    # cmocka's tables and the X-macros are macros it cannot see through.
    "--suppress=unknownMacro",
]

FAULTS = {
    "memleak": "#include <stdlib.h>\nvoid f(void) { char *p = malloc(3); "
               "if (p) p[0] = 1; }",
    "arrayIndexOutOfBounds": "int f(void) { int a[2] = {0}; return a[2]; }",
    "uninitvar": "int f(void) { int a; return a; }",
}


def cppcheck(*arguments):
    return subprocess.run(["cppcheck", *OPTIONS, *arguments], cwd=SOURCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


def cppcheck_finds_nothing():
    done = cppcheck("-I.", *tree.files(SOURCE, ".c"))
    tap.none(done.stdout.splitlines())
    assert done.returncode == 0


def each_kind_of_fault_is_caught():
    for fault, code in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fault.c")
            with open(path, "w", encoding="utf-8") as f:
                f.write(code + "\n")
            done = cppcheck(path)
            caught = done.returncode and fault in done.stdout
            assert caught, f"{fault}: {done.stdout}"


if __name__ == "__main__":
    if not shutil.which("cppcheck"):
        print("1..0 # SKIP cppcheck is not installed")
        sys.exit(0)
    sys.exit(tap.run(each_kind_of_fault_is_caught, cppcheck_finds_nothing))
