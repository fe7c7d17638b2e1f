# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told, and the sockets that outlive a daemon."""
import os
import signal
import socket
import subprocess
import sys
import threading

from clients import Phones, call, context, credential_words, tcp
from daemon import Daemon, Log
from harness import (DIALTONED, LOOPBACK, SLOW, holds, needs, put_down,
                     quiet_port, same, tap, wait_until)
from lab import Lab, listener
from manager import Callers, Manager, bound, port_of

LAB = Lab()
DEVICE = "SEP0200000000B1"
NAME = "dialtone-sip-tls"
CLIENT = context(LAB.phone(DEVICE))


def needs_systemd():
    """Not every build has it."""
    with open(DIALTONED, "rb") as f:
        if b"libsystemd.so" not in f.read():
            raise tap.Skip("dialtoned was built without libsystemd")


def only_sip(port=0, **changes):
    return LAB.config(listeners=[listener("sip", "tls", port)], **changes)


def sip_phone(daemon):
    """One visit from start to end."""
    return call(daemon, "sip", *credential_words(LAB.phone(DEVICE)))


def it_says_when_it_is_ready_and_when_it_stops():
    needs_systemd()
    with Manager() as manager:
        with manager.start(LAB.config()) as daemon:
            manager.wait_said("READY", "1")
            manager.wait_said(
                "STATUS", "0 phones registered; trust: 2 CAs, generation 1")
            with Phones(daemon, "sip",
                        *credential_words(LAB.phone(DEVICE))) as phone:
                manager.wait("a phone in STATUS", lambda: any(
                    s.startswith("1 phone registered;")
                    for s in manager.said("STATUS")))
                phone.leave()
            same(manager.said("STOPPING"), [])
        same(manager.said("STOPPING"), ["1"])
        same(manager.keys()[-1], "STOPPING")
        same(manager.said("READY"), ["1"])


def a_reload_begins_and_ends():
    needs_systemd()
    LAB.store("reloaded")
    with Manager() as manager, \
            manager.start(LAB.config(trust={"callmanager": "reloaded"})) \
            as daemon:
        manager.wait_said("READY", "1")
        since = manager.mark()
        LAB.store("reloaded", "other-capf")
        daemon.reload()
        manager.wait_said("READY", "1", since)
        told = [k for k in manager.keys(since)
                if k in ("RELOADING", "MONOTONIC_USEC", "READY")]
        same(told, ["RELOADING", "MONOTONIC_USEC", "READY"])
        assert int(manager.said("MONOTONIC_USEC", since)[0]) > 0
        manager.wait_said(
            "STATUS", "0 phones registered; trust: 3 CAs, generation 2",
            since)


def a_reload_that_is_refused_ends_too():
    needs_systemd()
    folder = LAB.store("broken")
    with Manager() as manager, \
            manager.start(LAB.config(trust={"callmanager": "broken"})) \
            as daemon:
        manager.wait_said("READY", "1")
        since = manager.mark()
        with open(os.path.join(folder, "half.pem"), "w",
                  encoding="ascii") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        daemon.reload("reload-refused")
        manager.wait_said("READY", "1", since)
        status = manager.wait("the refusal in STATUS", lambda: next(
            (s for s in manager.said("STATUS", since) if "refused" in s),
            None))
        holds(status, "trust: 2 CAs, generation 1", "dialtone trust status")


def a_listener_takes_the_socket_of_its_name():
    needs_systemd()
    with Manager() as manager:
        manager.units.append((NAME, bound()))
        port = port_of(manager.units[0][1])
        with manager.start(only_sip(workers=3)) as daemon:
            found = daemon.events("listening", service="sip")[0]
            same((found.fields["port"], found.fields.get("inherited")),
                 (str(port), "yes"))
            for _ in range(4):
                sip_phone(daemon).outcome("registered")


def udp_is_inherited_too():
    needs_systemd()
    with Manager() as manager:
        manager.units.append(("dialtone-sip-udp",
                              bound(kind=socket.SOCK_DGRAM)))
        port = port_of(manager.units[0][1])
        config = LAB.config(
            listeners=[listener("sip", "udp")], workers=3,
            devices={DEVICE: {"profile": "non-secure"}})
        with manager.start(config) as daemon:
            same(daemon.port("sip", "udp"), port)
            for _ in range(3):
                call(daemon, "sip", "--device", DEVICE, transport="udp") \
                    .outcome("registered")


def refused(port):
    try:
        tcp(port).close()
    except ConnectionRefusedError:
        return True
    return False


