# SPDX-License-Identifier: Apache-2.0
"""CAPF's listener: who may speak to it, how, and who is not in the way."""
import os
import re
import ssl
import struct
import subprocess
import sys
import threading
import time

import capf_client as capf
from admin import LAB, Admin, config
from clients import (TLS, call, client_hello, closed_by_peer, context, tcp,
                     tls)
from daemon import Daemon, refuses_to_start
from harness import (DEADLINE_S, LOOPBACK, SLOW, good, holds, same, tap,
                     wait_until)
from lab import common_name, listener

NAMES = [f"SEP02000000CA{i:02X}" for i in range(8)]
KEY = capf.Key(2048)


def capf_config(profile="legacy", **changes):
    """CAPF beside the phones' listeners."""
    changes.setdefault("capf", {})
    changes["capf"].setdefault("folder", "capf")
    return config(
        listeners=[*LAB.base["listeners"], listener("capf", profile=profile)],
        trust={"capf": "CAPF-trust"}, **changes)


class Capf:
    """A daemon, its admin, and devices that are to be served."""

    def __init__(self, profile="legacy", **changes):
        self.daemon = Daemon(capf_config(profile, **changes))
        self.admin = Admin(self.daemon)

    def __enter__(self):
        self.daemon.__enter__()
        self.port = self.daemon.port("capf")
        for name in NAMES:
            self.admin.say("device", "add", name)
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def order(self, verb, *words):
        return self.admin.say("capf", verb, *words, "--mode", "null",
                              "--no-reset")

    def state(self, name):
        return self.daemon.order(f"/v1/capf/{name}", "GET")


def subject_of(der):
    path = LAB.path("seen.der")
    with open(path, "wb") as f:
        f.write(der)
    return common_name(path)


# ---- TLS ----

