# SPDX-License-Identifier: Apache-2.0
"""What does not depend on the machine's mood: instructions and system calls.

Two runs, one of n and one of 2 n registrations; their difference is n of them
and nothing else: start, priming and end are in both.
"""
import glob
import os
import re
import shutil
from collections import Counter

import figures
import processes
import storms

PHONES = 20
PATIENCE_S = 60  # valgrind is some fifty times slower


def missing(tool):
    return None if shutil.which(tool) else f"{tool} is not installed"


def _run(place, server, row, cores, wrapper, pace):
    with server.running(place, row, cores[0], wrapper) as running:
        storms.check(storms.call(cores[1], storms.words(
            place, running, row, *pace, PHONES, "--patience", PATIENCE_S)),
            row)


def _callgrind(place, server, row, cores, pace):
    """Instructions of one run, all threads and processes."""
    folder = place.new_folder()
    _run(place, server, row, cores,
         ["valgrind", "--tool=callgrind", "--quiet", "--trace-children=yes",
          f"--callgrind-out-file={folder}/out.%p"], pace)
    total = 0
    for path in glob.glob(os.path.join(folder, "out.*")):
        with open(path, encoding="utf-8", errors="replace") as f:
            found = re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M)
        total += int(found[1]) if found else 0
    if not total:
        raise storms.NoRow("callgrind counted nothing")
    return total


def instructions(place, server, row, cores, n):
    once, twice = (_callgrind(place, server, row, cores, (rate, 1))
                   for rate in (n, 2 * n))
    return figures.per_registration(once, twice, n)


CALL = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$",
                  re.M)


def _strace(place, server, row, cores, pace):
    """System calls of one run by name."""
    path = os.path.join(place.new_folder(), "calls")
    _run(place, server, row, cores, ["strace", "-c", "-f", "-qq", "-o", path],
         pace)
    with open(path, encoding="utf-8") as f:
        calls = Counter({name: int(n) for n, name in CALL.findall(f.read())
                         if name != "total"})
    if not calls:
        raise storms.NoRow("strace counted nothing")
    return calls


def calls(place, server, row, cores, n, rate):
    """By name, of one registration. At that rate, low enough that phones do
    not meet: a server that takes several from one epoll_wait would otherwise
    be judged by how slow strace is."""
    once, twice = (_strace(place, server, row, cores, (rate, seconds))
                   for seconds in (n // rate, 2 * n // rate))
    return {name: figures.per_registration(once[name], twice[name], n)
            for name in sorted(twice)}