def a_socket_of_another_place_is_not_left_to_fool_phones():
    needs_systemd()
    for name, port in ((NAME, None), ("dialtone-sccp-tls", 0),
                       ("something-else", 0)):
        with Manager() as manager:
            with bound() as s:
                fool = port_of(s)
                manager.store.append((name, os.dup(s.fileno())))
            wanted = fool if port is None else 0
            config = only_sip(0) if port == 0 else LAB.config(
                listeners=[{**listener("sip", "tls", wanted),
                            "address": "::1"}])
            with manager.start(config) as daemon:
                event = daemon.wait_event("socket-unused")
                same((event.fields["name"], event.fields["port"]),
                     (name, str(fool)))
                manager.wait("the store to lose it", lambda: not any(
                    n == name and os.fstat(fd) for n, fd in manager.store
                    if socket.socket(fileno=os.dup(fd)).getsockname()[:2]
                    == (LOOPBACK, fool)))
                assert refused(fool), f"{name} still lets phones in"


def no_phone_is_refused_while_daemons_change():
    needs_systemd()
    with Manager() as manager:
        with manager.start(only_sip(workers=3)) as daemon:
            port = daemon.port("sip")
            manager.wait("its sockets to be kept",
                         lambda: len(manager.store) == 3)
        with Callers(port) as callers:
            for workers, how in ((1, signal.SIGKILL), (4, signal.SIGTERM),
                                 (2, signal.SIGKILL), (3, signal.SIGTERM)):
                # Nobody serves: who comes now waits, and is served then.
                early = [tcp(port) for _ in range(8)]
                with manager.start(only_sip(port, workers=workers)) \
                        as daemon:
                    found = daemon.events("listening", service="sip")[0]
                    same(found.fields.get("inherited"), "yes")
                    for s in early:
                        CLIENT.wrap_socket(s).close()
                    sip_phone(daemon).outcome("registered")
                    before = callers.connected
                    wait_until("callers to come",
                               lambda b=before: callers.connected > b)
                    if how == signal.SIGKILL:
                        daemon.kill()
                same([e for e in daemon.events("socket-unused")], [])
            before = callers.connected
            wait_until("callers to come while nobody serves",
                       lambda: callers.connected > before)
        same(callers.failed, [])
        tap.remark(f"{callers.connected} connections, none refused")
        same({name for name, _ in manager.store}, {NAME})


def a_sign_of_life_comes_while_all_turn():
    needs_systemd()
    with Manager(watchdog_ms=900) as manager, \
            manager.start(LAB.config(workers=2)):
        manager.wait("three signs", lambda: len(
            manager.said("WATCHDOG")) >= 3)


def no_sign_of_life_comes_while_a_worker_is_stuck():
    needs_systemd()
    strace = needs("strace")
    stuck_s = 4 * SLOW
    with Manager(watchdog_ms=900) as manager, \
            manager.start(LAB.config(workers=2)) as daemon:
        manager.wait_said("WATCHDOG", "1")
        tracer = subprocess.Popen(
            [strace, "-f", "-p", str(daemon.pid), "-e", "trace=accept4",
             "-e", f"inject=accept4:delay_enter={stuck_s}000000:when=1"],
            stderr=subprocess.PIPE)
        said = Log(tracer.stderr)
        try:
            said.wait("strace to attach", lambda lines: any(
                "attached" in line for line in lines))
            with tcp(daemon.port("sip", "tcp")):
                daemon.wait_event("stalled")
                since = manager.mark()
                manager.wait_said("WATCHDOG", "1", since, 4 * stuck_s)
        finally:
            put_down(tracer)
    silence = manager.longest_silence("WATCHDOG")
    assert silence > stuck_s / 2, f"a sign at least every {silence} s"


def systemd_itself_hands_the_socket_over():
    needs_systemd()
    activate = needs("systemd-socket-activate")
    port = quiet_port()
    words = [activate, f"--fdname={NAME}", "-l", f"{LOOPBACK}:{port}",
             "-E", "ASAN_OPTIONS", "-E", "UBSAN_OPTIONS"]
    caller = threading.Thread(target=lambda: wait_until(
        "systemd to listen", lambda: not refused(port)))
    caller.start()
    with Daemon(only_sip(port), *words) as daemon:
        caller.join()
        found = daemon.events("listening", service="sip")[0]
        same(found.fields.get("inherited"), "yes")
        sip_phone(daemon).outcome("registered")


if __name__ == "__main__":
    sys.exit(tap.run(
        it_says_when_it_is_ready_and_when_it_stops,
        a_reload_begins_and_ends,
        a_reload_that_is_refused_ends_too,
        a_listener_takes_the_socket_of_its_name,
        udp_is_inherited_too,
        a_socket_of_another_place_is_not_left_to_fool_phones,
        no_phone_is_refused_while_daemons_change,
        a_sign_of_life_comes_while_all_turn,
        no_sign_of_life_comes_while_a_worker_is_stuck,
        systemd_itself_hands_the_socket_over,
    ))