def s_client(port, version, *words):
    """What s_client says with -msg, until the server's first message is in.
    """
    process = subprocess.Popen(
        ["openssl", "s_client", TLS[version], "-msg", "-connect",
         f"{LOOPBACK}:{port}", *words], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    os.set_blocking(process.stdout.fileno(), False)

    def all_there():
        nonlocal said
        said += process.stdout.read() or b""
        return b"U\x01" in said or process.poll() is not None
    try:
        wait_until("s_client to hear AUTH_REQUEST", all_there)
        process.stdin.close()
        process.wait(DEADLINE_S)
        os.set_blocking(process.stdout.fileno(), True)
        said += process.stdout.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    return said.decode("latin-1")


def legacy_listener_speaks_first_in_every_version():
    with Capf() as c:
        for version, words in (
                ("1.0", ("-cipher", "AES128-SHA:@SECLEVEL=0")),
                ("1.0", ("-cipher", "AES256-SHA:@SECLEVEL=0")),
                ("1.1", ("-cipher", "DEFAULT:@SECLEVEL=0")),
                ("1.2", ()), ("1.3", ())):
            said = s_client(c.port, version, *words)
            assert re.search(
                "U\x01....\x00\x04\x07\x00\x01\x03", said, re.S), said
            holds(said, "No client certificate CA names sent")
            assert "CertificateRequest" not in said, said


def modern_listener_refuses_tls_1_0():
    with Capf("modern") as c:
        said = s_client(c.port, "1.0", "-cipher", "ALL:@SECLEVEL=0")
        holds(said, "alert number 70")
        failure = c.daemon.wait_failure("tls-alert-sent", protocol="capf")
        holds(failure["cure"], "legacy")
        same(capf.Visit(c.port, tls_version="1.2").first.command,
             capf.AUTH_REQUEST)


def listener_shows_the_root_that_signs():
    with Capf() as c:
        with capf.Visit(c.port) as visit:
            shown = visit.connection.getpeercert(binary_form=True)
        name = subject_of(shown)
        same(name[:5], "CAPF-", "the name")
        same(shown, capf.der_of(LAB.path("CallManager-trust", name + ".pem")),
             "what phones see and CallManager-trust has")


def first_message_has_the_bytes_of_the_book():
    with Capf() as c:
        sessions = []
        for auth_type in range(3):
            with capf.Visit(c.port) as visit:
                sessions.append(visit.session)
                same(visit.first.data,
                     bytes.fromhex("5501") + struct.pack(">I", visit.session)
                     + bytes.fromhex("000407000103"), "E1")
        same(len(set(sessions)), 3, "sessions")
    with Capf(capf={"auth_type": True}) as c, capf.Visit(c.port) as visit:
        same(visit.first.data[6:], bytes.fromhex("000807000103080001") +
             b"\0", "E2")


def nothing_is_resumed():
    with Capf() as c:
        made, session = context(None, "1.2"), None
        for _ in range(2):
            with made.wrap_socket(tcp(c.port), session=session) as one:
                one.recv(100)
                session = one.session
                same(one.session_reused, False, "resumed")


def one_message_is_one_record():
    """Of each length, in TLS 1.0, where OpenSSL would put an empty record
    before each."""
    with Capf() as c:
        c.order("install", NAMES[0])
        made = record_lengths(c, NAMES[0], "1.0")
        # AUTH_REQUEST, KEY_GENERATE_REQUEST, STORE_REQUEST, END_SESSION, and
        # the alert that closes has a type of its own.
        same(len(made), 4, f"records {made}")


def record_lengths(c, device, version):
    """Of the application data that the server sent in an install."""
    seen = []
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    phone = context(None, version).wrap_bio(incoming, outgoing)
    raw = tcp(c.port)
    pending = b""

    def pump():
        nonlocal pending
        raw.sendall(outgoing.read())
        data = raw.recv(65536)
        assert data, "closed"
        incoming.write(data)
        pending += data
        while len(pending) >= 5:
            kind, length = pending[0], struct.unpack(">H", pending[3:5])[0]
            if len(pending) < 5 + length:
                break
            if kind == 23:
                seen.append(length)
            pending = pending[5 + length:]

    def act(do):
        while True:
            try:
                return do()
            except ssl.SSLWantReadError:
                pump()

    act(phone.do_handshake)
    first = capf.Message(act(lambda: phone.read(capf.RECORD_MAX)))

    def say(command, *elements):
        phone.write(capf.message(command, first.session, *elements))
        raw.sendall(outgoing.read())
    say(capf.AUTH_RESPONSE, capf.element(capf.VERSION, b"\3"),
        capf.element(capf.DEVICE_NAME, capf.text(device)),
        capf.element(capf.REASON, b"\1"))
    for command, elements in (
            (capf.KEY_RESPONSE, capf.element(capf.PUBLIC_KEY, KEY.spki)),
            (capf.STORE_RESPONSE, capf.element(capf.REASON, b"\1")),
            (None, None)):
        capf.Message(act(lambda: phone.read(capf.RECORD_MAX)))
        if command:
            say(command, elements)
    raw.close()
    return seen


# ---- operations ----

def phone_gets_an_lsc_and_registers_with_it():
    with Capf() as c:
        c.order("install", NAMES[0])
        der = capf.install(c.port, NAMES[0], KEY)
        same(subject_of(der), NAMES[0], "the LSC's name")
        pem = LAB.path("got.pem")
        with open(pem, "w", encoding="ascii") as f:
            f.write(ssl.DER_cert_to_PEM_cert(der))
        for protocol in ("sccp", "sip"):
            call(c.daemon, protocol, "--lsc", f"{pem}:{KEY.path}",
                 "--device", NAMES[0]).outcome("registered")


def phone_gives_its_lsc_back():
    with Capf() as c:
        c.order("delete", NAMES[0])
        capf.delete(c.port, NAMES[0])


def old_phone_over_tls_1_0_is_asked_for_a_size_alone():
    with Capf() as c:
        c.order("install", NAMES[0])
        with capf.Visit(c.port, version=2, tls_version="1.0") as visit:
            request = visit.authenticate(NAMES[0])
            same(len(request.data), 13, "E6")
            store = visit.give_key(KEY)
            same(store.command, capf.STORE_REQUEST)
            visit.ended(visit.answer(capf.STORE_RESPONSE), capf.SUCCESS)


def nothing_pending_and_unknown_device_have_their_reasons():
    with Capf() as c:
        for version, reason in ((2, capf.DECLINED), (3, capf.NO_ACTION)):
            with capf.Visit(c.port, version=version) as visit:
                visit.ended(visit.authenticate(NAMES[0]), reason)
        with capf.Visit(c.port) as visit:
            visit.ended(visit.authenticate("SEPFFFFFFFFFFFF"),
                        capf.UNKNOWN_DEVICE)
        failure = c.daemon.wait_failure("capf-unknown-device")
        same((failure["device"], failure["stage"]),
             ("SEPFFFFFFFFFFFF", "enrolment"), "who was refused")


def wrong_string_is_refused_by_name():
    with Capf() as c:
        said = c.admin.say("capf", "install", NAMES[0], "--mode", "string",
                           "--no-reset", "--json")
        right = re.search(r'"string":\s*"(\d+)"', said).group(1)
        wrong = "1" * len(right) if right != "1" * len(right) else "2" * 6
        with capf.Visit(c.port) as visit:
            visit.ended(visit.authenticate(NAMES[0], wrong), capf.DECLINED)
        failure = c.daemon.wait_failure("capf-wrong-string")
        same((failure["device"], failure["protocol"]), (NAMES[0], "capf"))
        path = f"/v1/phones/{NAMES[0]}/history"
        event = wait_until("its history", lambda: c.daemon.get(path)[
            "events"] if c.daemon.fetch(path)[0] == 200 else None)[0]
        same((event["rule"], event["protocol"]),
             ("capf-wrong-string", "capf"), "what is kept of it")
        capf.install(c.port, NAMES[0], KEY, password=right)


# ---- bad input ----

def refused(c, visit, rule):
    """END_SESSION 7, a line in the log, and nothing issued."""
    visit.ended(visit.read(), capf.DECLINED)
    failure = c.daemon.wait_failure(rule, protocol="capf")
    logged = c.daemon.wait_event("refused", rule=rule)
    same(logged.fields["why"], failure["why"], "why in the log")


def what_breaks_a_rule_is_declined_and_logged():
    name = capf.element(capf.DEVICE_NAME, capf.text(NAMES[0]))
    version = capf.element(capf.VERSION, b"\3")
    ok = capf.element(capf.REASON, b"\1")
    cases = (
        ("capf-protocol", lambda v: b"GET / HTTP/1.1\r\n\r\n"),
        ("capf-wrong-session", lambda v: capf.message(
            capf.AUTH_RESPONSE, v.session ^ 1, version, name, ok)),
        ("capf-too-long", lambda v: struct.pack(
            ">BBIH", 0x55, capf.AUTH_RESPONSE, v.session, 65535)),
        ("capf-order", lambda v: capf.message(
            capf.KEY_RESPONSE, v.session,
            capf.element(capf.PUBLIC_KEY, KEY.spki))),
        ("capf-duplicate", lambda v: capf.message(
            capf.AUTH_RESPONSE, v.session, version, name, name, ok)),
        ("capf-empty", lambda v: capf.message(
            capf.AUTH_RESPONSE, v.session, capf.element(capf.VERSION, b""),
            name, ok)),
        ("capf-device-name", lambda v: capf.message(
            capf.AUTH_RESPONSE, v.session, version, capf.element(
                capf.DEVICE_NAME, capf.text("../../etc")), ok)),
        ("capf-overrun", lambda v: capf.message(
            capf.AUTH_RESPONSE, v.session, version,
            struct.pack(">BH", capf.DEVICE_NAME, 200) + b"SEP")),
    )
    with Capf() as c:
        c.order("install", NAMES[0])
        for rule, bytes_of in cases:
            with capf.Visit(c.port) as visit:
                visit.connection.sendall(bytes_of(visit))
                refused(c, visit, rule)
        capf.install(c.port, NAMES[0], KEY)


def message_may_come_byte_by_byte():
    with Capf() as c:
        with capf.Visit(c.port) as visit:
            for byte in capf.message(
                    capf.AUTH_RESPONSE, visit.session,
                    capf.element(capf.DEVICE_NAME, capf.text(NAMES[0])),
                    capf.element(capf.REASON, b"\1"),
                    capf.element(capf.VERSION, b"\3")):
                visit.connection.sendall(bytes([byte]))
            visit.ended(visit.read(), capf.NO_ACTION)


# ---- peers in the way ----

def trickle(connection, stop):
    try:
        while not stop.wait(0.05):
            connection.sendall(b"\x55")
    except OSError:
        pass


def silent_trickling_and_half_open_peers_delay_nobody():
    with Capf() as c:
        c.order("install", *NAMES)
        stop = threading.Event()
        silent = [tcp(c.port) for _ in range(50)]
        half = [tcp(c.port) for _ in range(50)]
        for connection in half:
            connection.sendall(client_hello()[:20])
        mute = [tls(c.port, None) for _ in range(20)]
        slow = [tls(c.port, None) for _ in range(5)]
        threads = [threading.Thread(target=trickle, args=(one, stop))
                   for one in slow]
        for thread in threads:
            thread.start()
        try:
            for name in NAMES:
                began = time.monotonic()
                capf.install(c.port, name, KEY)
                took = time.monotonic() - began
                assert took < 2 * SLOW, f"{name} took {took} s"
            call(c.daemon, "sip", "--lab", LAB.dir, "--device",
                 NAMES[0]).outcome("registered")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for one in (*silent, *half, *mute, *slow):
                one.close()


def silent_phone_is_cut_by_the_deadline():
    with Capf(capf={"answer_ms": 1000}, limits={"idle_ms": 86400000}) as c:
        with capf.Visit(c.port) as visit:
            visit.ended(visit.read(), capf.DECLINED)
        c.daemon.wait_failure("capf-silent", protocol="capf")


def phone_that_makes_its_key_is_not_idle():
    """limits.idle_ms and first_message_ms are other services'."""
    with Capf(limits={"idle_ms": 1000, "first_message_ms": 100}) as c:
        c.order("install", NAMES[0])
        with capf.Visit(c.port) as visit:
            capf.wanted(visit.authenticate(NAMES[0]))
            began = time.monotonic()
            visit.connection.settimeout(2.5)
            try:
                said = visit.connection.recv(1)
                raise AssertionError(f"it said {said!r}")
            except TimeoutError:
                pass
            assert time.monotonic() - began > 2
            visit.connection.settimeout(DEADLINE_S)
            store = visit.give_key(KEY)
            same(store.command, capf.STORE_REQUEST)
            visit.ended(visit.answer(capf.STORE_RESPONSE), capf.SUCCESS)


def is_served(port):
    """A visit that comes too early for a place is cut off: phones come
    again."""
    try:
        capf.install(port, NAMES[1], KEY)
    except OSError:
        return False
    return True


def open_now(c):
    return c.daemon.get("/v1/status")["connections"]["open"]


def wait_open(c, count):
    wait_until(f"{count} connections", lambda: open_now(c) == count)


def capf_has_its_share_of_connections_and_phones_theirs():
    """Who says nothing gives way, a share of them each second."""
    with Capf(limits={"connections": 40, "half_open_per_address": 1000}) as c:
        c.order("install", NAMES[1])
        silent = [tcp(c.port) for _ in range(30)]
        c.daemon.wait_event("accept-paused")
        for protocol in ("sccp", "sip"):
            call(c.daemon, protocol, "--lab", LAB.dir, "--device",
                 NAMES[0]).outcome("registered")
        assert open_now(c) <= 11, open_now(c)
        wait_until("a phone to be served", lambda: is_served(c.port))
        for one in silent:
            one.close()


def who_says_nothing_gives_way_at_any_worker():
    """The share is all workers': hardly ever does a phone wait at the one
    that somebody is silent at."""
    with Capf(workers=16, limits={"connections": 4},
              tls={"handshake_ms": 120000}) as c:
        for _ in range(3):
            c.order("install", NAMES[1])
            with tcp(c.port) as silent:
                wait_open(c, 1)
                wait_until("a phone to be served", lambda: is_served(c.port))
                same(closed_by_peer(silent), b"", "what the silent one read")
            wait_open(c, 0)
        tap.none(c.daemon.events("refused"))


def phones_that_make_keys_do_not_give_way():
    with Capf(limits={"connections": 16}) as c:
        c.order("install", *NAMES[:5])
        visits = [capf.Visit(c.port) for _ in range(4)]
        for name, visit in zip(NAMES, visits):
            capf.wanted(visit.authenticate(name))
        late = tcp(c.port)  # the share is four
        late.sendall(client_hello())
        c.daemon.wait_event("accept-paused")
        for visit in visits:
            same(visit.give_key(KEY).command, capf.STORE_REQUEST, "to store")
            visit.ended(visit.answer(capf.STORE_RESPONSE), capf.SUCCESS)
        assert late.recv(5), "who waited is served"
        late.close()


def connection_asks_whether_its_phone_is_there():
    """TCP's keepalive: the key takes half an hour."""
    with Capf() as c, capf.Visit(c.port) as visit:
        mine = visit.connection.getsockname()[1]
        wait_until("keepalive on the connection", lambda: "timer:(keepalive"
                   in good("ss", "-tno", f"dport = :{mine}"))


# ---- the configuration ----

def start_is_refused_with_the_cure():
    for changes, *parts in (
            ({"state": None}, "capf", "state.folder"),
            ({"capf": {"issuer": "est"}}, "capf.est_url"),
            ({"capf": {"issuer": "est", "est_url": "https://x"}},
             "capf.est_ca"),
            ({"capf": {"offline_folder": "off"}}, "capf.issuer"),
            ({"capf": {"country": "D"}}, "two letters"),
            ({"capf": {"folder": "no/such/folder"}}, "capf.folder")):
        changes.setdefault("admin", None)
        holds(refuses_to_start(capf_config(**changes)).fields["why"], *parts)
    for wrong, part in (
            ({"transport": "tcp"}, "tls alone"),
            ({"transport": "udp"}, "capf over tls"),
            ({"null_cipher": True}, "authentication strings")):
        path = config(listeners=[{"service": "capf", "port": 0, **wrong}])
        holds(refuses_to_start(path).fields["why"], part)


def root_with_an_ec_key_wants_a_modern_listener():
    changes = {"capf": {"folder": "ec-root", "root_key": "p256"}}
    said = refuses_to_start(capf_config("legacy", **changes)).fields["why"]
    holds(said, "RSA", "modern")
    with Capf("modern", **changes) as c:
        c.order("install", NAMES[0])
        capf.install(c.port, NAMES[0], KEY)


def registrations_are_counted_without_capf():
    with Capf() as c, capf.Visit(c.port):
        phones = c.daemon.get("/v1/status")["phones"]
        same((phones["registered"], phones["sccp"], phones["sip"]), (0, 0, 0))
        page = c.daemon.fetch("/metrics")[1]
        assert 'dialtone_registered{protocol="capf"' not in page
        admitted = c.daemon.get("/v1/status")["listeners"]
        same([one["profile"] for one in admitted
              if one["service"] == "capf"], ["legacy"])


def facts():
    yield legacy_listener_speaks_first_in_every_version
    yield modern_listener_refuses_tls_1_0
    yield listener_shows_the_root_that_signs
    yield first_message_has_the_bytes_of_the_book
    yield nothing_is_resumed
    yield one_message_is_one_record
    yield phone_gets_an_lsc_and_registers_with_it
    yield phone_gives_its_lsc_back
    yield old_phone_over_tls_1_0_is_asked_for_a_size_alone
    yield nothing_pending_and_unknown_device_have_their_reasons
    yield wrong_string_is_refused_by_name
    yield what_breaks_a_rule_is_declined_and_logged
    yield message_may_come_byte_by_byte
    yield silent_trickling_and_half_open_peers_delay_nobody
    yield silent_phone_is_cut_by_the_deadline
    yield phone_that_makes_its_key_is_not_idle
    yield capf_has_its_share_of_connections_and_phones_theirs
    yield who_says_nothing_gives_way_at_any_worker
    yield phones_that_make_keys_do_not_give_way
    yield connection_asks_whether_its_phone_is_there
    yield start_is_refused_with_the_cure
    yield root_with_an_ec_key_wants_a_modern_listener
    yield registrations_are_counted_without_capf


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
