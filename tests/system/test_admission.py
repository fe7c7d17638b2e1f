# SPDX-License-Identifier: Apache-2.0
"""More come than can be served: who waits, who is refused, who is not hurt."""
import contextlib
import glob
import json
import os
import signal
import struct
import subprocess
import sys
import threading

import sccp
import sip
from clients import client_hello, context, tcp, tls
from daemon import Daemon
from harness import (BUILD, DEADLINE_S, LOOPBACK, SANITIZER, holds, put_down,
                     same, tap, wait_until)
from lab import Lab

LAB = Lab()
STORM = os.path.join(BUILD, "bench", "dialtone-storm")
PHONES = 150 if SANITIZER is None else 60
WAITING = 16
INSIDE, PLAIN, TOKENS = "SEP0200000000F1", "SEP0200000000F2", "SEP0200000000F3"
FIRST = "SEP020000000001"
TOKEN_REQ, TOKEN_ACK, TOKEN_REJECT = 0x0029, 0x011A, 0x011B
FOREVER_MS = 600000


def narrow(**limits):
    """One worker, two handshakes, little room, and nobody is too old."""
    return LAB.config(
        workers=1,
        devices={PLAIN: {"profile": "non-secure"}, TOKENS: {"profile": "non-secure"}},
        limits={"handshakes": 2, "waiting": WAITING,
                "patience_ms": FOREVER_MS, **limits})


def admission(daemon):
    return daemon.get("/v1/status")["admission"]


def arrived(port):
    """Connections to that port with bytes that nobody has read."""
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            there = int(words[1].split(":")[1], 16) == port
            unread = int(words[4].split(":")[1], 16) > 0
            count += there and words[3] == "01" and unread
    return count


def states(pid):
    """Of the threads of a process, a letter each."""
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        with open(path, encoding="ascii") as f:
            yield f.read().rsplit(")", 1)[1].split()[0]


@contextlib.contextmanager
def asleep(daemon):
    """It neither accepts nor reads; what comes meanwhile is there at once."""
    daemon.signal(signal.SIGSTOP)
    wait_until("every thread to stop", lambda: all(
        state == "T" for state in states(daemon.pid)))
    try:
        yield
    finally:
        daemon.signal(signal.SIGCONT)


