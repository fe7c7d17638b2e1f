# SPDX-License-Identifier: Apache-2.0
"""The shape of every file: first lines, length, marks, shells, READMEs."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap
import tree

SOURCE = os.environ["DIALTONE_SOURCE"]

SPDX = "SPDX-License-Identifier: Apache-2.0"
COLUMNS_MAX = 100
FILE_LINES_MAX = 700
README_LINES_MAX = 25
ROOMS = ["protocols", "certs", "trust", "registrar", "bench", "tests"]

CODE = (".c", ".h", ".py", ".build", ".sh")

# Files that are long because they hold one long thing, with that thing.
LONG_FILES = {}
LONG_READMES = {"bench/README.md": "what was measured, as bench/compare says"}

# Written so that this file does not mention what it forbids.
MARK = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"/(wor[k]|far[m])(/|\b)|/(home|Users)/\w|/roo[t]/\w"
                     r"|/tmp/bash_job[s]|[.]librar[y]/")


def code(top):
    return [name for name in tree.files(top) if not tree.is_fuzz_input(name)
            and (name.endswith(CODE) or tree.is_script(top, name))]


def text(top):
    return [name for name in tree.files(top) if not tree.is_fuzz_input(name)]


def lines_of(top, name):
    return tree.read(top, name).splitlines()


def first_lines(top):
    """Line 1 SPDX, line 2 says in one sentence what lives here."""
    for name in code(top):
        lines = lines_of(top, name) + ["", "", "", ""]
        if lines[0].startswith("#!"):
            del lines[0]
        comment = f"/* {SPDX} */" if name.endswith((".c", ".h")) else f"# {SPDX}"
        if lines[0] != comment:
            yield f"{name}: line 1 is not `{comment}`"
        purpose = re.sub(r'^(/\*|\*|#|""")', "", lines[1]).strip(' */"')
        if lines[1].strip() == "/*":
            purpose = lines[2].strip(" */")
        says = lines[1].startswith(("/*", "#", '"""')) and " " in purpose
        if not says and not name.endswith("meson.build"):
            yield f"{name}: line 2 does not say what lives here"


def long_lines(top):
    for name in code(top):
        for number, line in enumerate(lines_of(top, name), 1):
            columns = len(line.expandtabs(8))
            if columns > COLUMNS_MAX:
                yield f"{name}:{number}: {columns} columns, at most {COLUMNS_MAX}"


def long_files(top):
    for name in tree.files(top, ".c", ".h", ".py"):
        lines = len(lines_of(top, name))
        rare = name in LONG_FILES or name.startswith("tests/")
        if lines > FILE_LINES_MAX and not rare:
            yield f"{name}: {lines} lines, at most {FILE_LINES_MAX}"


def mentions(top, pattern, names):
    for name in names:
        for number, line in enumerate(lines_of(top, name), 1):
            if pattern.search(line):
                yield f"{name}:{number}: {line.strip()}"


def marks(top):
    return mentions(top, MARK, code(top))


def machine_paths(top):
    here = re.compile("|".join([MACHINE.pattern, re.escape(top) + r"\b"]))
    return mentions(top, here, text(top))


def readmes(top):
    for room in ROOMS:
        if not os.path.isfile(os.path.join(top, room, "README.md")):
            yield f"{room}: has no README.md"
    for name in tree.files(top, "README.md"):
        lines = len(lines_of(top, name))
        rare = name == "README.md" or name in LONG_READMES
        if not rare and lines > README_LINES_MAX:
            yield f"{name}: {lines} lines, at most {README_LINES_MAX}"


def shells(top):
    for name in tree.files(top):
        if not tree.is_script(top, name) or tree.is_fuzz_input(name):
            continue
        words = lines_of(top, name)[0][2:].split()
        shell = os.path.basename(words[-1])
        if shell in ("sh", "bash"):
            yield name, shell


