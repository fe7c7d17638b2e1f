# SPDX-License-Identifier: Apache-2.0
"""The admin plane: who may give orders, what they do, what is written down."""
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile

from clients import s_client_visit
from daemon import Daemon, refuses_to_start
from harness import (DEADLINE_S, DIALTONE, DIALTONED, SANITIZER, fact, good,
                     holds, needs, run, same, tap, wait_until)
from lab import Lab

LAB = Lab()
DEVICE = LAB.phone("SEP0200000000C1")
KEYS, ROTATE, REVOKE = ("/v1/ticket-keys", "/v1/ticket-keys/rotate",
                        "/v1/ticket-keys/revoke-all")
NOBODY = 65534
CROWD = 70  # more than the plane has places for

# How a phone may come back: TLS version, what else s_client is told, and what
# tls.resumption must be.
MODES = {
    "a TLS 1.2 ticket": ("1.2", [], "all"),
    "a TLS 1.2 session id": ("1.2", ["-no_ticket"], "all"),
    "a TLS 1.3 PSK": ("1.3", [], "all"),
    "a TLS 1.3 PSK without ticket keys": ("1.3", [], "ids"),
}


def config(**changes):
    changes.setdefault("admin", {"socket": "admin.sock"})
    return LAB.config(**changes)


SOCKET = LAB.path("admin.sock")


def names(answer):
    return [key["name"] for key in answer["keys"]]


def audit(daemon):
    return daemon.events("admin")


# ---- the socket ----

def only_owner_and_group_may_connect():
    with Daemon(config()) as daemon:
        mode = os.lstat(SOCKET).st_mode
        assert stat.S_ISSOCK(mode), oct(mode)
        same(oct(stat.S_IMODE(mode)), "0o660")
        same(daemon.get("/v1/status")["adminSocket"],
             os.path.realpath(SOCKET))
    assert not os.path.lexists(SOCKET), "it is still there"


def without_a_path_there_is_none():
    with Daemon(LAB.config()) as daemon:
        assert not daemon.events("listening", service="admin")
        assert "adminSocket" not in daemon.get("/v1/status")
        done = run(DIALTONE, "--url", daemon.url, "ticket-keys", "show")
        same(done.returncode, 1)
        holds(done.stderr, daemon.url, "names no admin.socket")


def the_lab_has_it_on():
    with open(LAB.path("dialtoned.json"), encoding="utf-8") as f:
        same(json.load(f)["admin"], {"socket": "admin.sock"})


def what_a_killed_one_left_is_replaced():
    with Daemon(config()) as daemon:
        daemon.kill()
    assert os.path.lexists(SOCKET), "kill -9 left no socket"
    done = run(DIALTONE, "--socket", SOCKET, "ticket-keys", "show")
    same(done.returncode, 1)
    holds(done.stderr, SOCKET, "nobody serves this socket any more")
    with Daemon(config()) as daemon:
        same(len(names(daemon.order(KEYS, "GET"))), 4)


def a_second_one_is_refused_and_the_first_serves_on():
    with Daemon(config()) as daemon:
        said = refuses_to_start(config())
        holds(said.fields["why"], SOCKET, "another dialtoned serves",
              "admin.socket")
        same(len(names(daemon.order(KEYS, "GET"))), 4)


def a_file_that_is_no_socket_is_left_alone():
    path = LAB.path("precious")
    with open(path, "w", encoding="ascii") as f:
        f.write("precious")
    said = refuses_to_start(config(admin={"socket": "precious"}))
    holds(said.fields["why"], path, "no socket")
    with open(path, encoding="ascii") as f:
        same(f.read(), "precious")


def a_path_that_is_too_long_is_refused_by_line():
    path = config(admin={"socket": 120 * "x"})
    done = run(DIALTONED, "--check", "--config", path)
    same(done.returncode, 1, done.stderr)
    assert re.search(r"config-\d+\.json:\d+: admin\.socket: .*107", done.stderr), \
        done.stderr


# ---- orders ----

