# SPDX-License-Identifier: Apache-2.0
"""What ninja has to make for some tests: no build makes what it does not run.

usage: meson test --list ... | wanted.py BUILD_FOLDER

Prints the targets, and keeps the tests' names in BUILD_FOLDER/wanted-tests,
so that count.py knows which ones never came to their turn.
"""
import json
import os
import sys


def info(folder, name):
    path = os.path.join(folder, "meson-info", f"intro-{name}.json")
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def main(folder):
    # `dialtone:protocols / bytes`
    names = {line.rstrip("\n").split(" / ", 1)[1] for line in sys.stdin
             if " / " in line}
    tests = [test for test in info(folder, "tests") if test["name"] in names]
    with open(os.path.join(folder, "wanted-tests"), "w",
              encoding="utf-8") as f:
        f.writelines(f"{test['name']}\n" for test in tests)
    wanted = {one for test in tests for one in test["depends"]}
    top = os.path.abspath(folder)
    for target in info(folder, "targets"):
        if target["id"] in wanted:
            for path in target["filename"]:
                print(os.path.relpath(path, top))


if __name__ == "__main__":
    main(sys.argv[1])
