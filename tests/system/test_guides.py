# SPDX-License-Identifier: Apache-2.0
"""Every command of the guides does what the guide says, in its order."""
import os
import re
import sys

from harness import SOURCE, fact, same, tap
from place import Place

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)
EXIT = re.compile(r"# exit (\d+)$")
PROGRAMS = re.compile(r"^(dialtoned?|dialtone-(?:phone|storm)|curl)\b")


def commands(guide):
    """(line, exit status) of all blocks marked sh."""
    with open(os.path.join(SOURCE, "docs", guide), encoding="utf-8") as f:
        blocks = FENCE.findall(f.read())
    for block in blocks:
        for line in block.splitlines():
            found = EXIT.search(line)
            yield line, int(found.group(1)) if found else 0


def every_command_does_what_it_says(guide):
    wrong = []
    with Place() as place:
        for line, expected in commands(guide):
            status, *said = place.run(line)
            if status != expected:
                wrong.append(f"{line}\nexit {status}:\n" + "".join(said))
    tap.none(wrong)


def blocks_hold_commands_of_ours_alone():
    for guide in GUIDES:
        lines = [line for line, _ in commands(guide)]
        assert len(lines) > 5, f"{guide}: {len(lines)} commands"
        tap.none([line for line in lines if not PROGRAMS.match(line)])


def a_command_that_fails_is_noticed():
    with Place() as place:
        same(place.run("dialtone device show SEP00000000DEAD")[0], 1)
        same(place.run("dialtone nonsense")[0], 2)
        same(place.run("dialtone trust remove CAPF-in-use.pem")[0], 3)


GUIDES = ("guide.md", "polling.md", "load-testing.md")

sys.exit(tap.run(
    blocks_hold_commands_of_ours_alone,
    a_command_that_fails_is_noticed,
    *(fact("every_command_of_" + guide.split(".")[0].replace("-", "_"),
           every_command_does_what_it_says, guide)
      for guide in GUIDES)))
