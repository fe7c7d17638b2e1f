# SPDX-License-Identifier: Apache-2.0
"""Caps on connections and descriptors: who is over them waits, none spins."""
import contextlib
import resource
import select
import socket
import sys
import time

import sccp
import sip
from clients import (Phones, call, client_hello, closed_by_peer,
                     credential_words, stop_reading, tcp, tls)
from daemon import Daemon
from harness import LOOPBACK, SLOW, holds, same, tap, wait_until
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"
ELSEWHERE = "127.0.0.2"

WATCHED_S = 2
BUSY_S = 0.3 * SLOW  # of processor, in that time, is no busy loop


def words(device=DEVICE):
    return credential_words(LAB.phone(device))


def idle_cpu(daemon):
    """Looks at the daemon's processor time while nothing should happen."""
    before = daemon.cpu_seconds()
    time.sleep(WATCHED_S)  # the span that is measured
    spent = daemon.cpu_seconds() - before
    assert spent < BUSY_S, f"{spent} s of processor in {WATCHED_S} s"


def open_now(daemon):
    return daemon.get("/v1/status")["connections"]


def wait_open(daemon, **counts):
    wait_until(f"connections to be {counts}",
               lambda: counts.items() <= open_now(daemon).items())


def half_open_per_address():
    with Daemon(LAB.config(limits={"half_open_per_address": 3})) as daemon, \
            contextlib.ExitStack() as stack:
        port = daemon.port("sip")
        for _ in range(3):
            stack.enter_context(tcp(port))
        wait_open(daemon, halfOpen=3)
        same(closed_by_peer(stack.enter_context(tcp(port))), b"")
        failure = daemon.wait_failure("half-open-per-address")
        same(failure["address"], LOOPBACK)
        holds(failure["why"], "limits.half_open_per_address")
        # Another address has its own count.
        with tls(port, LAB.phone(DEVICE), source=ELSEWHERE) as connection:
            talk = sip.Talk(connection, DEVICE)
            same(talk.ask(talk.register()).status, 200)
        same(open_now(daemon)["refused"], 1)
        stack.close()
        wait_open(daemon, halfOpen=0)
        call(daemon, "sip", *words()).outcome("registered")


def half_open():
    """Over the cap is not refused: it waits in the backlog."""
    with Daemon(LAB.config(limits={"half_open": 3})) as daemon, \
            contextlib.ExitStack() as stack:
        for service in ("sccp", "sip", "sip"):
            slow = stack.enter_context(tcp(daemon.port(service)))
            slow.sendall(client_hello()[:20])
        wait_open(daemon, halfOpen=3)
        with Phones(daemon, "sccp", *words()) as phones:
            daemon.wait_event("accept-paused")
            idle_cpu(daemon)
            stack.close()
            daemon.wait_registered(1)
            phones.leave().outcome("registered")
        daemon.wait_event("accept-resumed")


def who_says_nothing_gives_way():
    """Of whichever worker: it is hardly ever the one that a phone waits at."""
    made = LAB.config(workers=16, limits={"half_open": 1},
                      tls={"handshake_ms": 120000})
    with Daemon(made) as daemon:
        for protocol in ("sccp", "sip"):
            with tcp(daemon.port(protocol)) as silent:
                wait_open(daemon, halfOpen=1)
                call(daemon, protocol, *words()).outcome("registered")
                same(closed_by_peer(silent), b"")
        tap.none(daemon.events("refused"))


def heavy_address_gives_way_before_phones_lose_patience():
    """Each of its many has sent some bytes, and sends no more."""
    made = LAB.config(limits={"half_open": 32}, tls={"handshake_ms": 120000})
    with Daemon(made) as daemon, contextlib.ExitStack() as stack:
        many = [stack.enter_context(tcp(daemon.port("sip"), ELSEWHERE))
                for _ in range(32)]
        for one in many:
            one.sendall(client_hello()[:20])
        wait_open(daemon, halfOpen=32)
        call(daemon, "sip", *words()).outcome("registered")
        assert open_now(daemon)["halfOpen"] < 32, open_now(daemon)


def strangers_without_tls_give_way():
    """They asked something, and could be silent for all of limits.idle_ms."""
    made = LAB.config(limits={"connections": 2})
    with Daemon(made) as daemon, contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(tcp(daemon.port("sip", "tcp")))
                     for _ in range(2)]
        for one in strangers:
            talk = sip.Talk(one, DEVICE, transport="tcp")
            same(talk.ask(talk.request("OPTIONS")).status, 200)
        call(daemon, "sip", "--timeout", 60, *words()).outcome("registered")
        # As many as it took: one, or one of each worker's.
        for one in wait_until("one of them to go", lambda: select.select(
                strangers, [], [], 0)[0]):
            same(closed_by_peer(one), b"")


def connections():
    made = LAB.config(limits={"connections": 2})
    with Daemon(made) as daemon, \
            Phones(daemon, "sccp", *words()) as first, \
            Phones(daemon, "sip", *words("SEP020000000002")) as second:
        daemon.wait_registered(2)
        with Phones(daemon, "sip", *words("SEP020000000003")) as third:
            daemon.wait_event("accept-paused")
            idle_cpu(daemon)
            same(daemon.registered(), 2)
            first.leave().outcome("registered")
            daemon.wait_phone("SEP020000000003", "registered")
            third.leave().outcome("registered")
        second.leave().outcome("registered")


