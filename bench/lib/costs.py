# SPDX-License-Identifier: Apache-2.0
"""The costs of dialtoned that bench/cost.json remembers, and their judgement."""
import itertools
import json
import os
import subprocess
from collections import namedtuple

import counts
import figures
import processes
import servers

FILE = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "cost.json")
KINDS = ("instructions", "calls")

# Rows of figures.ROWS, how many registrations callgrind looks at, and whether
# most of the cost is arithmetic of keys, which OpenSSL has many ways of.
Kept = namedtuple("Kept", "row n keys")
KEPT = [Kept("id", 60, False), Kept("ticket", 60, False),
        Kept("psk", 40, True), Kept("full", 9, True)]
CALLS_N, TRIES = 50, 4


def missing():
    return counts.missing("valgrind", "vgdb", "strace")


def _row(name):
    return next(row for row in figures.ROWS if row.name == name)


def _openssl():
    done = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE,
                          text=True, check=True)
    return " ".join(done.stdout.split()[:2])


def _instructions(place, server, some, cores):
    rows = [(kept, counts.steady(_row(kept.row))) for kept in some]
    with counts.callgrind(place, server, rows[0][1], cores[0]) as counting:
        return {kept.row: {"instructions": round(
            counting.each(row, cores[1], kept.n))} for kept, row in rows}


def _calls(place, server, kept, cores, before):
    """Those of the best of some tries: a busy machine adds timers and polls
    that find less at a time, and takes none away."""
    row = counts.steady(_row(kept.row))
    calls = None
    for _ in range(TRIES):
        again = counts.calls(place, server, row, cores, CALLS_N)
        if not calls or sum(again.values()) < sum(calls.values()):
            calls = again
        if before is None or figures.drift(sum(calls.values()),
                                           before) != "grown":
            break
    return {"calls": round(sum(calls.values()), 1),
            "by_name": {name: round(each, 1) for name, each in calls.items()
                        if abs(each) >= 0.05}}


def measure(build):
    """All of it, as bench/cost.json has it."""
    dialtoned, cores = servers.Dialtoned(), processes.cores()
    found = {}

    def key(kept):
        return counts.steady(_row(kept.row)).key
    with servers.new_place(build) as place:
        # Rows that agree on the server's key share a start of valgrind.
        for _, some in itertools.groupby(sorted(KEPT, key=key), key=key):
            found.update(_instructions(place, dialtoned, list(some), cores))
        for kept in KEPT:
            before = read()["registrations"].get(kept.row, {}).get("calls")
            found[kept.row].update(
                _calls(place, dialtoned, kept, cores, before))
    return {"openssl": _openssl(), "cpu": counts.seen_by_openssl(),
            "registrations": found}


Judged = namedtuple("Judged", "verdict text")


def judge(known, found, name, kind):
    """verdict: same, grown, shrunk, new, or unknown: not comparable."""
    row = _row(name)
    now = found["registrations"][name][kind]
    before = known["registrations"].get(name, {}).get(kind)
    what = f"{row.title}: {now:,} {kind} a registration"
    keys = next(kept.keys for kept in KEPT if kept.row == name)
    if before is None:
        return Judged("new", f"{what}; bench/cost.json has none: run "
                      "bench/cost --write")
    if kind == "instructions" and keys and known["cpu"] != found["cpu"]:
        return Judged("unknown", f"{what}; not judged: OpenSSL finds "
                      f"{found['cpu']}, and {before:,} were counted with "
                      f"{known['cpu']}")
    verdict = figures.drift(now, before)
    text = f"{what}, {now / before - 1:+.1%} from {before:,}"
    if verdict == "shrunk":
        text += "; good: let bench/cost --write remember it"
    if verdict == "grown":
        text += (f"; more than {figures.TOLERANCE:.0%} above bench/cost.json: "
                 "mend it, or say in the commit what it buys and run "
                 "bench/cost --write")
    return Judged(verdict, text)


def read():
    try:
        with open(FILE, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {"cpu": "", "registrations": {}}


def write(found):
    with open(FILE, "w", encoding="utf-8") as f:
        json.dump(found, f, indent=1, sort_keys=True)
        f.write("\n")
