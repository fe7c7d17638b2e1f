# SPDX-License-Identifier: Apache-2.0
"""An admin with an inventory to look after, and the command to do it."""
import json

from harness import DIALTONE, good, run, same
from lab import Lab

LAB = Lab()
made = 0


def config(**changes):
    """A state folder of its own each time."""
    global made
    made += 1
    changes.setdefault("state", {"folder": f"state-{made}"})
    changes.setdefault("admin", {"socket": "admin.sock"})
    return LAB.config(**changes)


def state_folder():
    """Of the last configuration."""
    return LAB.path(f"state-{made}")


class Admin:
    """The command, as an admin of that daemon types it."""

    def __init__(self, daemon):
        self.words = [DIALTONE, "--socket", daemon.admin_socket]

    def say(self, *words, **options):
        return good(*self.words, *words, **options)

    def json(self, *words):
        return json.loads(self.say(*words, "--json"))

    def refused(self, *words, code=1, **options):
        done = run(*self.words, *words, **options)
        same((done.returncode, done.stdout), (code, ""), f"{words}")
        return done.stderr

    def import_text(self, text, *words):
        path = LAB.path("import.csv")
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        return [path, *words]
