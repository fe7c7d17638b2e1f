# SPDX-License-Identifier: Apache-2.0
"""Orders to CAPF that take long: others are served meanwhile."""
import hashlib
import json
import sqlite3
import sys
import threading

import capf_client as capf
from admin import LAB, Admin, config, state_folder
from daemon import Daemon
from harness import same, tap, wait_until
from lab import listener

FIRST = "SEP02000000DB01"
MANY = [f"SEP02000D{i:06X}" for i in range(5000)]  # the most of one order
LINKS = 60000


def capf_config():
    return config(
        listeners=[*LAB.base["listeners"], listener("capf", profile="legacy")],
        trust={"capf": "CAPF-trust"}, capf={"folder": "capf"},
        limits={"devices": 20000})


def beside(work):
    """A thread that does it, and what it came to."""
    done = []

    def do():
        try:
            done.append(work())
        except OSError as error:
            done.append(error)
    thread = threading.Thread(target=do)
    thread.start()
    return thread, done


def import_all(admin):
    admin.say("device", "import", *admin.import_text(
        "name\n" + "".join(f"{n}\n" for n in MANY)))


def strings_for_thousands_hold_nobody_up_nor_the_end():
    path = capf_config()
    with Daemon(path) as daemon:
        admin = Admin(daemon)
        import_all(admin)
        order = {"operation": "install", "mode": "string", "tell": False,
                 "devices": MANY}
        thread, done = beside(lambda: daemon.ask_admin(
            "/v1/capf/operations", "POST", order))
        progress = wait_until("strings to be hashed", lambda: next(
            (p for p in [daemon.order("/v1/capf/progress", "GET")]
             if p["done"]), None))
        same(progress["of"], len(MANY), "devices of the order")
        # An order of another admin's, and a phone, are through before it.
        admin.say("device", "add", FIRST)
        admin.say("capf", "install", FIRST, "--mode", "null", "--no-reset")
        capf.install(daemon.port("capf"), FIRST)
        assert not done, "the order was through first"
        now = daemon.order("/v1/capf/progress", "GET")
        assert progress["done"] < now["done"] < now["of"], (progress, now)
        daemon.stop()
        thread.join()
        tap.remark(f"answered when the daemon ends: {str(done)[:200]}")
    with Daemon(path) as daemon:
        same(Admin(daemon).json("capf", "list", "--pending")["operations"],
             [], "what is queued of it")


def netstring(text):
    raw = str(text).encode()
    return b"%d:%s," % (len(raw), raw)


def fill_chain(folder, more):
    """As capf_store.h says how a link is hashed."""
    records = sqlite3.connect(folder + "/capf.db")
    with records:
        number, last = records.execute(
            "SELECT number, hash FROM head").fetchone()
        for number in range(number + 1, number + more + 1):
            row = (number, 1764100000, "note", "", "", "", "a link")
            last = hashlib.sha256(
                last + b"".join(map(netstring, row))).digest()
            records.execute("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?)",
                            (*row, last))
        records.execute("UPDATE head SET number = ?, hash = ?",
                        (number, last))
    records.close()
    return number


def a_long_chain_is_walked_beside_phones():
    path = capf_config()
    folder = state_folder()
    with Daemon(path) as daemon:
        Admin(daemon).say("device", "add", FIRST)
        Admin(daemon).say("capf", "install", FIRST, "--mode", "null",
                          "--no-reset")
    links = fill_chain(folder, LINKS)
    with Daemon(path) as daemon:
        thread, done = beside(lambda: json.loads(Admin(daemon).say(
            "capf", "audit", "--check", "--json")))
        capf.install(daemon.port("capf"), FIRST)
        thread.join()
        assert done[0]["links"] >= links and done[0]["holds"], done


if __name__ == "__main__":
    sys.exit(tap.run(strings_for_thousands_hold_nobody_up_nor_the_end,
                     a_long_chain_is_walked_beside_phones))
