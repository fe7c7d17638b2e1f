# SPDX-License-Identifier: Apache-2.0
"""The command's manners: help, JSON, dry runs, exit status, terminals."""
import fcntl
import http.server
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

from harness import DEADLINE_S, DIALTONE, good, holds, run, same, tap
from place import DEVICE, Place

OTHER, THIRD = "SEP001122334411", "SEP001122334412"

# One line for each command, in an order in which each can be obeyed; behind
# it the exit status. What it says is JSON in any case.
LINES = [
    ("status", 0),
    ("phones", 0),
    (f"phone {DEVICE}", 0),
    (f"phone history {DEVICE}", 0),
    (f"phone cert {DEVICE}", 0),
    (f"explain {DEVICE}", 0),
    ("failures", 0),
    ("trust list", 0),
    ("trust add new-ca.pem --as new-ca.pem", 0),
    ("trust show new-ca.pem", 0),
    ("trust status", 0),
    ("trust check phone.pem", 0),
    ("trust lint", 0),
    ("trust diff other-cluster", 3),
    ("trust remove CAPF-in-use.pem", 3),
    ("trust remove new-ca.pem", 0),
    ("trust reload", 0),
    ("trust expiry", 0),
    ("trust retiring", 0),
    ("trust export --for pem", 0),
    (f"device add {OTHER} --model CP-8861", 0),
    (f"device set {OTHER} --mic yes", 0),
    (f"device show {OTHER}", 0),
    ("device import devices.csv", 0),
    ("device list", 0),
    ("device export", 0),
    ("device export all.csv", 0),
    ("profile list", 0),
    ("profile add mine --mode authenticated", 0),
    ("profile set mine --mode encrypted", 0),
    ("profile show mine", 0),
    ("profile remove mine", 0),
    (f"capf install {OTHER} --mode mic --no-reset", 0),
    (f"capf install {OTHER} --mode mic --no-reset", 3),
    (f"capf delete {OTHER} --mode mic --no-reset --replace", 0),
    (f"capf troubleshoot {OTHER} --mode mic --no-reset --replace", 0),
    ("capf list", 0),
    (f"capf show {OTHER}", 0),
    (f"capf cancel {OTHER}", 0),
    ("capf stale", 0),
    ("capf ledger", 0),
    ("capf audit", 0),
    ("capf audit --check", 0),
    ("capf clock", 0),
    ("capf csr list", 0),
    ("capf csr export --out requests", 0),
    ("capf csr import phone.pem", 1),
    ("capf status", 0),
    ("auto-registration open --for 2h", 0),
    ("auto-registration show", 0),
    ("auto-registration close", 0),
    ("ticket-keys show", 0),
    ("ticket-keys rotate", 0),
    ("ticket-keys revoke-all", 0),
    ("rollover start", 0),
    ("rollover export --for asa", 0),
    ("rollover issue --no-reset", 0),
    ("rollover status", 0),
    ("rollover finish", 3),
    ("lab init another", 0),
    (f"lab phone another {DEVICE}", 0),
    (f"lab revoke another {DEVICE}", 0),
    (f"device remove {OTHER}", 0),
    (f"phone apply {DEVICE}", 0),
    (f"phone restart {DEVICE}", 0),
    ("help", 0),
]
# Those that end otherwise, or say nothing else than others of the list.
NOT_IN_LINES = {"rollover cancel", "phone reset"}

# What each command that changes something answers when it is only tried.
TRIES = [
    (f"phone reset {DEVICE}", 0),
    (f"phone restart {DEVICE}", 0),
    (f"phone apply {DEVICE}", 0),
    (f"phone reset {OTHER}", 1),
    ("trust add new-ca.pem", 0),
    ("trust remove CAPF-in-use.pem", 3),
    ("trust remove CAPF-in-use.pem --force", 3),
    ("trust reload", 1),
    (f"device add {THIRD}", 0),
    (f"device add {OTHER}", 1),
    (f"device set {OTHER} --mic yes", 0),
    (f"device remove {OTHER}", 0),
    (f"device remove {THIRD}", 1),
    ("device import devices.csv", 0),
    ("device import devices.csv --replace", 0),
    ("profile add mine --mode encrypted", 0),
    ("profile set used --mode authenticated", 0),
    ("profile remove used", 1),
    ("profile remove idle", 0),
    (f"capf install {DEVICE} --mode mic", 0),
    (f"capf install {OTHER} --mode mic", 3),
    (f"capf install {OTHER} --mode string --replace --strings-to s.txt", 0),
    (f"capf delete {DEVICE}", 0),
    (f"capf troubleshoot {DEVICE}", 0),
    (f"capf cancel {OTHER}", 0),
    (f"capf cancel {DEVICE}", 1),
    ("capf clock --accept", 1),
    ("capf csr export --out requests", 0),
    ("capf csr import phone.pem", 1),
    ("auto-registration open --for 2h", 0),
    ("auto-registration close", 0),
    ("ticket-keys rotate", 0),
    ("ticket-keys revoke-all", 0),
    ("rollover start", 0),
    ("rollover issue", 1),
    ("rollover finish", 1),
    ("rollover finish --force", 1),
    ("rollover cancel", 1),
    ("trust export --for pem", 0),
    ("trust export --for pem --out other-cluster", 1),
    ("device export all.csv", 0),
    ("device export no-folder/all.csv", 1),
    ("rollover export --for asa", 1),
    ("lab init another", 0),
    ("lab init lab", 1),
    (f"lab phone lab {THIRD}", 0),
    ("lab phone lab ../x", 1),
    (f"lab revoke lab {DEVICE}", 0),
]

