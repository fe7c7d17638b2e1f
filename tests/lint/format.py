# SPDX-License-Identifier: Apache-2.0
"""clang-format decides how C looks, and nobody argues."""
import os
import shutil
import subprocess
import sys

import tap
import tree

SOURCE = os.environ["DIALTONE_SOURCE"]
CROOKED = "int  f( void ){return 1;}\n"


def clang_format(*arguments, **options):
    return subprocess.run(
        ["clang-format", "--dry-run", "-Werror", "--style=file", *arguments],
        cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, **options)


def every_c_file_is_formatted():
    done = clang_format(*tree.files(SOURCE, ".c", ".h"))
    places = [line for line in done.stdout.splitlines() if "error:" in line]
    # One line a file: `clang-format -i` mends a file as a whole.
    tap.none({line.split(":")[0]: line for line in reversed(places)}.values())
    assert done.returncode == 0, done.stdout


def a_crooked_file_is_caught():
    done = clang_format("--assume-filename=crooked.c", input=CROOKED)
    assert done.returncode != 0, done.stdout


if __name__ == "__main__":
    if not shutil.which("clang-format"):
        print("1..0 # SKIP clang-format is not installed")
        sys.exit(0)
    sys.exit(tap.run(every_c_file_is_formatted, a_crooked_file_is_caught))
