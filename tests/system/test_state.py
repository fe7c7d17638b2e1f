# SPDX-License-Identifier: Apache-2.0
"""The state folder: what is acknowledged lasts, what is damaged is refused."""
import http.client
import json
import os
import random
import re
import resource
import shutil
import sqlite3
import sys
import threading
import time

from daemon import Daemon, UnixClient, refuses_to_start
from harness import (DEADLINE_S, DIALTONE, SANITIZER, SLOW, good, holds, needs,
                     run, same, tap, wait_until)
from lab import Lab

LAB = Lab()
STATE = LAB.path("state")
DATABASE = os.path.join(STATE, "devices.db")
CONFIG = LAB.config(state={"folder": "state"}, admin={"socket": "admin.sock"})
KILLS = 12
NAMES = 40  # devices that the loop goes on changing


def fresh(count=0):
    """An empty state folder, or one with some devices in it."""
    shutil.rmtree(STATE, ignore_errors=True)
    if count:
        with Daemon(CONFIG) as daemon:
            rows = "".join(f"SEP{n},row {n}\n" for n in range(count))
            daemon.order("/v1/devices/import", "POST",
                         "name,description\n" + rows, "text/csv")


def held(daemon):
    """Every device's description, by name."""
    found, after = {}, ""
    while after is not None:
        page = daemon.order(f"/v1/devices?after={after}", "GET")
        found.update({d["name"]: d["description"] for d in page["devices"]})
        after = page.get("next")
    return found


# ---- kill -9 ----

class Changer(threading.Thread):
    """Changes the inventory until the daemon dies under it; knows what was
    acknowledged, and the one change that was not."""

    def __init__(self, daemon, acknowledged, seed):
        super().__init__(daemon=True)
        self.client = UnixClient(daemon.admin_socket, timeout=DEADLINE_S)
        self.held = acknowledged
        self.open = {}  # by name: what it may be besides
        self.count = 0
        self.fault = None  # an answer that should not be
        self.chance = random.Random(seed)

    def ask(self, method, path, body=None, kind="application/json"):
        self.client.request(method, path, body, {"Content-Type": kind})
        answer = self.client.getresponse()
        said = answer.read().decode()
        if answer.status not in (200, 404):
            self.fault = (method, path, answer.status, said)

    def change(self, wanted):
        """wanted: by name, a description, or None to remove it."""
        self.open = wanted
        if len(wanted) > 1:
            rows = "".join(f"{n},{d}\n" for n, d in wanted.items())
            self.ask("POST", "/v1/devices/import",
                     "name,description\n" + rows, "text/csv")
        for name, text in wanted.items() if len(wanted) == 1 else ():
            if text is None:
                self.ask("DELETE", f"/v1/devices/{name}")
            else:
                self.ask("PUT", f"/v1/devices/{name}",
                         json.dumps({"description": text,
                                     "lines": [{"number": "1"}]}))
        self.held.update(wanted)
        self.open = {}
        self.count += 1

    def run(self):
        names = [f"SEP{n:03}" for n in range(NAMES)]
        try:
            while True:
                text = f"change {self.count} of {self.name}"
                kind = self.chance.random()
                some = self.chance.sample(names, 10 if kind > 0.9 else 1)
                self.change({name: None if kind < 0.2 else text
                             for name in some})
        except (OSError, http.client.HTTPException):
            self.client.close()