STARTED = [("rollover start", 1), ("rollover export --for asa", 0), ("rollover issue --rate 5", 0),
           ("rollover finish", 3), ("rollover finish --force", 0),
           ("rollover cancel", 1)]


# What may differ between two looks at the same thing.
MOVING = re.compile(r'"(lastSeen|registered)": [^,\n]+')


def table():
    return json.loads(good(DIALTONE, "help", "--json"))["commands"]


def name_of(command):
    return " ".join(filter(None, [command["noun"], command.get("verb")]))


def begins_with(line, name):
    return (line + " ").startswith(name + " ")


def which(line, names):
    """The longest name of a command that the line begins with."""
    return max((n for n in names if begins_with(line, n)), key=len,
               default=None)


# ---- help ----

def every_command_has_its_help():
    for command in table():
        name = name_of(command)
        asked = good(DIALTONE, "help", *name.split())
        holds(asked, f"usage: dialtone {name}", command["help"])
        same("--dry-run" in asked, command["changes"], f"dry run of {name}")
        behind = good(DIALTONE, *name.split(), "--help")
        same(behind.splitlines()[0], asked.splitlines()[0])


def what_is_no_command_is_told_what_there_is():
    for words, expected in ((["nonsense"], "status"), (["trust"], "lint"),
                            (["trust", "nonsense"], "lint"), ([], "usage")):
        done = run(DIALTONE, *words)
        same((done.returncode, done.stdout), (2, ""))
        holds(done.stderr, expected)
    done = run(DIALTONE, "device", "show")
    same((done.returncode, done.stdout), (2, ""))
    holds(done.stderr, "usage: dialtone device show NAME")


# ---- JSON ----

def every_command_answers_json():
    names = {name_of(c) for c in table()}
    walked = {which(line, names) for line, _ in LINES}
    same(names - walked, NOT_IN_LINES, "commands that no line has")
    wrong = []
    with Place() as place:
        for line, expected in LINES:
            status, out, err = place.run(f"dialtone {line} --json")
            try:
                json.loads(out)
            except ValueError as error:
                wrong.append(f"{line}: {error}: {out[:200]}")
            if status != expected:
                wrong.append(f"{line}: exit {status}: {out[:300]}{err}")
    tap.none(wrong)


# ---- dry runs ----

def contents(folder):
    found = {}
    for top, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(top, name)
            with open(path, "rb") as f:
                found[path] = f.read()
    return found


def state(place):
    """All that orders change."""
    looks = [place.run(f"dialtone {line} --json")[1] for line in (
        "device list", "profile list", "capf list", "capf csr list",
        "auto-registration show", "ticket-keys show", "rollover status",
        "trust list", "capf ledger")]
    looks = [MOVING.sub("", look) for look in looks]
    looks.append(place.daemon.get(f"/v1/phones/{DEVICE}")["registrations"])
    files = {}
    for folder in ("CallManager-trust", "CAPF-trust", "capf"):
        files.update(contents(place.lab.path(folder)))
    files.update(contents(place.dir))
    orders = [e.text for e in place.daemon.events("admin")]
    return looks, files, orders


def prepare(place):
    for line in (f"device add {OTHER} --profile used",
                 f"capf install {OTHER} --mode mic --no-reset"):
        if "add" in line:
            place.run("dialtone profile add used --mode encrypted")
            place.run("dialtone profile add idle --mode encrypted")
        status, *said = place.run(f"dialtone {line}")
        same(status, 0, f"{line}: {said}")


def changed_by(place, line, expected, before):
    status, out, err = place.run(f"dialtone {line} --dry-run")
    if status != expected:
        return f"{line}: exit {status}: {out}{err}"
    after = state(place)
    looks = [b for a, b in zip(before[0], after[0]) if a != b]
    files = set(before[1].items()) ^ set(after[1].items())
    orders = after[2][len(before[2]):]
    return f"{line}: changed {looks} {[name for name, _ in files]} " \
           f"{orders}" if looks or files or orders else None


def what_is_only_tried_changes_nothing():
    names = {name_of(c) for c in table() if c["changes"]}
    same(names - {which(line, names) for line, _ in TRIES}, set(),
         "commands that nobody tried")
    with Place() as place:
        prepare(place)
        before = state(place)
        wrong = [changed_by(place, *line, before) for line in TRIES]
        same(place.run("dialtone rollover start")[0], 0)
        # The old root is retiring a moment later by itself.
        same(place.run("dialtone trust reload")[0], 0)
        before = state(place)
        wrong += [changed_by(place, *line, before) for line in STARTED]
    tap.none(filter(None, wrong))


