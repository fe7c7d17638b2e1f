# SPDX-License-Identifier: Apache-2.0
"""Adds up the test cases of several meson builds, one by one.

usage: count.py [--failed TEXT]... [--skipped TEXT]... [NAME=BUILD_FOLDER]...

Reads meson-info/intro-tests.json (what speaks TAP), meson-logs/testlog*.json
(what each test printed) and, if it is there, wanted-tests (a line each, of all
that were to be run). Not testlog.junit.xml: meson 1.0 writes a timeout there as
a pass, leaves out a crash after the last subtest, and lets control characters
through that no XML reader takes. --failed and --skipped count what never came
to a test, such as a build that broke. Says the skips, with their reasons, then
what each test that failed printed last, then all failures once more, a line
each: where little of the output is kept, it is the end. The last line on stdout
is `N passed, N failed, N skipped`, the exit status 1 if anything failed or
nothing passed at all.
"""
import glob
import itertools
import json
import os
import re
import sys
from collections import namedtuple

TAIL_LINES = 60
SKIPS_SHOWN = 12  # of one test
REASON_MAX = 300  # characters of what a failed case says of itself

Case = namedtuple("Case", "name verdict reason")

PLAN = re.compile(r"1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?", re.I)
TEST = re.compile(r"(not )?ok\b\s*(\d+)?\s*-?\s*([^#]*)"
                  r"(?:#\s*(skip|todo)\S*\s*(.*))?", re.I)


def why_of(remarks):
    """Of what is said behind a failed case: of a traceback the last line,
    else the first two, as cmocka says what and then where."""
    if remarks and remarks[0].startswith("Traceback "):
        remarks = remarks[-1:]
    return " | ".join(remarks[:2])[:REASON_MAX]


def read_tap(text):
    """The cases of one TAP stream, and why it is broken, or None."""
    cases, planned, broken, remarks = [], 0, None, []
    for line in text.splitlines():
        if line.startswith("#"):
            remarks.append(line.lstrip("# "))
            if cases and cases[-1].verdict == "failed":
                cases[-1] = cases[-1]._replace(reason=why_of(remarks))
            continue
        plan = PLAN.match(line)
        if plan:
            planned += int(plan.group(1))
            if plan.group(2) is not None and plan.group(1) == "0":
                cases.append(Case("all", "skipped", plan.group(2)))
                planned += 1
            continue
        if line.startswith("Bail out!"):
            broken = line
            continue
        test = TEST.match(line)
        if not test:
            continue
        bad, number, name, directive, reason = test.groups()
        directive = (directive or "").lower()
        # cmocka 1.1.5 says a skip as `not ok N # SKIP name`.
        if directive == "skip":
            own_name = name.strip()
            name = own_name or reason or number
            verdict = "skipped"
            reason = reason if own_name else "".join(remarks[-1:])
        else:
            verdict = "failed" if bad or directive == "todo" else "passed"
            reason = ""
        cases.append(Case(name.strip() or f"case {number}", verdict, reason))
        remarks = []
    if broken is None and len(cases) != planned:
        broken = f"planned {planned} cases, ran {len(cases)}"
    return cases, broken


def whole_test(test):
    """The one case of a test that says only an exit status."""
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return Case("", "passed", "")
    if test["result"] == "SKIP":
        lines = test.get("stdout", "").strip().splitlines()
        return Case("", "skipped", lines[-1] if lines else "")
    return Case("", "failed", how_it_ended(test))


def was_cut_off(test):
    return (test["result"] in ("TIMEOUT", "INTERRUPT")
            or test.get("returncode", 0) < 0)


def how_it_ended(test):
    status = test.get("returncode", 0)
    how = f"{test['result'].lower()}, exit status {status}"
    if test["result"] == "TIMEOUT":
        how = f"ran into its time limit after {test['duration']:.0f} s"
    elif test["result"] == "INTERRUPT":
        how = f"interrupted after {test['duration']:.0f} s"
    elif status < 0:
        how = f"killed by signal {-status}"
    lines = test.get("stdout", "").strip().splitlines()
    if was_cut_off(test) and lines:
        how += f"; it last said: {lines[-1][:REASON_MAX]}"
    return how


def cases_of(test, speaks_tap):
    if not speaks_tap:
        return [whole_test(test)]
    cases, broken = read_tap(test.get("stdout", ""))
    # A crash comes after the last case that was printed: it is one more.
    crashed = was_cut_off(test)
    ended = crashed or test.get("returncode", 0) != 0
    told = any(case.verdict == "failed" for case in cases)
    if crashed or (ended and not told):
        cases.append(Case("the program", "failed", how_it_ended(test)))
    elif broken and not told:
        cases.append(Case("the program", "failed", broken))
    elif test["result"] == "ERROR" and not told:
        cases.append(Case("the program", "failed", "its TAP is out of order"))
    elif not cases:
        cases.append(Case("the program", "failed", "ran no case"))
    return cases


