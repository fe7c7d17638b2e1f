# SPDX-License-Identifier: Apache-2.0
"""What bash offers behind the Tab key is what the programs know."""
import json
import os
import re
import subprocess
import sys

from harness import BUILD, DIALTONE, DIALTONED, PHONE, good, needs, same, tap

STORM = os.path.join(BUILD, "bench", "dialtone-storm")

# Completes the last of the words, and says what is offered, a word a line.
ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"_${1//-/_}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(*words):
    path = os.path.join(BUILD, "packaging", words[0] + ".bash")
    done = subprocess.run(
        [needs("bash"), "-uc", ASK, "bash", path, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False)
    same((done.returncode, done.stderr), (0, ""), f"bash about {words}")
    return sorted(done.stdout.split())


def options_of(program):
    return sorted(set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)",
                                 good(program, "--help"), re.M)))


def nouns_and_their_verbs_are_offered():
    nouns = offered("dialtone", "")
    assert {"status", "phone", "trust", "capf", "lab"} <= set(nouns), nouns
    same(offered("dialtone", "tr"), ["trust"])
    same(offered("dialtone", "lab", ""), ["init", "phone", "revoke"])
    same(offered("dialtone", "capf", "tr"), ["troubleshoot"])
    same(offered("dialtone", "status", ""), [])


def options_before_the_command_do_not_hide_it():
    same(offered("dialtone", "--json", "lab", "i"), ["init"])
    same(offered("dialtone", "--url", "trust", "lab", "i"), ["init"])
    same(offered("dialtone", "--socket", "/x", "capf", "au"), ["audit"])


def a_command_has_its_own_options():
    same(offered("dialtone", "lab", "init", "--f"), ["--free-ports"])
    same(offered("dialtone", "lab", "init", "here", "--ho"), ["--host"])
    same(offered("dialtone", "lab", "phone", "--f"), [])
    same(offered("dialtone", "phone", "--j"), ["--json"])
    same(offered("dialtone", "--"), ["--dry-run", "--json", "--socket", "--url"])
    assert "--dry-run" in offered("dialtone", "capf", "install", "--d")


def names_and_files_are_left_to_bash():
    same(offered("dialtone", "lab", "init", ""), [])
    same(offered("dialtone", "phone", "reset", ""), [])
    same(offered("dialtoned", "--config", ""), [])


def every_option_of_the_other_programs_is_offered():
    for program in (DIALTONED, PHONE, STORM):
        name = os.path.basename(program)
        known = set(options_of(program))
        assert len(known) > 3, f"{name}: {known}"
        missing = known - set(offered(name, "--"))
        assert not missing, f"{name}: {missing}"


def every_command_of_the_table_is_offered():
    rows = good(DIALTONE, "--help").partition("\ncommands:\n")[2]
    for row in rows.splitlines():
        if not row.startswith("  "):
            continue
        noun, *rest = row.split()
        assert noun in offered("dialtone", noun), row
        if row[20] != " ":
            assert rest[0] in offered("dialtone", noun, rest[0]), row


def every_option_of_every_command_is_offered():
    commands = json.loads(good(DIALTONE, "help", "--json"))["commands"]
    assert len(commands) > 40, commands
    missing = []
    for c in commands:
        words = [w for w in (c["noun"], c.get("verb")) if w]
        known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*",
                               c["words"] + c.get("more", "")))
        known.add("--json")
        if c["changes"]:
            known.add("--dry-run")
        missing += [f"{' '.join(words)} {option}" for option in
                    sorted(known - set(offered("dialtone", *words, "--")))]
    tap.none(missing)


if __name__ == "__main__":
    sys.exit(tap.run(
        nouns_and_their_verbs_are_offered,
        options_before_the_command_do_not_hide_it,
        a_command_has_its_own_options,
        names_and_files_are_left_to_bash,
        every_option_of_the_other_programs_is_offered,
        every_command_of_the_table_is_offered,
        every_option_of_every_command_is_offered))