def allow_descriptors(daemon, count):
    hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (count, hard))


def crowd(port, count, stack):
    """Connections as many as it takes; some may be closed at once."""
    for _ in range(count):
        made = socket.socket()
        stack.enter_context(made)
        made.setblocking(False)
        made.connect_ex((LOOPBACK, port))


def no_descriptor_is_left():
    with Daemon(LAB.config()) as daemon, \
            Phones(daemon, "sccp", *words()) as phones, \
            contextlib.ExitStack() as stack:
        daemon.wait_registered(1)
        room = daemon.descriptors() + 6
        allow_descriptors(daemon, room)
        crowd(daemon.port("sccp"), 30, stack)
        crowd(daemon.port("sip"), 30, stack)
        paused = daemon.wait_event("accept-paused")
        holds(paused.fields["why"], "open files")
        idle_cpu(daemon)
        # The limit stays; those who were in the way are gone.
        stack.close()
        wait_until("room", lambda: daemon.descriptors() <= room - 4)
        call(daemon, "sip", *words("SEP020000000002")).outcome("registered")
        call(daemon, "sccp", *words("SEP020000000003")).outcome("registered")
        phones.leave().outcome("registered")
        assert daemon.events("accept-resumed"), "it did not say so"


def descriptors_come_from_who_says_nothing():
    with Daemon(LAB.config(tls={"handshake_ms": 120000})) as daemon, \
            contextlib.ExitStack() as stack:
        allow_descriptors(daemon, daemon.descriptors() + 4)
        crowd(daemon.port("sip"), 12, stack)
        paused = daemon.wait_event("accept-paused")
        holds(paused.fields["why"], "open files")
        call(daemon, "sip", "--timeout", 60, *words()).outcome("registered")


def no_descriptor_is_left_for_status():
    """The status plane is hungry too, and must not spin either."""
    with Daemon(LAB.config()) as daemon, contextlib.ExitStack() as stack:
        room = daemon.descriptors()
        allow_descriptors(daemon, room)
        crowd(daemon.port("status", "http"), 5, stack)
        idle_cpu(daemon)
        allow_descriptors(daemon, room + 50)
        stack.close()
        wait_until("an answer", lambda: daemon.fetch("/healthz")[0] == 200)


def low_limit_from_the_start():
    """It serves as many as there is room for, and the rest waits."""
    limit = ["sh", "-c", 'ulimit -n 64; exec "$0" "$@"']
    with Daemon(LAB.config(), *limit) as daemon, \
            contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(tcp(daemon.port("sip")))
        daemon.wait_event("accept-paused")
        assert open_now(daemon)["open"] <= 32, open_now(daemon)
        same(daemon.events("accept-failed"), [])
        idle_cpu(daemon)
        stack.close()
        call(daemon, "sip", *words()).outcome("registered")


def full_failures_and_devices_forget_the_oldest():
    made = LAB.config(limits={"failures": 3, "devices": 16})
    with Daemon(made) as daemon:
        for n in range(6):
            device = f"SEP02000000001{n}"
            call(daemon, "sip", *credential_words(
                LAB.phone(device, "foreign"))).outcome("alert")
            call(daemon, "sccp", *words(device)).outcome("registered")
        same(len(daemon.failures()), 3)
        same(daemon.get("/v1/failures")["total"], 6)
        assert daemon.get("/v1/phones")["count"] <= 32


def a_peer_that_does_not_read_is_closed_in_time():
    made = LAB.config(limits={"write_ms": 1000 * SLOW})
    with Daemon(made) as daemon, \
            tls(daemon.port("sccp"), LAB.phone(DEVICE),
                narrow=True) as connection:
        stop_reading(daemon, connection, DEVICE)
        daemon.wait_failure("not-reading", device=DEVICE)
        phone = daemon.wait_phone(DEVICE, "unregistered")
    same(phone["reason"]["name"], "deviceNoResponse")


def a_peer_that_asks_for_more_than_may_wait_is_closed_at_once():
    with Daemon(LAB.config()) as daemon, \
            tls(daemon.port("sccp"), LAB.phone(DEVICE),
                narrow=True) as connection:
        sccp.Talk(connection).register(DEVICE)
        # 664 bytes of answer to each 12 of question.
        connection.sendall(1000 * sccp.frame(sccp.SOFT_KEY_TEMPLATE_REQ))
        daemon.wait_failure("sccp-not-reading", device=DEVICE)
        phone = daemon.wait_phone(DEVICE, "unregistered")
    same(phone["reason"]["name"], "deviceNoResponse")


if __name__ == "__main__":
    sys.exit(tap.run(
        half_open_per_address,
        half_open,
        who_says_nothing_gives_way,
        heavy_address_gives_way_before_phones_lose_patience,
        strangers_without_tls_give_way,
        connections,
        no_descriptor_is_left,
        descriptors_come_from_who_says_nothing,
        no_descriptor_is_left_for_status,
        low_limit_from_the_start,
        full_failures_and_devices_forget_the_oldest,
        a_peer_that_does_not_read_is_closed_in_time,
        a_peer_that_asks_for_more_than_may_wait_is_closed_at_once))
