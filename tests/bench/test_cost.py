# SPDX-License-Identifier: Apache-2.0
"""What a registration costs dialtoned stays within bench/cost.json."""
import os
import sys
import tempfile

SOURCE = os.environ["DIALTONE_SOURCE"]
BUILD = os.environ["DIALTONE_BUILD"]
sys.path[1:1] = [os.path.join(SOURCE, "tests", "lint"),
                 os.path.join(SOURCE, "bench", "lib")]

import costs  # noqa: E402  (lives there)
import tap  # noqa: E402


# The daemon watches each folder on the way to its trust. In /tmp others write:
# their events would be counted.
tempfile.tempdir = BUILD


class Found:
    """What is found, once for all facts."""
    figures = None
    error = None


def figures():
    why = costs.missing()
    if why:
        raise tap.Skip(why)
    if Found.error:
        raise AssertionError(f"not measured: {Found.error}")
    if Found.figures is None:
        try:
            Found.figures = costs.measure(BUILD)
        except Exception as error:
            Found.error = error
            raise
    return Found.figures


def stays(name, kind):
    def check():
        judged = costs.judge(costs.read(), figures(), name, kind)
        if judged.verdict == "unknown":
            raise tap.Skip(judged.text)
        tap.remark(judged.text)
        assert judged.verdict in ("same", "shrunk"), judged.text
    check.__name__ = f"{kind} of {name} stay"
    return check


def found(cpu="a", **changes):
    row = {"instructions": 1000, "calls": 20.0}
    return {"cpu": cpu, "registrations": {
        "id": {**row, **changes}, "full": {**row, **changes}}}


def verdict(name, kind, **changes):
    return costs.judge(found(), found(**changes), name, kind).verdict


def a_figure_that_grew_is_told_from_one_that_shrank():
    for changes, expected in (({"instructions": 1100}, "same"),
                              ({"instructions": 1101}, "grown"),
                              ({"instructions": 899}, "shrunk")):
        now = verdict("id", "instructions", **changes)
        assert now == expected, f"{changes}: {now}"
    assert verdict("id", "calls", calls=22.1) == "grown"


def a_figure_that_the_file_does_not_have_is_no_good_one():
    nothing = {"cpu": "a", "registrations": {}}
    judged = costs.judge(nothing, found(), "id", "calls")
    assert judged.verdict == "new" and "--write" in judged.text, judged


def arithmetic_of_keys_is_judged_only_where_openssl_has_the_same_ways():
    more = {"cpu": "b", "instructions": 5000, "calls": 50}
    assert verdict("full", "instructions", **more) == "unknown"
    assert verdict("full", "calls", **more) == "grown"
    assert verdict("id", "instructions", **more) == "grown"


if __name__ == "__main__":
    sys.exit(tap.run(
        a_figure_that_grew_is_told_from_one_that_shrank,
        a_figure_that_the_file_does_not_have_is_no_good_one,
        arithmetic_of_keys_is_judged_only_where_openssl_has_the_same_ways,
        *(stays(kept.row, kind) for kept in costs.KEPT
          for kind in costs.KINDS)))
