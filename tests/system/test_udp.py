# SPDX-License-Identifier: Apache-2.0
"""SIP over UDP: said again, answered again; lost, forged, garbled, frozen."""
import re
import select
import signal
import socket
import sys
import time

import sip
from clients import Phones, call, tcp
from daemon import Daemon, refuses_to_start
from harness import (DEADLINE_S, LOOPBACK, SLOW, holds, needs, quiet_port, run,
                     same, tap, wait_until)
from lab import Lab, listener

LAB = Lab()
DEVICE = "SEP020000000001"
OTHER = "SEP020000000002"
LISTENERS = [listener("sip", "udp"), listener("sip", "tcp"), listener("sip")]
PLAIN = {device: {"profile": "non-secure"} for device in (DEVICE, OTHER)}
GARBAGE = [b"x", b"\0\0\0\0", b"jaK", b"GET / HTTP/1.1\r\n\r\n",
           b"OPTIONS sip:x SIP/2.0", b"\x16\x03\x01" + bytes(200),
           b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 1400,
           b"ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n"]


def config(**changes):
    return LAB.config(listeners=LISTENERS, devices=PLAIN, **changes)


class Talk(sip.Talk):
    """A phone over UDP: its own socket, connected to the daemon."""

    def __init__(self, daemon, device=DEVICE, source=LOOPBACK, rport=True):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE_S)
        self.socket.bind((source, 0))
        self.socket.connect((LOOPBACK, daemon.port("sip", "udp")))
        super().__init__(self.socket, device, transport="udp")
        self.port = self.socket.getsockname()[1]
        self.sent_by = f"{source}:{self.port}" + (";rport" if rport else "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data)

    def datagram(self):
        return self.socket.recv(65536)

    def exchange(self, data):
        """One datagram for another, as it is."""
        self.send(data)
        return self.datagram()

    def silent(self, daemon):
        """Nothing has come, and what was sent has been read: a datagram of
        another socket that was sent later is answered."""
        with Talk(daemon, OTHER) as other:
            same(other.ask(other.request("OPTIONS")).status, 200)
        ready, _, _ = select.select([self.socket], [], [], 0.05)
        same(ready, [], "what came")


def udp_counts(daemon):
    return daemon.get("/v1/status")["connections"]["udp"]


def freeze(daemon):
    daemon.signal(signal.SIGSTOP)

    def stopped():
        with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "T"
    wait_until("it to stand still", stopped)


def unread(daemon):
    """Requests that wait in the daemon's sockets."""
    port = f":{daemon.port('sip', 'udp'):04X} "
    with open("/proc/net/udp", encoding="ascii") as f:
        queued = [int(line.split()[4].split(":")[1], 16)
                  for line in f if port in line[:30]]
    # The kernel counts what it keeps of each, which is more than its bytes.
    return sum(queued) // 2304


# ---- the life of a phone ----

def a_phone_registers_refreshes_and_leaves():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        answer = talk.ask(talk.register())
        same(answer.status, 200)
        holds(answer.headers["via"][0], f"rport={talk.port}",
              f"received={LOOPBACK}")
        holds(answer.headers["contact"][0], "x-cisco-newreg")
        phone = daemon.wait_phone(DEVICE, "registered")
        same((phone["transport"], phone["address"], phone["port"]),
             ("udp", LOOPBACK, talk.port))
        counts = daemon.get("/v1/status")["connections"]
        same((counts["open"], counts["halfOpen"], counts["udp"]["flows"]),
             (1, 0, 1))
        metrics = daemon.fetch("/metrics")[1]
        for name, total in (("flows_opened", 1), ("datagrams_received", 1),
                            ("datagrams_sent", 1)):
            found = re.findall(
                rf"^dialtone_udp_{name}_total{{.*}} (\d+)$", metrics, re.M)
            same(sum(map(int, found)), total, name)
        same(talk.ask(talk.register()).status, 200)
        same(daemon.phone(DEVICE)["registrations"], 1)
        same(talk.ask(talk.register(0)).status, 200)
        gone = daemon.wait_phone(DEVICE, "unregistered")
        same(gone["reason"]["name"], "deviceUnregistered")
        daemon.wait_event("registered", device=DEVICE, transport="udp")


def standby_is_answered_and_registers_nothing():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        for _ in range(3):
            talk.new_call()
            answer = talk.ask(
                talk.register(0, "expires=0", "cisco-keep-alive"))
            same(answer.status, 200)
            assert answer.headers["date"], answer.text
        same(daemon.phone(DEVICE), {})


def a_token_is_granted():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        answer = talk.ask(talk.request(
            "REFER", "Refer-To: <urn:X-cisco-remotecc:token-registration>",
            "Require: norefersub", "Contact: " + talk.contact()))
        same(answer.status, 202)
        holds(answer.headers["contact"][0], "transport=udp")


def strangers_are_refused():
    with Daemon(config()) as daemon:
        with Talk(daemon, "SEP02000000DEAD") as talk:
            same(talk.ask(talk.register()).status // 100, 4)
        failure = daemon.wait_failure("unknown-device")
        same((failure["transport"], failure["port"]), ("udp", talk.port))


def a_handset_registers_stays_and_leaves():
    with Daemon(config(sip={"expires_s": 26})) as daemon:
        with Phones(daemon, "sip", "--device", DEVICE,
                    transport="udp") as phone:
            shown = daemon.wait_phone(DEVICE, "registered")
            same(shown["transport"], "udp")
            report = phone.leave()
        gone = daemon.phone(DEVICE)
        report.outcome("registered")
        same(gone["reason"]["name"], "deviceUnregistered")
        call(daemon, "sip", "--standby", "--device", OTHER,
             transport="udp").outcome("standby")
        call(daemon, "sip", "--device", "SEP02000000DEAD",
             transport="udp").outcome("rejected")


def a_handset_asks_until_it_is_heard():
    with Daemon(config()) as daemon:
        freeze(daemon)
        with Phones(daemon, "sip", "--device", DEVICE,
                    transport="udp") as phone:
            # Its third attempt is there, unread, before anyone answers.
            wait_until("three datagrams", lambda: unread(daemon) >= 3)
            daemon.signal(signal.SIGCONT)
            daemon.wait_phone(DEVICE, "registered")
            phone.leave().outcome("registered")
        assert udp_counts(daemon)["repeated"] >= 2, udp_counts(daemon)
        same(daemon.phone(DEVICE)["registrations"], 1)


# ---- retransmissions ----

def a_retransmission_gets_the_same_bytes():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        request = talk.register()
        first = talk.exchange(request)
        date = re.search(rb"Date: .*", first).group()
        now = time.time
        # Also when the Date of a new answer would be another one.
        start = now()
        wait_until("the next second", lambda: now() >= int(start) + 1.01)
        for _ in range(5):
            same(talk.exchange(request), first)
        fresh = talk.exchange(talk.request("OPTIONS"))
        assert date not in fresh, "the clock stood still"
        wait_until("seven datagrams each way, five of them repeated",
                   lambda: [udp_counts(daemon)[k] for k in (
                       "repeated", "datagramsIn", "datagramsOut")] == [5, 7, 7])
        same(daemon.phone(DEVICE)["registrations"], 1)
        # A request of its own is no retransmission.
        again = talk.exchange(talk.register())
    assert b"x-cisco-newreg" in first and b"x-cisco-newreg" not in again


def retransmissions_of_refusals_too():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        for request in (
                talk.request("OPTIONS", "Require: nonsense"),
                talk.request("OPTIONS").replace(b"Length: 0", b"Length: 9"),
                talk.request("OPTIONS").replace(b"z9hG4bK", b"old")):
            first = talk.exchange(request)
            same(talk.exchange(request), first)
        same(udp_counts(daemon)["repeated"], 3)


def the_fifth_answer_takes_the_place_of_the_first():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        requests = [talk.request("OPTIONS") for _ in range(5)]
        for request in requests:
            talk.exchange(request)
        for request in requests[1:]:
            talk.exchange(request)
        same(udp_counts(daemon)["repeated"], 4)
        talk.exchange(requests[0])
        same(udp_counts(daemon)["repeated"], 4)


# ---- where answers go ----

def without_rport_the_via_says_where():
    with Daemon(config()) as daemon, Talk(daemon, rport=False) as talk:
        with Talk(daemon) as elsewhere:
            talk.sent_by = f"{LOOPBACK}:{elsewhere.port}"
            talk.send(talk.request("OPTIONS"))
            elsewhere.socket.settimeout(DEADLINE_S)
            holds(elsewhere.datagram().decode(), "SIP/2.0 200 OK",
                  f"Via: SIP/2.0/UDP {LOOPBACK}:{elsewhere.port};branch")
            # Another host is not believed; its port is.
            talk.sent_by = f"192.0.2.1:{elsewhere.port};maddr=192.0.2.2"
            talk.send(talk.request("OPTIONS"))
            holds(elsewhere.datagram().decode(), f";received={LOOPBACK}")
            talk.silent(daemon)


def ipv6_and_ipv4_come_to_one_socket():
    both = dict(listener("sip", "udp"), address="::")
    with Daemon(LAB.config(listeners=[both], devices=PLAIN)) as daemon:
        port = daemon.port("sip", "udp")
        with Talk(daemon) as four:
            same(four.ask(four.register()).status, 200)
            same(daemon.phone(DEVICE)["address"], LOOPBACK)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            six.settimeout(DEADLINE_S)
            try:
                six.connect(("::1", port))
            except OSError as none:
                raise tap.Skip(f"no IPv6 here: {none}") from None
            talk = sip.Talk(six, OTHER, transport="udp")
            talk.sent_by = f"[::1]:{six.getsockname()[1]};rport"
            answer = talk.ask(talk.register())
            same(answer.status, 200)
            holds(answer.headers["via"][0], "received=::1")
            same(daemon.phone(OTHER)["address"], "::1")


# ---- framing ----

def a_datagram_is_one_message():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        def ask(request):
            return sip.parse(talk.exchange(request).split(b"\r\n\r\n")[0])

        good = talk.request("OPTIONS")
        same(ask(good + b"and more of it").status, 200)
        same(ask(talk.request("OPTIONS").replace(
            b"Content-Length: 0\r\n", b"")).status, 200)
        cut = ask(talk.request("OPTIONS").replace(
            b"Length: 0", b"Length: 1"))
        same(cut.status, 400)
        holds(cut.headers["warning"][0], "the datagram ends before")
        long = talk.request("OPTIONS", "Content-Type: text/plain",
                            body=b"x" * 10990)
        same(ask(long).status, 413)
        same(ask(b"\r\n\r\n" + talk.request("OPTIONS")).status, 200)


def line_ends_alone_are_silence():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        same(talk.ask(talk.register()).status, 200)
        for ping in (b"\r\n\r\n", b"\r\n", b""):
            talk.send(ping)
        talk.silent(daemon)
        same(udp_counts(daemon)["ignored"], 3)
        same(daemon.phone(DEVICE)["state"], "registered")


# ---- strangers ----

def garbage_gets_no_answer_and_ends_nothing():
    with Daemon(config(log={"refusals_per_s": 5})) as daemon:
        with Talk(daemon) as talk, Talk(daemon, OTHER) as stranger:
            same(talk.ask(talk.register()).status, 200)
            for data in GARBAGE * 10:
                stranger.send(data)
                talk.send(data)  # whoever forges its address
            sent = 2 * 10 * len(GARBAGE)
            wait_until("all of it to be read", lambda: udp_counts(
                daemon)["datagramsIn"] == sent + 1)
            stranger.silent(daemon)
            talk.silent(daemon)
            counts = udp_counts(daemon)
            same((counts["ignored"], counts["dropped"]), (sent, 0))
            same(daemon.phone(DEVICE)["state"], "registered")
            same(talk.ask(talk.register()).status, 200)
        logged = daemon.events("datagram-ignored")
        assert logged and len(logged) < sent / 2, len(logged)
        same(daemon.failures(), [])


def a_flood_of_strangers_leaves_room_for_phones():
    limits = {"half_open": 80, "jitter_percent": 0}
    talks = []
    with Daemon(config(limits=limits, workers=1)) as daemon:
        with Talk(daemon) as phone:
            same(phone.ask(phone.register()).status, 200)
            for _ in range(60):
                talks.append(Talk(daemon, OTHER))
                same(talks[-1].ask(talks[-1].request("OPTIONS")).status, 200)
            counts = daemon.get("/v1/status")["connections"]
            assert counts["halfOpen"] <= 20, counts
            assert counts["udp"]["flows"] <= 21, counts
            same(talks[-1].ask(talks[-1].register()).status, 200)
            same(phone.ask(phone.register()).status, 200)
            same(daemon.registered(), 2)
            # Those over TCP are not kept out.
            with tcp(daemon.port("sip", "tcp")) as connection:
                talk = sip.Talk(connection, "SEP02000000DEAD")
                same(talk.ask(talk.request("OPTIONS")).status, 200)
        for talk in talks:
            talk.socket.close()


def forged_datagrams_shut_out_nobody_over_tcp():
    with Daemon(config(limits={"half_open_per_address": 2})) as daemon, \
            Talk(daemon, OTHER) as one, Talk(daemon, OTHER) as two, \
            Talk(daemon, OTHER) as three:
        for stranger in (one, two):
            same(stranger.ask(stranger.request("OPTIONS")).status, 200)
        three.send(three.request("OPTIONS"))
        daemon.wait_event("datagram-ignored")
        with tcp(daemon.port("sip", "tcp")) as connection:
            talk = sip.Talk(connection, DEVICE)
            same(talk.ask(talk.register()).status, 200)


def an_answer_to_a_stranger_is_not_much_longer():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        for request in (
                talk.request("OPTIONS"), talk.register(),
                talk.request("OPTIONS", "Require: nonsense"),
                talk.request("INVITE", "Contact: " + talk.contact())):
            answer = talk.exchange(request)
            assert len(answer) <= len(request) + 1024, len(answer)
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        many = talk.request("OPTIONS", "Require: " + ",".join("a" * 200))
        talk.send(many)
        talk.silent(daemon)
        same(udp_counts(daemon)["dropped"], 1)


def too_many_datagrams_are_dropped_and_end_nothing():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        same(talk.ask(talk.register()).status, 200)
        request = talk.request("OPTIONS")
        for _ in range(300):
            talk.send(request)
        wait_until("some to be dropped",
                   lambda: udp_counts(daemon)["dropped"] > 0)
        same(daemon.phone(DEVICE)["state"], "registered")


# ---- one device, one registration ----

def a_phone_that_comes_from_another_port_replaces_itself():
    with Daemon(config(workers=2)) as daemon:
        with Talk(daemon) as old, Talk(daemon) as new:
            same(old.ask(old.register()).status, 200)
            same(new.ask(new.register()).status, 200)
            daemon.wait_event("replaced", device=DEVICE)
            wait_until("the old flow to end",
                       lambda: udp_counts(daemon)["flows"] == 1)
            phone = daemon.phone(DEVICE)
            same((phone["state"], phone["port"]), ("registered", new.port))


def a_datagram_takes_no_connections_place():
    with Daemon(config()) as daemon, Talk(daemon) as forged:
        with tcp(daemon.port("sip", "tcp")) as connection:
            talk = sip.Talk(connection, DEVICE, transport="tcp")
            same(talk.ask(talk.register()).status, 200)
            answer = forged.ask(forged.register())
            same(answer.status, 403)
            same(daemon.phone(DEVICE)["transport"], "tcp")
            same(talk.ask(talk.register()).status, 200)
        daemon.wait_failure("already-registered", transport="udp")


def silence_ends_flows():
    """In real time: 32 s, and an expiry of 25 s with its grace."""
    with Daemon(config(sip={"expires_s": 25})) as daemon:
        with Talk(daemon) as phone, Talk(daemon, OTHER) as stranger:
            same(phone.ask(phone.register()).status, 200)
            same(stranger.ask(stranger.request("OPTIONS")).status, 200)
            start = time.monotonic()
            gone = daemon.wait_phone(DEVICE, "unregistered", 60 * SLOW)
            took = time.monotonic() - start
            same(gone["reason"]["name"], "keepAliveTimeout")
            assert 34 < took < 60 * SLOW, took
            wait_until("both flows to end",
                       lambda: udp_counts(daemon)["flows"] == 0)
            same(daemon.get("/v1/status")["connections"]["open"], 0)


# ---- the daemon stands still, dies, comes back ----

def a_frozen_daemon_answers_each_attempt_alike():
    with Daemon(config()) as daemon, Talk(daemon) as talk:
        same(talk.ask(talk.register()).status, 200)
        request = talk.register()
        freeze(daemon)
        for _ in range(11):  # sipRetx 10
            talk.send(request)
        ready, _, _ = select.select([talk.socket], [], [], 0.05)
        same(ready, [], "a frozen daemon's answer")
        daemon.signal(signal.SIGCONT)
        answers = {talk.datagram() for _ in range(11)}
        same(len(answers), 1, "different answers")
        holds(answers.pop().decode(), "SIP/2.0 200 OK",
              f"CSeq: {talk.cseq} REGISTER")
        phone = daemon.phone(DEVICE)
        same((phone["state"], phone["registrations"]), ("registered", 1))


def a_killed_daemon_is_found_again_at_its_port():
    port = quiet_port(socket.SOCK_DGRAM)
    fixed = LAB.config(listeners=[listener("sip", "udp", port)],
                       devices=PLAIN)
    with Daemon(fixed) as daemon, Talk(daemon) as talk:
        same(talk.ask(talk.register()).status, 200)
        daemon.kill()
        with Daemon(fixed) as second:
            try:  # the system may have told the socket that nobody is there
                answer = talk.ask(talk.register())
            except ConnectionRefusedError:
                answer = talk.ask(talk.register())
            same(answer.status, 200)
            holds(answer.headers["contact"][0], "x-cisco-newreg")
            same(second.registered(), 1)


def a_port_in_use_is_refused():
    with Daemon(config()) as daemon:
        port = daemon.port("sip", "udp")
        said = refuses_to_start(LAB.config(
            listeners=[listener("sip", "udp", port)], devices=PLAIN))
        holds(said.text, f"port {port}", "in use")
    said = refuses_to_start(LAB.config(
        listeners=[listener("sccp", "udp")]))
    holds(said.text, "transport udp is for sip")


# ---- SIPp ----

SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a phone on a bad line">
{steps}
</scenario>
"""

STEP = """
  <send retrans="500"><![CDATA[
    REGISTER sip:registrar.test SIP/2.0
    Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
    From: <sip:[field0]@registrar.test>;tag=[call_number]
    To: <sip:[field0]@registrar.test>
    Call-ID: [call_id]
    CSeq: {cseq} REGISTER
    Max-Forwards: 70
    Contact: <sip:[field0]@[local_ip]:[local_port]>
    Expires: {expires}
    Content-Length: 0

  ]]></send>
  <recv response="200"/>
"""


def sipp_registers_over_a_line_that_loses():
    sipp = needs("sipp")
    devices = [f"SEP0200000E{n:04X}" for n in range(50)]
    with open(LAB.path("udp.xml"), "w", encoding="ascii") as f:
        f.write(SCENARIO.format(steps="".join(
            STEP.format(cseq=cseq, expires=expires)
            for cseq, expires in ((1, 3600), (2, 3600), (3, 0)))))
    with open(LAB.path("udp.csv"), "w", encoding="ascii") as f:
        f.write("SEQUENTIAL\n" + "".join(f"{d};\n" for d in devices))
    with Daemon(LAB.config(listeners=LISTENERS, devices={
            device: {"profile": "non-secure"} for device in devices})) as daemon:
        done = run(sipp, "-sf", LAB.path("udp.xml"), "-inf",
                   LAB.path("udp.csv"), "-t", "un", "-lost", "10",
                   "-max_non_invite_retrans", "10", "-m", len(devices),
                   "-r", len(devices), "-l", len(devices), "-i",
                   LOOPBACK, "-timeout", "60s", "-timeout_error",
                   "-max_socket", 2 * len(devices), "-nostdin",
                   f"{LOOPBACK}:{daemon.port('sip', 'udp')}", cwd=LAB.top)
        said = f"{done.stdout[-3000:]}{done.stderr}"
        same(done.returncode, 0, f"exit status ({said})")
        phones = daemon.get("/v1/phones")["phones"]
        repeated = udp_counts(daemon)["repeated"]
    same([phone["name"] for phone in phones], devices)
    same({(phone["registrations"], phone["reason"]["name"])
          for phone in phones}, {(1, "deviceUnregistered")})
    assert repeated > 0, "no answer was lost"


if __name__ == "__main__":
    sys.exit(tap.run(
        a_phone_registers_refreshes_and_leaves,
        standby_is_answered_and_registers_nothing,
        a_token_is_granted,
        strangers_are_refused,
        a_handset_registers_stays_and_leaves,
        a_handset_asks_until_it_is_heard,
        a_retransmission_gets_the_same_bytes,
        retransmissions_of_refusals_too,
        the_fifth_answer_takes_the_place_of_the_first,
        without_rport_the_via_says_where,
        ipv6_and_ipv4_come_to_one_socket,
        a_datagram_is_one_message,
        line_ends_alone_are_silence,
        garbage_gets_no_answer_and_ends_nothing,
        a_flood_of_strangers_leaves_room_for_phones,
        forged_datagrams_shut_out_nobody_over_tcp,
        an_answer_to_a_stranger_is_not_much_longer,
        too_many_datagrams_are_dropped_and_end_nothing,
        a_phone_that_comes_from_another_port_replaces_itself,
        a_datagram_takes_no_connections_place,
        a_frozen_daemon_answers_each_attempt_alike,
        a_killed_daemon_is_found_again_at_its_port,
        a_port_in_use_is_refused,
        sipp_registers_over_a_line_that_loses,
        silence_ends_flows,
    ))
