# SPDX-License-Identifier: Apache-2.0
"""What does not depend on the machine's mood: instructions and system calls.

Two storms, one of n and one of 2 n registrations; their difference is n of
them and nothing else: start, priming and end are in both.
"""
import contextlib
import glob
import os
import re
import shutil
import subprocess
from collections import Counter

import figures
import processes
import storms

PHONES = 8
WARM = 2
PATIENCE_S = 60  # valgrind is some fifty times slower
VGDB_S = 60


def missing(*tools):
    """Which of them is not there; None: all are."""
    return next((f"{tool} is not installed" for tool in tools
                 if not shutil.which(tool)), None)


def steady(row):
    """The row with a server key that priming does not tell from one run to
    the other: with RSA, OpenSSL makes its blinding anew at every 32nd
    signature, which costs as much as seven resumptions."""
    return row if row.resume == "full" else row._replace(key="ec")


def _storm(place, running, row, core, rate):
    """One second of arrivals."""
    storms.check(storms.call(core, storms.words(
        place, running, row, rate, 1, PHONES, "--patience", PATIENCE_S)), row)


def seen_by_openssl():
    """Which instructions OpenSSL finds when it runs in valgrind, which hides
    some. Figures of two machines compare where these are the same."""
    done = subprocess.run(
        ["valgrind", "--quiet", "--tool=none", "openssl", "info",
         "-cpusettings"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


class Instructions:
    """A server in callgrind; every count starts and ends with a dump."""

    def __init__(self, place, running, folder):
        self.place, self.running, self.folder = place, running, folder

    def _so_far(self):
        """Of all threads and processes: a dump sets what it counts to 0."""
        for pid in processes.family(self.running.pid):
            subprocess.run(
                ["vgdb", f"--pid={pid}", "--wait=5", "dump"], check=True,
                timeout=VGDB_S, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
        total = 0
        for path in glob.glob(os.path.join(self.folder, "out.*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                found = re.search(r"^totals: (\d+)", f.read(), re.M)
            total += int(found[1]) if found else 0
        return total

    def each(self, row, core, n):
        """Of one registration. What only the first one costs is not in it.
        With full handshakes and an RSA key, 3 n < 30: see steady()."""
        storms.call(core, storms.words(self.place, self.running, row, WARM, 1,
                                       WARM, "--patience", PATIENCE_S))
        marks = [self._so_far()]
        for rate in (n, 2 * n):
            _storm(self.place, self.running, row, core, rate)
            marks.append(self._so_far())
        if marks[0] == 0:
            raise storms.NoRow("callgrind counted nothing")
        return figures.per_registration(
            marks[1] - marks[0], marks[2] - marks[1], n)


@contextlib.contextmanager
def callgrind(place, server, row, core):
    folder = place.new_folder()
    with server.running(
            place, row, core,
            ["valgrind", "--tool=callgrind", "--quiet",
             "--trace-children=yes", "--vgdb=yes",
             f"--callgrind-out-file={folder}/out.%p"]) as running:
        yield Instructions(place, running, folder)


CALL = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$",
                  re.M)


def read_calls(text):
    """What strace -c has counted, by name."""
    return Counter({name: int(n) for n, name in CALL.findall(text)
                    if name != "total"})


def _strace(place, server, row, cores, rate):
    path = os.path.join(place.new_folder(), "calls")
    with server.running(place, row, cores[0],
                        ["strace", "-c", "-f", "-qq", "-o", path]) as running:
        _storm(place, running, row, cores[1], rate)
    with open(path, encoding="utf-8") as f:
        calls = read_calls(f.read())
    if not calls:
        raise storms.NoRow("strace counted nothing")
    return calls


def calls(place, server, row, cores, n):
    """System calls of one registration, by name. n and 2 n a second are few
    enough that phones do not meet: a server that takes several from one
    epoll_wait would otherwise be judged by how slow strace is."""
    once, twice = (_strace(place, server, row, cores, rate)
                   for rate in (n, 2 * n))
    return {name: figures.per_registration(once[name], twice[name], n)
            for name in sorted(twice)}
