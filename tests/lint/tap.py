# SPDX-License-Identifier: Apache-2.0
"""Runs functions whose names state facts and prints what came of them as TAP.

A fact returns (true), raises AssertionError (false), or raises Skip.
"""
import traceback


class Skip(Exception):
    """Why a fact cannot be looked at on this machine."""


def remark(text):
    print("".join(f"# {line}\n" for line in text.splitlines()), end="")


def none(findings):
    """Fails, listing them, if there are findings."""
    findings = list(findings)
    assert not findings, "\n".join(map(str, findings))


def run(*facts):
    print(f"1..{len(facts)}")
    failed = 0
    for number, fact in enumerate(facts, 1):
        name = fact.__name__.replace("_", " ")
        try:
            fact()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as error:  # a broken test is a failed one
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            known = isinstance(error, AssertionError) and str(error)
            remark(str(error) if known else traceback.format_exc())
    return 1 if failed else 0