def tail(text):
    """The end of what a test printed, without the cases that passed."""
    lines = [line for line in text.rstrip().splitlines()
             if not line.startswith("ok ")]
    cut = ["[…]"] if len(lines) > TAIL_LINES else []
    return "\n".join("    " + line for line in cut + lines[-TAIL_LINES:])


def read_build(folder):
    """Pairs of a test's log entry and its cases."""
    with open(os.path.join(folder, "meson-info", "intro-tests.json"),
              encoding="utf-8") as f:
        tap = {t["name"] for t in json.load(f) if t["protocol"] == "tap"}
    tests = []
    for path in sorted(glob.glob(os.path.join(folder, "meson-logs",
                                              "testlog*.json"))):
        with open(path, encoding="utf-8") as f:
            tests += [json.loads(line) for line in f]
    for test in tests:
        # `dialtone:protocols / bytes` here, `bytes` there
        test["short"] = test["name"].split(" / ", 1)[-1]
        yield test, cases_of(test, test["short"] in tap)


def wanted_of(folder):
    """The names of the tests that were to be run, or none."""
    try:
        with open(os.path.join(folder, "wanted-tests"), encoding="utf-8") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


class Sum:
    """All cases of all builds, in the order they came."""

    def __init__(self):
        self.found = []  # (build, test, case)
        self.logs = {}  # (build, test) → what it printed

    def add_build(self, build, folder):
        try:
            tests = list(read_build(folder))
        except (OSError, ValueError, KeyError) as error:
            why = f"left no readable test log ({error})"
            self.found.append((build, "", Case("the build", "failed", why)))
            return
        if not tests:
            why = Case("the build", "failed", "ran no test")
            self.found.append((build, "", why))
        ran = {test["short"] for test, _ in tests}
        never = Case("the program", "failed", "it was never run")
        self.found += [(build, name, never) for name in wanted_of(folder)
                       if name not in ran and tests]
        for test, cases in tests:
            name = test["short"]
            self.found += [(build, name, case) for case in cases]
            self.logs[build, name] = (test.get("stdout", "")
                                      + test.get("stderr", ""))

    def count(self, build=None):
        verdicts = [case.verdict for b, _, case in self.found
                    if build in (None, b)]
        return ", ".join(f"{verdicts.count(verdict)} {verdict}"
                         for verdict in ("passed", "failed", "skipped"))

    def builds(self):
        return list(dict.fromkeys(build for build, _, _ in self.found if build))

    def tell_skips(self):
        """Each skip once, with the builds it was met in; not 300 a test."""
        where = {}
        for build, test, case in self.found:
            if case.verdict == "skipped":
                where.setdefault(test, {}).setdefault(case, []).append(build)
        for test, cases in where.items():
            for case, builds in list(cases.items())[:SKIPS_SHOWN]:
                print(line("SKIP", ", ".join(builds), test, case))
            more = len(cases) - SKIPS_SHOWN
            if more > 0:
                print(f"SKIP {test}: and {more} more like these")

    def tell_failures(self):
        failed = [f for f in self.found if f[2].verdict == "failed"]
        for place, found in itertools.groupby(failed, lambda f: f[:2]):
            for build, test, case in found:
                print(line("FAIL", build, test, case))
            if place in self.logs:
                print(tail(self.logs[place]))
        if failed:
            print("What failed, in short:")
        for build, test, case in failed:
            print("  " + line("FAIL", build, test, case))


def line(word, build, test, case):
    """`FAIL asan bytes: name: reason`, of what there is."""
    place = " ".join(filter(None, [word, build, test]))
    says = ": ".join(filter(None, [case.name, case.reason]))
    return f"{place}: {says}" if build and says else f"{place} {says}".strip()


def main(arguments):
    total, verdict = Sum(), None
    for argument in arguments:
        if argument in ("--failed", "--skipped"):
            verdict = argument[2:]
        elif verdict:
            total.found.append(("", "", Case(argument, verdict, "")))
            verdict = None
        else:
            total.add_build(*argument.split("=", 1))
    total.tell_skips()
    total.tell_failures()
    for build in total.builds():
        print(f"{build}: {total.count(build)}")
    print(total.count())
    verdicts = {case.verdict for _, _, case in total.found}
    return 0 if "passed" in verdicts and "failed" not in verdicts else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
