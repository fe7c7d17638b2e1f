# SPDX-License-Identifier: Apache-2.0
"""What the command says when it fails: why, and what to type next; for
programs as one object."""
import json
import sys

from harness import tap
from place import DEVICE, Place
from test_manners import LINES, THIRD, begins_with, name_of, table, which

KNOWN = ("systemctl status dialtone", "journalctl -u dialtone", "ls -ld '",
         "man dialtoned.json", "sudo dialtone ", "sudo usermod ", "df -h")
DEAD = {"DIALTONE_URL": "http://127.0.0.1:1", "DIALTONE_SOCKET": "no.sock"}
# Words that fail for other reasons than these two.
FAILING = [
    (f"device show {THIRD}", 1), (f"phone reset {THIRD}", 1),
    ("device import missing.csv", 1), ("explain --log missing.log", 1),
    ("explain --pcap missing.pcap", 1), ("trust show missing.pem", 1),
    ("trust check missing.pem", 1), ("trust lint missing", 1),
    ("trust diff missing", 1), ("trust add missing.pem", 1),
    ("trust add new-ca.pem --as a/b", 2), ("trust list --store missing", 1),
    ("trust add phone.pem", 1), ("trust remove missing.pem", 1),
    ("trust export --for nobody", 2), ("trust export --for pem --with x", 1),
    ("trust export --for pem --out other-cluster", 1),
    ("device export no-folder/all.csv", 1), ("capf install", 2),
    ("capf install --csv missing.csv", 1), ("capf csr import missing.pem", 1),
    (f"capf install {DEVICE} --mode string --strings-to other-cluster", 1),
    (f"capf show {THIRD}", 1), (f"phone {THIRD}", 1),
    (f"phone history {THIRD}", 1), (f"phone cert {THIRD}", 1),
    ("profile show missing", 1), ("rollover export --for asa", 1),
    ("rollover cancel", 1), ("rollover issue", 1),
    ("device add 'SEP001122334411' --mic maybe", 2),
    ("auto-registration open --for 99d", 1), ("explain 'not a name'", 1),
    ("device add 'two words'", 1), ("lab init lab", 1),
    ("lab phone missing SEP001122334411", 1), ("nonsense", 2),
    ("trust nonsense", 2), ("--nonsense", 2), ("phones --dry-run", 2),
    ("device show $'\\xff'", 1), ("device add $'\\xff'", 1),
]


def is_command(words, names):
    """Is that something that can be typed?"""
    if words.startswith("dialtone help"):
        noun = words[len("dialtone help"):].strip()
        return not noun or any(begins_with(n, noun) or n == noun
                               for n in names)
    if words.startswith("dialtone "):
        return which(words[len("dialtone "):], names) is not None
    return words.startswith(KNOWN)


def wrong_text(status, out, err, names):
    """A failure for people ends in what to type next."""
    if not err and out and status in (1, 3):
        return None  # the answer itself says what is the matter
    last = err.splitlines()[-1] if err else ""
    return None if last.startswith("next: ") and is_command(
        last[len("next: "):], names) else f"{out[-200:]}{err}"


def wrong_json(status, out, err, names):
    """A failure for programs is one object, on one of the two."""
    try:
        answers = [json.loads(said) for said in (out, err) if said]
    except ValueError:
        return f"no JSON: {out}{err}"
    if not answers:
        return "nothing was said"
    if not err:
        return None
    o = answers[-1]
    good_one = isinstance(o, dict) and o["exit"] == status and all(
        o[key] for key in ("type", "title", "detail")) and is_command(
            o["next"], names)
    return None if good_one else err


FOR = {"": wrong_text, " --json": wrong_json}


def failures_of(place, line, expected, names):
    """What is wrong with how it fails, for people and for programs."""
    for flag, wrong in FOR.items():
        status, out, err = place.run(f"dialtone {line}{flag}")
        if status != expected:
            yield f"{line}{flag}: exit {status}: {out}{err}"
        elif wrong(status, out, err, names):
            yield f"{line}{flag}: {wrong(status, out, err, names)}"


def every_failure_names_what_to_type_and_is_json():
    names = {name_of(c) for c in table()}
    with Place() as place:
        tap.none(fault for line, expected in FAILING
                 for fault in failures_of(place, line, expected, names))


def every_command_is_misused_alike():
    names = {name_of(c) for c in table()} - {"rollover export"}
    with Place() as place:
        tap.none(fault for name in sorted(names) for fault in
                 failures_of(place, f"{name} --nonsense x y", 2, names))


def without_a_registrar_every_command_says_what_to_type():
    names = {name_of(c) for c in table()}
    dead = " ".join(f"{key}={value}" for key, value in DEAD.items())
    found = []
    with Place() as place:
        for line, _ in LINES:
            status, *said = place.run(f"{dead} dialtone {line} --json")
            if status:
                found.append((line, wrong_json(status, *said, names)))
    assert len(found) > 40, found
    tap.none(f"{line}: {fault}" for line, fault in found if fault)


if __name__ == "__main__":
    sys.exit(tap.run(
        every_failure_names_what_to_type_and_is_json,
        every_command_is_misused_alike,
        without_a_registrar_every_command_says_what_to_type))
