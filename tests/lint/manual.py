# SPDX-License-Identifier: Apache-2.0
"""The man pages are sound, and say all that the programs have."""
import json
import os
import re
import shutil
import subprocess
import sys

import tap

SOURCE = os.environ["DIALTONE_SOURCE"]
BUILD = os.environ["DIALTONE_BUILD"]

PAGES = ["dialtoned.8", "dialtone.1", "dialtone-phone.1", "dialtone-storm.1",
         "dialtoned.json.5", "dialtone-log.5"]
FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def path_of(page):
    return os.path.join(BUILD, "docs", "man", page)


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)


def rendered(page):
    """As a reader sees it, blanks alone between words."""
    for words in (("mandoc", "-O", "width=250"),
                  ("groff", "-mandoc", "-rLL=250n", "-P-c")):
        if shutil.which(words[0]):
            done = run(*words, "-Tascii", path_of(page))
            assert done.returncode == 0, done.stdout
            return " ".join(re.sub(r".\x08", "", done.stdout).split())
    raise tap.Skip("neither mandoc nor groff is installed")


def program(name):
    room = "bench" if name.startswith("dialtone-") else "registrar"
    return os.path.join(BUILD, room, name)


def missing(page, words):
    text = rendered(page)
    found = [w for w in words if " ".join(w.split()) not in text]
    tap.none(f"{page}: {word}" for word in found)


def pages_have_no_fault():
    if not shutil.which("mandoc"):
        raise tap.Skip("mandoc is not installed")
    tap.none(line for page in PAGES for line in run(
        "mandoc", "-Tlint", "-Wwarning", path_of(page)).stdout.splitlines())


def man_shows_them_without_a_warning():
    if not shutil.which("man"):
        raise tap.Skip("man is not installed")
    for page in PAGES:
        done = subprocess.run(
            ["man", "--warnings", "-l", path_of(page)], check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def keys(schema, path=""):
    """Every key that the configuration may have."""
    for name, value in schema.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        if "properties" not in value:
            yield key
        yield from keys(value, key)
    for inner, tail in ((schema.get("additionalProperties"), ".NAME"),
                        (schema.get("items"), "[]")):
        if isinstance(inner, dict):
            yield from keys(inner, path + tail)
    for choice in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from keys(choice, path)


def every_key_of_the_configuration_is_in():
    done = run(program("dialtoned"), "--schema")
    wanted = list(keys(json.loads(done.stdout)))
    assert len(wanted) > 50, wanted
    missing("dialtoned.json.5", wanted)


def every_event_of_the_log_is_in():
    with open(os.path.join(SOURCE, "registrar", "log.h"),
              encoding="utf-8") as f:
        listed = f.read().partition("LOG_EVENT_LIST(X)")[2]
    rows = listed.partition("enum log_event")[0].count("X(")
    names = re.findall(r'LOG_[A-Z]+,[\s\\]*"([^"]+)"', listed)
    assert len(names) == rows > 50, f"{len(names)} names, {rows} rows"
    missing("dialtone-log.5", [f"{name} (" for name in names])


def every_command_and_its_words_are_in():
    commands = json.loads(run(program("dialtone"), "help",
                              "--json").stdout)["commands"]
    missing("dialtone.1", [" ".join(filter(None, (
        c["noun"], c.get("verb"), c["words"]))) for c in commands])
    missing("dialtone.1", [line for c in commands
                           for line in c.get("more", "").splitlines()])


def every_option_is_in():
    for page, name in (("dialtoned.8", "dialtoned"),
                       ("dialtone.1", "dialtone"),
                       ("dialtone-phone.1", "dialtone-phone"),
                       ("dialtone-storm.1", "dialtone-storm")):
        said = FLAG.findall(run(program(name), "--help").stdout)
        assert said, name
        missing(page, sorted(set(said)))


def every_exit_status_is_in():
    for page, last in (("dialtoned.8", 2), ("dialtone.1", 3),
                       ("dialtone-phone.1", 2), ("dialtone-storm.1", 2)):
        with open(path_of(page), encoding="utf-8") as f:
            part = f.read().partition(".Sh EXIT STATUS")[2]
        found = re.findall(r"^\.It (\d+)$", part.partition("\n.Sh")[0], re.M)
        assert found == [str(n) for n in range(last + 1)], f"{page}: {found}"


sys.exit(tap.run(
    pages_have_no_fault,
    man_shows_them_without_a_warning,
    every_key_of_the_configuration_is_in,
    every_event_of_the_log_is_in,
    every_command_and_its_words_are_in,
    every_option_is_in,
    every_exit_status_is_in))