def bad_shells(top):
    for name, shell in shells(top):
        done = subprocess.run([shell, "-n", os.path.join(top, name)],
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            yield f"{name}: {shell} -n: {done.stderr.strip()}"


def shellcheck_findings(top):
    names = [os.path.join(top, name) for name, _ in shells(top)]
    done = subprocess.run(["shellcheck", "--format=gcc", *names], text=True,
                          stdout=subprocess.PIPE, check=False)
    return done.stdout.splitlines()


def line_1_is_the_licence_and_line_2_says_what_lives_here():
    tap.none(first_lines(SOURCE))


def no_line_is_too_long():
    tap.none(long_lines(SOURCE))


def no_file_is_too_long():
    tap.none(long_files(SOURCE))


def nothing_is_marked_unfinished():
    tap.none(marks(SOURCE))


def no_file_names_a_path_of_one_machine():
    tap.none(machine_paths(SOURCE))


def every_room_has_a_short_readme():
    tap.none(readmes(SOURCE))


def shell_scripts_parse():
    assert list(shells(SOURCE)), "found no shell script"
    tap.none(bad_shells(SOURCE))


def shellcheck_finds_nothing():
    if not shutil.which("shellcheck"):
        raise tap.Skip("shellcheck is not installed")
    tap.none(shellcheck_findings(SOURCE))


def each_of_these_catches_its_fault():
    faults = [
        (first_lines, "a.c", "/* What lives here. */\nint a;\n"),
        (first_lines, "a.c", f"/* {SPDX} */\nint a;\n"),
        (first_lines, "a", f"#!/bin/sh\n# {SPDX}\nset -e\n"),
        (long_lines, "a.c", "\t" * 12 + "12345\n"),
        (long_lines, "a", "#!/bin/sh\n" + "x" * 101 + "\n"),
        (long_files, "a.c", "\n" * (FILE_LINES_MAX + 1)),
        (marks, "a.c", "/* TO" + "DO: more */\n"),
        (marks, "a", "#!/bin/sh\n# XX" + "X\n"),
        (machine_paths, "a.md", "see /wor" + "k/main\n"),
        (machine_paths, "a.json", '"/home' + '/joe/x"\n'),
        (readmes, "protocols/README.md", "\n" * (README_LINES_MAX + 1)),
        (bad_shells, "a", "#!/bin/sh\nif\n"),
        (bad_shells, "a", "#!/usr/bin/env bash\nfor\n"),
    ]
    for check, name, content in faults:
        with tempfile.TemporaryDirectory() as top:
            write(top, name, content)
            assert list(check(top)), f"{check.__name__} passes {content!r}"


def a_path_of_this_checkout_is_caught():
    with tempfile.TemporaryDirectory() as top:
        write(top, "a.json", f'"{top}/x"\n')
        assert list(machine_paths(top)), top


def good_files_pass():
    good = {
        "a.c": f"/* {SPDX} */\n/* What lives here. */\nint a;\n",
        "b.c": f"/* {SPDX} */\n/*\n * What lives here,\n */\nint a;\n",
        "a": f"#!/bin/sh\n# {SPDX}\n# What this does.\nmktemp -d\n",
        "meson.build": f"# {SPDX}\ntest_env = 1\n",
    }
    good.update({f"{room}/README.md": "# room\n" for room in ROOMS})
    with tempfile.TemporaryDirectory() as top:
        for name, content in good.items():
            write(top, name, content)
        for check in (first_lines, long_lines, long_files, marks,
                      machine_paths, readmes, bad_shells):
            tap.none(check(top))


def write(top, name, content):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(content)


if __name__ == "__main__":
    sys.exit(tap.run(
        line_1_is_the_licence_and_line_2_says_what_lives_here,
        no_line_is_too_long,
        no_file_is_too_long,
        nothing_is_marked_unfinished,
        no_file_names_a_path_of_one_machine,
        every_room_has_a_short_readme,
        shell_scripts_parse,
        shellcheck_finds_nothing,
        each_of_these_catches_its_fault,
        a_path_of_this_checkout_is_caught,
        good_files_pass))
