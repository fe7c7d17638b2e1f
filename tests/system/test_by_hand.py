# SPDX-License-Identifier: Apache-2.0
"""openssl s_client and an LSC are phone enough: SIP text by hand."""
import os
import re
import sys
from email.utils import parsedate_to_datetime

import sip
from clients import s_client_pipe, tls
from daemon import Daemon
from harness import holds, same, shared, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"


def header(answer, name):
    values = answer.headers.get(name, [])
    assert len(values) == 1, f"{name} in {answer.text}"
    return values[0]


def dated(answer):
    """The Date by which a phone sets its clock."""
    text = header(answer, "date")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", text), \
        text
    return parsedate_to_datetime(text)


def registered_answer(answer, talk):
    same((answer.status, answer.phrase), (200, "OK"), answer.text)
    dated(answer)
    same(header(answer, "expires"), "120")
    same(header(answer, "call-id"), talk.call_id)
    same(header(answer, "cseq"), f"{talk.cseq} REGISTER")
    holds(header(answer, "to"), ";tag=")
    holds(header(answer, "supported"), "X-cisco-sis-")
    holds(header(answer, "contact"), talk.contact().split(";")[0],
          f'+u.sip!devicename.ccm.cisco.com="{talk.device}"')


def a_whole_life_with_s_client():
    for version in ("1.2", "1.3"):
        with Daemon(LAB.config()) as daemon, \
                s_client_pipe(daemon, "sip", LAB.phone(DEVICE),
                              version) as pipe:
            talk = sip.Talk(pipe, DEVICE)
            first = talk.ask(talk.register())
            registered_answer(first, talk)
            holds(header(first, "contact"), ";x-cisco-newreg")
            known = daemon.wait_phone(DEVICE, "registered")

            refresh = talk.ask(talk.register())
            registered_answer(refresh, talk)
            assert "x-cisco-newreg" not in refresh.text, refresh.text

            same(talk.ask(talk.request("OPTIONS")).status, 200)
            standby(talk)
            still = daemon.phone(DEVICE)
            same((still["state"], still["since"]),
                 ("registered", known["since"]), "after the standby one")

            talk.new_call()
            goodbye = talk.ask(talk.register(0))
            same(goodbye.status, 200, goodbye.text)
            gone = daemon.wait_phone(DEVICE, "unregistered")
            same(gone["reason"]["name"], "deviceUnregistered")
            again = talk.ask(talk.register())
            holds(header(again, "contact"), ";x-cisco-newreg")


def standby(talk):
    """Expires 0, and yet it must not unregister anybody."""
    talk.new_call()
    answer = talk.ask(talk.register(0, "expires=0", "cisco-keep-alive"))
    same(answer.status, 200, answer.text)
    dated(answer)


def standby_keepalive_of_a_stranger_touches_nothing():
    with Daemon(LAB.config()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as connection:
        standby(sip.Talk(connection, DEVICE))
        same(daemon.phone(DEVICE), {}, "what is known of it")


def requests_that_are_not_for_a_registrar_get_the_right_answers():
    expected = {"OPTIONS": 200, "INVITE": 405, "SUBSCRIBE": 489,
                "PUBLISH": 405, "NOSUCH": 501}
    with Daemon(LAB.config()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as connection:
        talk = sip.Talk(connection, DEVICE)
        found = {method: talk.ask(talk.request(method)).status
                 for method in expected}
    same(found, expected)


def crlf_ping_is_answered():
    with Daemon(LAB.config()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as connection:
        connection.sendall(b"\r\n\r\n")
        same(connection.recv(16), b"\r\n")


def another_device_over_the_same_connection_is_refused():
    """One LSC, one device: whatever else is asked for."""
    other = "SEP0200000000FF"
    with Daemon(LAB.config()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as connection:
        talk = sip.Talk(connection, DEVICE)
        same(talk.ask(talk.register()).status, 200)
        talk.device = other
        answer = talk.ask(talk.register())
        same(answer.status, 403, answer.text)
        holds(header(answer, "warning"), "399 dialtone")
        talk.device = DEVICE
        same(talk.ask(talk.register(0)).status, 200)
        failure = daemon.wait_failure("name-mismatch", device=other)
        same(daemon.phone(DEVICE)["state"], "unregistered")
    same(failure["reason"]["code"], 11)


def messages():
    """Those a phone sends, by file name."""
    top = shared("sip-cisco")
    for name in sorted(os.listdir(top)):
        if name.endswith(".sip"):
            with open(os.path.join(top, name), "rb") as f:
                yield name, f.read()


def every_message_of_a_cisco_phone_is_answered():
    with Daemon(LAB.config()) as daemon:
        for name, message in messages():
            found = re.search(rb'devicename\.ccm\.cisco\.com="(\w+)"', message)
            device = found.group(1).decode() if found else "SEP020000AABB01"
            with tls(daemon.port("sip"), LAB.phone(device)) as connection:
                answer = sip.Talk(connection, device).ask(message)
            same(answer.status, 202 if "refer" in name else 200, name)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_whole_life_with_s_client,
        standby_keepalive_of_a_stranger_touches_nothing,
        requests_that_are_not_for_a_registrar_get_the_right_answers,
        crlf_ping_is_answered,
        another_device_over_the_same_connection_is_refused,
        every_message_of_a_cisco_phone_is_answered))