def whole_files():
    """What SQLite says of the file, its log included."""
    db = sqlite3.connect(DATABASE)
    try:
        same(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        lost = db.execute("SELECT count(*) FROM line WHERE device NOT IN "
                          "(SELECT name FROM device)").fetchone()
        same(lost, (0,), "lines without a device")
    finally:
        db.close()


def acknowledged_changes_outlive_kill_9():
    fresh()
    chance = random.Random(1)
    known, changes = {}, 0
    for turn in range(KILLS):
        with Daemon(CONFIG) as daemon:
            changer = Changer(daemon, known, turn)
            changer.start()
            # However far it comes: the moment is chance's.
            changer.join(chance.uniform(0.02, 0.4) * SLOW)
            daemon.kill()
            changer.join()
            same(changer.fault, None, "an answer")
            changes += changer.count
        if turn % 3 == 0:  # else the next start reads the log by itself
            whole_files()
        with Daemon(CONFIG) as daemon:
            found = held(daemon)
        open_ones = changer.open
        for name in {*found, *known, *open_ones}:
            may_be = [known.get(name)]
            if name in open_ones:
                may_be.append(open_ones[name])
            assert found.get(name) in may_be, \
                f"{name} is {found.get(name)!r}, not one of {may_be}"
        taken = [found.get(n) == t for n, t in open_ones.items()
                 if known.get(n) != t]
        assert all(taken) or not any(taken), "half an import"
        known = found
    assert changes > KILLS, f"{changes} changes"
    tap.remark(f"{changes} changes, {KILLS} kills")


def it_is_on_the_disk_before_the_answer_leaves():
    strace = needs("strace")
    if SANITIZER:
        raise tap.Skip("a sanitizer does not bear being traced")
    fresh()
    log = LAB.path("strace")
    tracer = [strace, "-D", "-f", "-s", "100", "-y", "-e",
              "trace=fsync,fdatasync,pwrite64,sendto,sendmsg,writev",
              "-o", log]
    with Daemon(CONFIG, *tracer) as daemon:
        daemon.order("/v1/devices/SEP1", "PUT", {})

    def traced():
        with open(log, encoding="utf-8", errors="replace") as f:
            said = f.read()
        return said if f"{daemon.pid} +++ exited" in said.replace("  ", " ") \
            else None

    lines = wait_until("strace to end", traced).splitlines()
    answered = next(n for n, line in enumerate(lines) if "HTTP/1.1 200" in line)
    calls = [re.search(r"(pwrite64|f\w*sync)\(.*devices\.db-wal>", line)
             for line in lines[:answered]]
    same([call.group(1) for call in calls if call][-2:],
         ["pwrite64", "fdatasync"], "the last calls before the answer")


# ---- what a start finds ----

def refuses(*words, **options):
    why = refuses_to_start(CONFIG, **options).fields["why"]
    holds(why, *words)


def a_missing_database_is_no_empty_inventory():
    fresh(5)
    os.rename(DATABASE, DATABASE + ".away")
    refuses(DATABASE, "is missing", "restore it from a backup")
    assert not os.path.exists(DATABASE), "it was made anew"
    os.rename(DATABASE + ".away", DATABASE)
    with Daemon(CONFIG) as daemon:
        same(len(held(daemon)), 5)


def an_empty_database_is_no_empty_inventory():
    fresh(5)
    os.truncate(DATABASE, 0)
    refuses(DATABASE, "is empty", "restore it from a backup")
    same(os.path.getsize(DATABASE), 0, "size")


def a_damaged_database_is_refused():
    fresh(500)
    size = os.path.getsize(DATABASE)
    with open(DATABASE, "r+b") as f:
        f.seek(size // 2 // 4096 * 4096)
        f.write(os.urandom(8192))
    refuses(DATABASE, "is damaged", "restore it from a backup")


def a_file_of_something_else_is_refused():
    fresh(1)
    with open(DATABASE, "w", encoding="ascii") as f:
        f.write("this was once a letter to my bank\n")
    refuses(DATABASE, "is no SQLite database")


def another_programs_database_is_refused():
    fresh()
    os.mkdir(STATE)
    db = sqlite3.connect(DATABASE)
    db.execute("CREATE TABLE device (name TEXT)")
    db.commit()
    db.close()
    refuses(DATABASE, "another program")


def a_newer_database_is_refused():
    fresh(1)
    db = sqlite3.connect(DATABASE)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    refuses(DATABASE, "version 99", "run the newer one")


def rules_hold_for_what_was_written_by_hand():
    fresh(1)
    db = sqlite3.connect(DATABASE)
    db.execute("UPDATE device SET description = ?", ["a\x01b"])
    db.commit()
    db.close()
    refuses("SEP0", "description", "damaged")


def a_second_daemon_is_refused():
    fresh(1)
    other = LAB.config(state={"folder": "state"},
                       admin={"socket": "other.sock"})
    with Daemon(CONFIG) as daemon:
        why = refuses_to_start(other).fields["why"]
        holds(why, STATE, "another dialtoned", "state.folder")
        same(len(held(daemon)), 1)


def a_database_in_use_is_refused():
    fresh(1)
    db = sqlite3.connect(DATABASE, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    refuses(DATABASE, "another program has it open")
    db.close()


def a_folder_that_cannot_be_is_refused():
    fresh()
    with open(STATE, "w", encoding="ascii"):
        pass
    refuses(STATE, "is no folder")
    os.unlink(STATE)
    nowhere = LAB.config(state={"folder": "no/such/place"})
    holds(refuses_to_start(nowhere).fields["why"], "no/such/place",
          "state.folder")


def mounted(words):
    """A file system at STATE, or a skip."""
    if os.getuid() != 0:
        raise tap.Skip("only root can mount a file system for this")
    done = run(needs("mount"), *words, STATE)
    if done.returncode:
        raise tap.Skip(f"cannot mount here: {done.stderr.strip()}")


def a_read_only_folder_is_refused():
    fresh(3)
    mounted(["--bind", STATE])
    try:
        remount = run("mount", "-o", "remount,bind,ro", STATE)
        if remount.returncode:
            raise tap.Skip(f"cannot mount here: {remount.stderr.strip()}")
        refuses(STATE, "Read-only file system")
    finally:
        run("umount", STATE)
    with Daemon(CONFIG) as daemon:
        same(len(held(daemon)), 3)


def a_folder_of_somebody_else_is_refused():
    """The same without any right to mount: the daemon is nobody."""
    if os.getuid() != 0:
        raise tap.Skip("only root can run a daemon as somebody else")
    fresh(3)
    os.chmod(LAB.top, 0o755)
    for top, _, names in os.walk(LAB.dir):
        if top.startswith(STATE):
            continue
        os.chmod(top, 0o755)
        for name in names:
            os.chmod(os.path.join(top, name), 0o644)
    done = run(DIALTONE, "--version", user=65534)
    if done.returncode:
        raise tap.Skip("nobody may not run the programs of this build")
    refuses(STATE, user=65534, group=65534)
    with Daemon(CONFIG) as daemon:
        same(len(held(daemon)), 3)


# ---- the disk fills up ----

BIG = "name,description\n" + "".join(
    f"SEPX{n},{'long ' * 20}\n" for n in range(20000))


def goes_on_without_room(daemon):
    """A change is refused as a whole, and the daemon serves on."""
    before = held(daemon)
    status, said = daemon.ask_admin("/v1/devices/import", "POST", BIG,
                                    "text/csv")
    assert status in (500, 507), (status, said)
    holds(said["detail"], "devices.db", "was not written")
    daemon.wait_event("admin", outcome="failed")
    same(held(daemon), before)
    same(daemon.fetch("/healthz")[0], 200)


def a_full_disk_refuses_the_change_whole():
    fresh()
    os.mkdir(STATE)
    mounted(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"])
    try:
        with Daemon(CONFIG) as daemon:
            daemon.order("/v1/devices/SEP1", "PUT", {"description": "a"})
            goes_on_without_room(daemon)
            daemon.order("/v1/devices/SEP2", "PUT", {"description": "b"})
            daemon.kill()
        with Daemon(CONFIG) as daemon:
            same(held(daemon), {"SEP1": "a", "SEP2": "b"})
    finally:
        run("umount", STATE)


def a_file_that_may_not_grow_refuses_the_change_whole():
    """The same without any right to mount: a limit of the process."""
    fresh()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))

    # Python ignores SIGXFSZ, and so does its child then.
    with Daemon(CONFIG, preexec_fn=limit, restore_signals=False) as daemon:
        daemon.order("/v1/devices/SEP1", "PUT", {"description": "a"})
        goes_on_without_room(daemon)
        daemon.order("/v1/devices/SEP2", "PUT", {"description": "b"})
        daemon.kill()
    with Daemon(CONFIG) as daemon:
        same(held(daemon), {"SEP1": "a", "SEP2": "b"})


def files_are_private():
    fresh(1)
    same(oct(os.stat(STATE).st_mode & 0o777), "0o700")
    with Daemon(CONFIG):
        for name in os.listdir(STATE):
            mode = os.stat(os.path.join(STATE, name)).st_mode & 0o777
            same(oct(mode), "0o600", name)


def many_devices():
    """50,000 of them: no timing that could fail, but a remark."""
    fresh()
    count = 50000 // SLOW
    path = LAB.path("many.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("name,protocol,model,description,profile,mic,line1,"
                "line1_label,line2\n")
        for n in range(count):
            f.write(f"SEP{n:012X},sip,CP-8861,Desk {n},encrypted,no,"
                    f"{100000 + n},User {n},{200000 + n}\n")
    with Daemon(CONFIG) as daemon:
        began = time.monotonic()
        holds(good(DIALTONE, "--socket", daemon.admin_socket, "device",
                   "import", path), f"added {count},")
        tap.remark(f"{count} devices imported in "
                   f"{time.monotonic() - began:.1f} s")
        out = LAB.path("again.csv")
        good(DIALTONE, "--socket", daemon.admin_socket, "device", "export",
             out)
    began = time.monotonic()
    with Daemon(CONFIG) as daemon:
        tap.remark(f"started with them in {time.monotonic() - began:.2f} s")
        same(daemon.get("/v1/status")["inventory"]["devices"], count)
        memory = daemon.get("/v1/status")["memory"]["residentBytes"]
        tap.remark(f"resident with {count} devices: {memory >> 20} MB")
        with open(out, encoding="utf-8", newline="") as f:
            again = daemon.order("/v1/devices/import?replace=true", "POST",
                                 f.read(), "text/csv")
        same(again["unchanged"], count)


if __name__ == "__main__":
    sys.exit(tap.run(
        acknowledged_changes_outlive_kill_9,
        it_is_on_the_disk_before_the_answer_leaves,
        a_missing_database_is_no_empty_inventory,
        an_empty_database_is_no_empty_inventory,
        a_damaged_database_is_refused,
        a_file_of_something_else_is_refused,
        another_programs_database_is_refused,
        a_newer_database_is_refused,
        rules_hold_for_what_was_written_by_hand,
        a_second_daemon_is_refused,
        a_database_in_use_is_refused,
        a_folder_that_cannot_be_is_refused,
        a_read_only_folder_is_refused,
        a_folder_of_somebody_else_is_refused,
        a_full_disk_refuses_the_change_whole,
        a_file_that_may_not_grow_refuses_the_change_whole,
        files_are_private,
        many_devices))