def first_line(path, header):
    """Of the answer to a POST that begins like this."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(DEADLINE_S)
        one.connect(SOCKET)
        one.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"
                    .encode())
        return one.recv(1000).decode().splitlines()[0]


def get_changes_nothing():
    with Daemon(config()) as daemon:
        before = daemon.order(KEYS, "GET")
        for path in (KEYS, ROTATE, REVOKE):
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
                status, _ = daemon.ask_admin(path, method)
                good_one = path == KEYS and method in ("GET", "HEAD")
                same(status, 200 if good_one else 405, f"{method} {path}")
        same(daemon.ask_admin(KEYS, "POST")[0], 405)
        same(daemon.ask_admin("/v1/nothing", "POST")[0], 404)
        for header in ("Content-Length: 1", "Content-Length: x",
                       "Content-Length: 999999999999",
                       "Transfer-Encoding: chunked"):
            said = first_line(ROTATE, header)
            assert re.match("HTTP/1.1 4(00|13) ", said), f"{header}: {said}"
        same(daemon.order(KEYS, "GET"), before)
        same(audit(daemon), [], "audit lines")


def each_order_leaves_a_line():
    with Daemon(config()) as daemon:
        daemon.order(ROTATE)
        daemon.order(REVOKE)
        lines = [daemon.wait_event("admin", order=f"POST {path}")
                 for path in (ROTATE, REVOKE)]
        for line in lines:
            same(line.level, "notice")
            same({k: line.fields[k] for k in ("outcome", "uid", "gid", "pid")},
                 {"outcome": "done", "uid": str(os.getuid()),
                  "gid": str(os.getgid()), "pid": str(os.getpid())})


def an_order_that_fails_says_why_and_changes_nothing():
    folder = LAB.path("keys")
    os.mkdir(folder)
    with Daemon(config(tls={"ticket_keys": "keys/ticket.keys"})) as daemon:
        before = daemon.order(KEYS, "GET")
        os.rename(folder, folder + ".away")
        for path, verb in ((ROTATE, "rotate"), (REVOKE, "revoke-all")):
            status, answer = daemon.ask_admin(path, "POST")
            same(status, 500)
            holds(answer["detail"], "ticket.keys", "No such file")
            line = daemon.wait_event("admin", order=f"POST {path}")
            same(line.fields["outcome"], "failed")
            holds(line.fields["why"], "ticket.keys", "No such file")
            done = run(DIALTONE, "--socket", SOCKET, "ticket-keys", verb)
            same((done.returncode, done.stdout), (1, ""))
            holds(done.stderr, SOCKET, "ticket.keys", "No such file")
        same(names(daemon.order(KEYS, "GET")), names(before))
        os.rename(folder + ".away", folder)
        assert names(daemon.order(ROTATE)) != names(before)


def off_is_a_clear_error():
    with Daemon(config(tls={"resumption": "off"})) as daemon:
        for path, method in ((KEYS, "GET"), (ROTATE, "POST"),
                             (REVOKE, "POST")):
            status, answer = daemon.ask_admin(path, method)
            same(status, 409, path)
            holds(answer["detail"], "tls.resumption")
        for path in (ROTATE, REVOKE):
            daemon.wait_event("admin", order=f"POST {path}",
                              outcome="refused")
        done = run(DIALTONE, "--socket", SOCKET, "ticket-keys", "rotate")
        same((done.returncode, done.stdout), (1, ""))
        holds(done.stderr, SOCKET, "tls.resumption")
    with Daemon(config(tls={"resumption": "ids"})) as daemon:
        same(daemon.order(KEYS, "GET"), {"keys": []})
        same(daemon.ask_admin(ROTATE, "POST")[0], 409)
        same(daemon.order(REVOKE), {"keys": []})


# ---- what orders do to phones ----

class Visitor:
    """A phone that keeps one session, in a file."""

    def __init__(self, daemon, mode):
        self.daemon = daemon
        self.version, self.words, _ = MODES[mode]
        self.file = LAB.path("session")

    def visit(self, *words):
        return s_client_visit(self.daemon, "sip", DEVICE, self.version,
                              *self.words, *words)

    def comes_new(self):
        """A full handshake; keeps what it is given."""
        same(self.visit("-sess_out", self.file), False, "a first visit resumed")

    def resumes(self):
        return self.visit("-sess_in", self.file)


def rotation_keeps_old_tickets_for_two_more(mode):
    with Daemon(config()) as daemon:
        phone = Visitor(daemon, mode)
        phone.comes_new()
        same(phone.resumes(), True, "before any rotation")
        before = daemon.order(KEYS, "GET")
        after = daemon.order(ROTATE)
        same(names(after)[:-1], names(before)[1:], "keys move up by one")
        same(phone.resumes(), True, "after one rotation")
        daemon.order(ROTATE)
        same(phone.resumes(), True, "after two")
        daemon.order(ROTATE)
        same(phone.resumes(), False, "after three")
        phone.comes_new()
        same(phone.resumes(), True, "with a new ticket")


def revoked_phones_make_a_full_handshake(mode):
    with Daemon(config(tls={"resumption": MODES[mode][2]})) as daemon:
        phone = Visitor(daemon, mode)
        phone.comes_new()
        same(phone.resumes(), True, "before")
        daemon.order(REVOKE)
        same(daemon.get("/v1/status")["resumption"].get("sessions"), 0)
        same(phone.resumes(), False, "after")
        phone.comes_new()
        same(phone.resumes(), True, "after its full handshake")


def revoked_sessions_stay_dead_after_a_kill():
    kept = {"ticket_keys": "revoked.keys", "session_cache": "revoked.cache"}
    for mode in ("a TLS 1.2 ticket", "a TLS 1.2 session id"):
        with Daemon(config(tls=kept)) as daemon:
            listener = {"service": "sip", "port": daemon.port("sip"),
                        "address": "127.0.0.1"}
        again = config(tls=kept, listeners=[listener])
        with Daemon(again) as daemon:
            phone = Visitor(daemon, mode)
            phone.comes_new()
            daemon.kill()
        with Daemon(again) as daemon:
            phone.daemon = daemon
            same(phone.resumes(), True, f"{mode} after a kill")
            daemon.order(REVOKE)
            daemon.kill()
        with Daemon(again) as daemon:
            phone.daemon = daemon
            same(phone.resumes(), False, f"{mode} after revoke-all and a kill")


def acknowledged_keys_outlive_a_kill():
    kept = config(tls={"ticket_keys": "kept.keys"})
    for path in (ROTATE, REVOKE, ROTATE):
        with Daemon(kept) as daemon:
            answer = daemon.order(path)
            daemon.kill()
        same((answer["kept"], answer["file"]),
             ("file", os.path.realpath(LAB.path("kept.keys"))))
        same(oct(os.stat(LAB.path("kept.keys")).st_mode & 0o777), "0o600")
        with Daemon(kept) as daemon:
            same(names(daemon.order(KEYS, "GET")), names(answer), path)


def it_is_on_the_disk_before_the_answer_leaves():
    strace = needs("strace")
    if SANITIZER:
        raise tap.Skip("a sanitizer does not bear being traced")
    log = LAB.path("strace")
    calls = "trace=rename,renameat,renameat2,fsync,sendto,sendmsg,writev,write"
    # -D: the daemon, and not strace, is our child.
    tracer = [strace, "-D", "-f", "-s", "200", "-e", calls, "-o", log]
    with Daemon(config(tls={"ticket_keys": "traced.keys"}), *tracer) as daemon:
        daemon.order(ROTATE)

    def traced():
        with open(log, encoding="utf-8", errors="replace") as f:
            said = f.read()
        return said if "HTTP/1.1 200" in said[said.rfind('rename("'):] \
            else None

    text = wait_until("the order and its answer in what strace says", traced)
    mark = text.rindex('rename("')
    order = re.findall(r"(rename|fsync|HTTP/1.1 200)",
                       text[text.rindex("fsync", 0, mark):])
    same(order[:4], ["fsync", "rename", "fsync", "HTTP/1.1 200"])


# ---- the command ----

def the_command_shows_rotates_and_revokes():
    with Daemon(config()) as daemon:
        def dialtone(*words):
            return good(DIALTONE, "--url", daemon.url, "ticket-keys", *words)
        for verb in ("show", "rotate", "revoke-all"):
            said = dialtone(verb)
            keys = daemon.order(KEYS, "GET")
            for key in keys["keys"]:
                assert re.search(rf"^{key['name']} +{key['use']}$", said,
                                 re.M), said
            holds(said, keys["rotated"], keys["rotationDue"], "memory")
        same([key["use"] for key in keys["keys"]],
             ["opens", "opens", "seals", "next"])
        same(json.loads(dialtone("show", "--json")), keys)
        found = good(DIALTONE, "ticket-keys", "show", "--json",
                     env={"DIALTONE_SOCKET": SOCKET})
        same(json.loads(found), keys, "by DIALTONE_SOCKET")
        daemon.wait_event("admin", order=f"POST {REVOKE}")
        same([line.fields["order"] for line in audit(daemon)],
             [f"POST {ROTATE}", f"POST {REVOKE}"])


def wrong_words_exit_2():
    for words in (["ticket-keys"], ["ticket-keys", "nonsense"],
                  ["ticket-keys", "show", "now"], ["--socket"],
                  ["ticket-keys", "rotate", "1"]):
        done = run(DIALTONE, *words)
        same((done.returncode, done.stdout), (2, ""), f"{words}")
        assert done.stderr, words


def no_socket_is_an_error_with_a_cure():
    done = run(DIALTONE, "--socket", LAB.path("nowhere"), "ticket-keys", "show")
    same((done.returncode, done.stdout), (1, ""))
    holds(done.stderr, LAB.path("nowhere"), "Is dialtoned running", "--socket")


def as_nobody(folder, *words):
    """Runs dialtone as a user without rights, from a copy it may run."""
    program = os.path.join(folder, "dialtone")
    if not os.path.exists(program):
        good("cp", DIALTONE, program)
    return subprocess.run(
        [program, *words], user=NOBODY, group=NOBODY, extra_groups=[],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=6 * DEADLINE_S, check=False, cwd=folder)


def a_stranger_is_told_which_group():
    if os.getuid() != 0:
        raise tap.Skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "admin.sock")
        with Daemon(config(admin={"socket": path})) as daemon:
            before = daemon.order(KEYS, "GET")
            done = as_nobody(folder, "--socket", path, "ticket-keys", "rotate")
            same((done.returncode, done.stdout), (1, ""), done.stderr)
            holds(done.stderr, path, "permission denied", "group root")
            os.chown(path, -1, 1)
            done = as_nobody(folder, "--socket", path, "ticket-keys", "rotate")
            holds(done.stderr, "group daemon", "usermod -aG daemon")
            os.chmod(folder, 0o711)
            os.mkdir(os.path.join(folder, "closed"), 0o700)
            done = as_nobody(folder, "--socket", f"{folder}/closed/x",
                             "ticket-keys", "rotate")
            holds(done.stderr, "a folder on the way is closed")
            same(daemon.order(KEYS, "GET"), before)
            os.chown(path, -1, NOBODY)
            done = as_nobody(folder, "--socket", path, "ticket-keys", "rotate")
            same(done.returncode, 0, done.stderr)
            daemon.wait_event("admin", uid=NOBODY, gid=NOBODY, outcome="done")


# ---- who is rude ----

def seventy_silent_clients_do_not_hang_it():
    with Daemon(config()) as daemon:
        crowd = []
        for _ in range(CROWD):
            one = socket.socket(socket.AF_UNIX)
            one.connect(SOCKET)
            one.sendall(b"POST " + ROTATE.encode() + b" HTTP/1.1\r\nX: ")
            crowd.append(one)

        def served():
            try:
                return daemon.ask_admin(KEYS)[0] == 200
            except OSError:
                return False

        # Pollers have a plane of their own.
        daemon.get("/v1/status")
        wait_until("the admin plane", served, 3 * DEADLINE_S)
        same(audit(daemon), [], "half requests gave orders")
        for one in crowd:
            one.close()


if __name__ == "__main__":
    TICKETS = [mode for mode in MODES
               if mode in ("a TLS 1.2 ticket", "a TLS 1.3 PSK")]
    sys.exit(tap.run(
        only_owner_and_group_may_connect,
        without_a_path_there_is_none,
        the_lab_has_it_on,
        what_a_killed_one_left_is_replaced,
        a_second_one_is_refused_and_the_first_serves_on,
        a_file_that_is_no_socket_is_left_alone,
        a_path_that_is_too_long_is_refused_by_line,
        get_changes_nothing,
        each_order_leaves_a_line,
        an_order_that_fails_says_why_and_changes_nothing,
        off_is_a_clear_error,
        *(fact(f"a rotation keeps {mode} for two more",
               rotation_keeps_old_tickets_for_two_more, mode)
          for mode in TICKETS),
        *(fact(f"revoke-all ends {mode}",
               revoked_phones_make_a_full_handshake, mode) for mode in MODES),
        revoked_sessions_stay_dead_after_a_kill,
        acknowledged_keys_outlive_a_kill,
        it_is_on_the_disk_before_the_answer_leaves,
        the_command_shows_rotates_and_revokes,
        wrong_words_exit_2,
        no_socket_is_an_error_with_a_cure,
        a_stranger_is_told_which_group,
        seventy_silent_clients_do_not_hang_it))