def a_dry_run_says_so():
    with Place() as place:
        out = place.run(f"dialtone device add {OTHER} --dry-run")[1]
        holds(out, "Nothing was done", f"{OTHER} is added")
        said = json.loads(place.run(
            f"dialtone device add {OTHER} --dry-run --json")[1])
        same((said["name"], said["dryRun"]), (OTHER, True))


def who_only_looks_has_no_dry_run():
    for command in table():
        if not command["changes"]:
            done = run(DIALTONE, "--dry-run", *name_of(command).split())
            same((done.returncode, done.stdout), (2, ""), name_of(command))
            holds(done.stderr, "--dry-run")


def orders_heed_dry_run_on_the_socket():
    with Place() as place:
        before = state(place)
        for method, path, body in (
                ("DELETE", f"/v1/devices/{DEVICE}", None),
                ("PUT", f"/v1/devices/{OTHER}", {}),
                ("POST", "/v1/ticket-keys/revoke-all", None),
                ("POST", f"/v1/phones/{DEVICE}/reset", None)):
            place.daemon.order(f"{path}?dryRun=true", method, body)
        same(place.daemon.ask_admin(
            "/v1/trust/reload?dryRun=true", "POST")[0], 409)
        same(state(place), before)


# ---- exit status ----

def exit_status_says_how_it_went():
    with Place() as place:
        for line, expected in (
                ("status", 0), (f"device show {OTHER}", 1),
                ("device show", 2), ("status --nonsense", 2),
                ("trust remove CAPF-in-use.pem", 3)):
            same(place.run(f"dialtone {line}")[0], expected, line)
    done = run(DIALTONE, "--url", "http://127.0.0.1:1", "status")
    same(done.returncode, 1)
    holds(done.stderr, "--url", "Is dialtoned running?")


# ---- terminals ----

def on_terminal(place, words, columns, **environment):
    """What a terminal of that width is sent."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    base = {k: v for k, v in place.environment.items()
            if k not in ("COLUMNS", "NO_COLOR")}
    child = subprocess.Popen(
        [DIALTONE, *words], stdin=subprocess.DEVNULL, stdout=slave,
        env={**base, "TERM": "xterm", **environment})
    os.close(slave)
    said = b""
    try:
        while True:
            more = os.read(master, 65536)
            if not more:
                break
            said += more
    except OSError:
        pass  # it hung up
    os.close(master)
    same(child.wait(DEADLINE_S), 0)
    return said.decode()


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def tables_fit_the_terminal_and_are_whole_in_a_pipe():
    with Place() as place:
        whole = place.run("dialtone phones")[1]
        assert max(map(len, whole.splitlines())) > 100, whole
        for columns in (60, 100):
            said = plain(on_terminal(place, ["phones"], columns))
            holds(said, "STATE", DEVICE)
            lengths = [len(line) for line in said.splitlines()]
            assert max(lengths) <= columns, f"{columns}: {said}"


def states_have_colours_where_a_terminal_shows_them():
    with Place() as place:
        assert "\x1b[" in on_terminal(place, ["phones"], 200)
        for no in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            said = on_terminal(place, ["phones"], 200, **no)
            assert "\x1b" not in said, said
        assert "\x1b" not in place.run("dialtone phones")[1]


class Late(http.server.BaseHTTPRequestHandler):
    """Answers once somebody saw the bar."""
    seen = threading.Event()

    def do_GET(self):
        Late.seen.wait(DEADLINE_S)
        body = b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def long_work_shows_itself_on_a_terminal():
    server = http.server.HTTPServer(("127.0.0.1", 0), Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [DIALTONE, "--url", url, "status", "--json"], stderr=slave,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    os.close(slave)
    said = b""
    while b"the registrar works" not in said:
        said += os.read(master, 4096)
    Late.seen.set()
    out, _ = child.communicate(timeout=DEADLINE_S)
    same((child.returncode, json.loads(out)), (0, {}))
    assert os.read(master, 4096).endswith(b"\r\x1b[K")
    os.close(master)
    server.shutdown()
    server.server_close()
    done = run(DIALTONE, "--url", url, "status")
    same(done.returncode, 1)
    assert "\r" not in done.stderr, done.stderr


if __name__ == "__main__":
    sys.exit(tap.run(
        every_command_has_its_help,
        what_is_no_command_is_told_what_there_is,
        every_command_answers_json,
        what_is_only_tried_changes_nothing,
        a_dry_run_says_so,
        who_only_looks_has_no_dry_run,
        orders_heed_dry_run_on_the_socket,
        exit_status_says_how_it_went,
        tables_fit_the_terminal_and_are_whole_in_a_pipe,
        states_have_colours_where_a_terminal_shows_them,
        long_work_shows_itself_on_a_terminal))
