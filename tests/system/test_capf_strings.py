# SPDX-License-Identifier: Apache-2.0
"""Authentication strings: what they open, how often, and who reads them."""
import contextlib
import os
import sys
import time

import capf_client as capf
from admin import state_folder
from enrolment import DEVICE, Place, string_of
from harness import SLOW, good, holds, same, tap, wait_until

KEY = capf.Key("P-384")
TEN = "--digits", "10"  # nobody else writes these ten by chance
INVALID = "Upgrade Failed: Invalid Authentication String"


def another(string):
    """As long, and wrong at its end."""
    return string[:-1] + ("1" if string[-1] != "1" else "2")


def comes_with(place, string):
    """One visit; the reason of the END_SESSION that it got at once."""
    with capf.Visit(place.daemon.port("capf")) as visit:
        end = visit.authenticate(DEVICE, string)
        same(end.command, capf.END_SESSION, "what the phone is told")
        return end.reason


def is_refused(place, string, reason, state="pending"):
    """By name, and without an LSC; what it is told is said everywhere."""
    mark = place.daemon.mark()
    same(comes_with(place, string), capf.DECLINED, "the end")
    shown = place.show()
    same((shown["reason"]["name"], shown["operationStatus"],
          shown["state"]), (reason, INVALID, state))
    logged = place.daemon.wait_event("refused", mark, rule=f"capf-{reason}",
                                     device=DEVICE)
    holds(logged.fields["why"], shown["reason"]["detail"])
    holds(place.explain(), f"capf-{reason}", INVALID)
    return shown


def installs_with(place, string):
    capf.install(place.daemon.port("capf"), DEVICE, KEY, password=string)
    place.status_is("Upgrade Success")


def who_wrote(needle, folder):
    """The files of a folder with these bytes in them."""
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(top, name), "rb") as f:
                if needle.encode() in f.read():
                    found.append(name)
    return found


def answers(place):
    """All that is said of this phone, and of everybody."""
    daemon = place.daemon
    for path in ("/v1/status", "/v1/capf", "/v1/phones", "/v1/failures",
                 f"/v1/phones/{DEVICE}", f"/v1/phones/{DEVICE}/history",
                 "/metrics"):
        yield daemon.fetch(path)[1]
    for words in (("capf", "show", DEVICE), ("capf", "list"),
                  ("capf", "ledger"), ("capf", "audit"), ("device", "list"),
                  ("phone", "cert", DEVICE)):
        yield good(*place.admin.words, *words, "--json")
    yield place.explain()


def in_memory(needle, pid):
    """Where the process has these bytes; stacks and heaps, all it may write.
    """
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            area, rights = line.split()[:2]
            first, end = (int(x, 16) for x in area.split("-"))
            # What is larger is a sanitizer's shadow, which has no text in it.
            if not rights.startswith("rw") or end - first > 1 << 28:
                continue
            with contextlib.suppress(OSError):
                memory.seek(first)
                if needle.encode() in memory.read(end - first):
                    found.append(line.strip())
    return found


# ---- facts ----

def once_told_it_is_in_nobody_s_memory():
    if os.geteuid() != 0:
        tap.remark("skipped: it takes root to look into a daemon's memory")
        return
    with Place("EC") as place:
        string = string_of(place, *TEN)
        assert in_memory(DEVICE, place.daemon.pid), "nothing is found"
        wait_until("it to be gone", lambda: not in_memory(
            string, place.daemon.pid))


def it_opens_once():
    with Place("EC") as place:
        right = string_of(place)
        installs_with(place, right)
        [row] = place.ledger()
        same(comes_with(place, right), capf.NO_ACTION, "nothing is pending")
        # Nor does it open what is ordered later.
        string_of(place)
        same(is_refused(place, right, "wrong-string")["wrongStrings"], 1)
        same(place.ledger(), [row], "the ledger")


def three_wrong_ones_lock_it_over_kill_9():
    with Place("EC") as place:
        right = string_of(place)
        for tries in (1, 2):
            shown = is_refused(place, another(right), "wrong-string")
            same(shown["wrongStrings"], tries)
            place.kill()
        # No string at all is no try.
        is_refused(place, None, "no-string")
        is_refused(place, another(right), "string-locked", "failed")
        place.kill()
        same(comes_with(place, right), capf.NO_ACTION, "nothing is pending")
        same((place.show()["reason"]["name"], place.ledger()),
             ("string-locked", []))
        installs_with(place, string_of(place))


def two_wrong_ones_do_not():
    with Place("EC") as place:
        right = string_of(place)
        for _ in range(2):
            is_refused(place, another(right), "wrong-string")
        installs_with(place, right)


def it_expires():
    with Place("EC") as place:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                              time.gmtime(time.time() + 2 + 2 * SLOW))
        right = string_of(place, "--string-until", until)
        wait_until(until, lambda: place.daemon.get("/v1/status")["now"]
                   >= until)
        shown = is_refused(place, right, "string-expired")
        holds(shown["reason"]["detail"], until)
        same(place.ledger(), [])
        installs_with(place, string_of(place, "--replace"))


def nobody_reads_it_but_whom_the_order_told():
    with Place("EC") as place:
        right = string_of(place, *TEN)
        typed = another(right), right + "0"
        for wrong in typed:
            is_refused(place, wrong, "wrong-string")
        for needle in (right, *typed):
            same(who_wrote(needle, state_folder()), [], "files, pending")
        # What a dead daemon leaves behind is not tidied up.
        logged = place.daemon.log.lines
        place.kill()
        same(who_wrote(DEVICE, state_folder()) != [], True,
             "the folder names the device")
        for needle in (right, *typed):
            same(who_wrote(needle, state_folder()), [], "files, killed")
        installs_with(place, right)
        said = "\n".join([*logged, *place.daemon.log.lines,
                          *answers(place)])
        for needle in (right, *typed):
            assert needle not in said, needle
            same(who_wrote(needle, state_folder()), [], "files, done")


if __name__ == "__main__":
    sys.exit(tap.run(it_opens_once,
                     three_wrong_ones_lock_it_over_kill_9,
                     two_wrong_ones_do_not,
                     it_expires,
                     once_told_it_is_in_nobody_s_memory,
                     nobody_reads_it_but_whom_the_order_told))