@contextlib.contextmanager
def storm(daemon, *words):
    with subprocess.Popen(
            [STORM, "--quiet", "--json", "-", "--protocol", "sip",
             "--server", f"{LOOPBACK}:{daemon.port('sip')}",
             "--lab", LAB.dir, "--device", FIRST, "--key", "p256",
             "--resume", "full", *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            put_down(process)


def burst(daemon, *words):
    return storm(daemon, "--burst", "--phones", PHONES, "--patience", 120,
                 "--retry", 20, *words)


def everybody_is_served_in_the_end_and_counts_agree():
    with Daemon(narrow()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(INSIDE)) as connection:
        inside = sip.Talk(connection, INSIDE)
        same(inside.ask(inside.register()).status, 200)
        with contextlib.ExitStack() as stack:
            with asleep(daemon):
                process = stack.enter_context(burst(daemon, "--hold", 1))
                wait_until("the storm to arrive",
                           lambda: arrived(daemon.port("sip")) == PHONES,
                           6 * DEADLINE_S)
            # Who is in has its refresh answered while others wait.
            same(inside.ask(inside.register()).status, 200)
            report = json.loads(process.stdout.read())
        arrivals = report["arrivals"]
        same((arrivals["registered"], arrivals["failed"],
              arrivals["dropped"]), (PHONES, 0, 0), f"{report['reasons']}")
        daemon.wait_registered(1)
        same(daemon.phone(INSIDE)["state"], "registered")
        same(daemon.phone(INSIDE)["registrations"], 1)
        now = admission(daemon)
        overloaded = daemon.wait_event("admission-overload")
        assert int(overloaded.fields["roomFull"]) > 0, overloaded.text
        holds(overloaded.fields["why"], "refused")
        daemon.wait_event("admission-calm", seconds=6 + DEADLINE_S)
        same(admission(daemon)["state"], "calm")
    served, refused = now["served"], now["refused"]
    resets = sum(r["count"] for r in report["reasons"]
                 if "reset" in r["reason"])
    assert resets > 0, f"nobody was refused: {now}"
    same((refused["roomFull"], refused["expired"], refused["gone"]),
         (resets, 0, 0), "refused")
    same(sum(served.values()), PHONES + 1, f"served of {now}")
    same(sum(r["count"] for r in report["reasons"]), resets,
         f"{report['reasons']}")
    assert served["waitedStrangers"] > 0, now
    same((now["handshakesInProgress"], now["waiting"]["strangers"]), (0, 0))


def who_waited_too_long_is_refused_and_comes_again():
    with Daemon(narrow(patience_ms=1, waiting=4096)) as daemon, \
            contextlib.ExitStack() as stack:
        with asleep(daemon):
            process = stack.enter_context(burst(daemon, "--hold", 0))
            wait_until("the storm to arrive",
                       lambda: arrived(daemon.port("sip")) == PHONES,
                       6 * DEADLINE_S)
        report = json.loads(process.stdout.read())
        now = admission(daemon)
    same(report["arrivals"]["registered"], PHONES, f"{report['reasons']}")
    assert now["refused"]["expired"] > 0, now
    same(now["refused"]["expired"],
         sum(r["count"] for r in report["reasons"]), f"{report['reasons']}")


def refer(talk):
    return talk.request(
        "REFER", "Require: norefersub", "Contact: " + talk.contact(),
        "Refer-To: <urn:X-cisco-remotecc:token-registration>")


def token_req(device):
    return struct.pack("<16sII4sI", device.encode(), 0, 1,
                       bytes([127, 0, 0, 1]), 437) + bytes(20)


def put_off(answer, status, floor):
    same(answer.status, status, answer.text)
    seconds = int(answer.headers["retry-after"][0])
    assert floor <= seconds <= 240, answer.text


def what_can_wait_is_put_off_and_what_is_here_is_not():
    with Daemon(narrow()) as daemon, contextlib.ExitStack() as stack:
        def plain(service):
            return stack.enter_context(tcp(daemon.port(service, "tcp")))
        newcomer = sip.Talk(plain("sip"), PLAIN, transport="tcp")
        fallback = sip.Talk(plain("sip"), TOKENS, transport="tcp")
        phone = sccp.Talk(plain("sccp"))
        here = sccp.Talk(plain("sccp"))
        here.register(PLAIN)
        # While it is calm a token is granted.
        same(fallback.ask(refer(fallback)).status, 202)
        phone.ask(TOKEN_REQ, TOKEN_ACK, body=token_req(TOKENS))
        with asleep(daemon):
            process = stack.enter_context(burst(daemon, "--hold", 1))
            wait_until("the storm to arrive",
                       lambda: arrived(daemon.port("sip")) == PHONES,
                       6 * DEADLINE_S)
        daemon.wait_event("admission-overload")
        put_off(fallback.ask(refer(fallback)), 503, 30)
        [(_, body)] = phone.ask(TOKEN_REQ, TOKEN_REJECT,
                                body=token_req(TOKENS))
        seconds = struct.unpack("<I", body)[0]
        assert 30 <= seconds <= 240, seconds
        # Registered here: its token keeps its call.
        here.ask(TOKEN_REQ, TOKEN_ACK, body=token_req(PLAIN))
        newcomer.device = TOKENS
        put_off(newcomer.ask(newcomer.register()), 503, 10)
        same(admission(daemon)["putOff"], {"tokens": 2, "registers": 1})
        process.stdout.read()
        daemon.wait_event("admission-calm", seconds=6 + DEADLINE_S)
        same(newcomer.ask(newcomer.register()).status, 200)


def visit(daemon, made, session=None):
    with tcp(daemon.port("sip")) as raw, \
            made.wrap_socket(raw, session=session) as connection:
        connection.sendall(b"\r\n\r\n")
        same(connection.recv(2), b"\r\n")
        return connection.session_reused, connection.session


def who_comes_back_waits_in_its_own_row():
    made = [context(LAB.phone(f"SEP02000000010{i}"), "1.2") for i in range(4)]
    with Daemon(narrow(waiting=4096)) as daemon, \
            contextlib.ExitStack() as stack:
        sessions = [visit(daemon, one)[1] for one in made]
        resumed = []
        back = [threading.Thread(
            target=lambda one=one, session=session: resumed.append(
                visit(daemon, one, session)[0]), daemon=True)
            for one, session in zip(made, sessions)]
        with asleep(daemon):
            for _ in range(20):
                stranger = stack.enter_context(tcp(daemon.port("sip")))
                stranger.sendall(client_hello())
            for thread in back:
                thread.start()
            wait_until("all to arrive", lambda: arrived(
                daemon.port("sip")) == 20 + len(made))
        for thread in back:
            thread.join(DEADLINE_S)
        same(resumed, [True] * len(made), "resumed")
        served = admission(daemon)["served"]
        same(served["waitedResuming"], len(made), f"{served}")


def expiries_and_keepalives_differ():
    config = LAB.config(limits={"jitter_percent": 20},
                        sip={"expires_s": 1000}, sccp={"keepalive_s": 1000})
    told = {"sip": set(), "sccp": set()}
    with Daemon(config) as daemon:
        for i in range(8):
            device = f"SEP0200000002{i:02}"
            with tls(daemon.port("sip"), LAB.phone(device)) as connection:
                talk = sip.Talk(connection, device)
                answer = talk.ask(talk.register())
                same(answer.status, 200)
                seconds = int(answer.headers["expires"][0])
                same(daemon.phone(device)["keepaliveSeconds"], seconds)
                told["sip"].add(seconds)
            with tls(daemon.port("sccp"), LAB.phone(device)) as connection:
                ack = sccp.Talk(connection).register(device)
                told["sccp"].add(struct.unpack("<I", ack[:4])[0])
    for protocol, values in told.items():
        assert len(values) > 1, f"{protocol}: always {values}"
        assert all(800 <= v <= 1000 for v in values), f"{protocol}: {values}"


if __name__ == "__main__":
    sys.exit(tap.run(
        everybody_is_served_in_the_end_and_counts_agree,
        who_waited_too_long_is_refused_and_comes_again,
        what_can_wait_is_put_off_and_what_is_here_is_not,
        who_comes_back_waits_in_its_own_row,
        expiries_and_keepalives_differ))
