# SPDX-License-Identifier: Apache-2.0
"""Where SIP phones can be reached, as status and INVITE tell it."""
import sys

import sip
from clients import Phones, call, credential_words, tcp, tls
from daemon import Daemon
from harness import holds, same, tap, wait_until
from lab import Lab

LAB = Lab()
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"
AOR = f"2001@{sip.NODE}"


def lines(*numbers, **more):
    return {"lines": [{"number": number} for number in numbers], **more}


def location(daemon, aor=AOR):
    """Its contacts; []: it is not there."""
    status, body = daemon.fetch(f"/v1/locations/{aor}")
    if status == 404:
        holds(body, "unknown address")
        return []
    answer = daemon.get(f"/v1/locations/{aor}")
    same((answer["aor"], answer["count"]), (aor, len(answer["contacts"])))
    return answer["contacts"]


def a_location_lives_as_long_as_its_registration():
    with Daemon(LAB.config()) as daemon:
        same(location(daemon), [])
        with tls(daemon.port("sip"), LAB.phone(DEVICE)) as connection:
            talk = sip.Talk(connection, DEVICE)
            same(talk.ask(talk.register(3600, "q=0.5")).status, 200)
            [contact] = location(daemon)
            same({key: contact[key] for key in
                  ("uri", "q", "device", "address", "transport", "instance")},
                 {"uri": "sip:2001@127.0.0.1:50001;transport=tls", "q": 0.5,
                  "device": DEVICE, "address": "127.0.0.1",
                  "transport": "tls", "instance":
                  "urn:uuid:00000000-0000-0000-0000-020000000001"})
            assert 100 < contact["expiresSeconds"] <= 120, contact
            same(location(daemon, "2001@elsewhere.test"), [])
            same(talk.ask(talk.register(0)).status, 200)
            same(location(daemon), [])
            same(talk.ask(talk.register()).status, 200)
            same(len(location(daemon)), 1)
        daemon.wait_phone(DEVICE, "unregistered")
        same(location(daemon), [])


def invite(talk, user):
    return talk.ask(talk.request("INVITE").replace(
        f"INVITE sip:{sip.NODE} ".encode(),
        f"INVITE sip:{user}@{sip.NODE} ".encode()))


def invite_is_redirected_where_the_configuration_says_so():
    for redirect, status in ((True, 302), (False, 405)):
        with Daemon(LAB.config(sip={"redirect": redirect})) as daemon, \
                tls(daemon.port("sip"), LAB.phone(DEVICE)) as one, \
                tls(daemon.port("sip"), LAB.phone(OTHER)) as two:
            called = sip.Talk(one, DEVICE)
            same(called.ask(called.register()).status, 200)
            caller = sip.Talk(two, OTHER, line="2002")
            same(caller.ask(caller.register()).status, 200)
            answer = invite(caller, "2001")
            same(answer.status, status, answer.text)
            if redirect:
                same(answer.headers["contact"],
                     ["<sip:2001@127.0.0.1:50001;transport=tls>"
                      ";q=1.000;expires=120"])
                same(invite(caller, "2003").status, 404)


def strangers_are_not_told_where_others_are():
    with Daemon(LAB.config(sip={"redirect": True})) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as one, \
            tcp(daemon.port("sip", "tcp")) as two:
        called = sip.Talk(one, DEVICE)
        same(called.ask(called.register()).status, 200)
        same(invite(sip.Talk(two, OTHER, transport="tcp"), "2001").status,
             403)


def a_certificate_alone_does_not_tell_where_others_are():
    """A MIC proves a Cisco phone, and whose is not known."""
    with Daemon(LAB.config(sip={"redirect": True})) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as one, \
            tls(daemon.port("sip"), LAB.phone(OTHER, "mic")) as two:
        called = sip.Talk(one, DEVICE)
        same(called.ask(called.register()).status, 200)
        same(invite(sip.Talk(two, OTHER), "2001").status, 403)


def bulk_registers_all_lines_and_a_lost_state_shows():
    config = LAB.config(devices={DEVICE: lines("1001", "1002")})
    words = credential_words(LAB.phone(DEVICE))
    for lost, state, found in (([], "registered", 1),
                               (["--lost-state"], "partiallyregistered", 0)):
        with Daemon(config) as daemon, \
                Phones(daemon, "sip", *words, *lost) as phones:
            daemon.wait_phone(DEVICE, state)
            # What is last when a phone registers is that others find it.
            wait_until("its location",
                       lambda: len(location(daemon, "1001@127.0.0.1")) == 1)
            wait_until("those of its lines", lambda: len(
                location(daemon, "1002@127.0.0.1")) == found)
            if lost:
                daemon.wait_event("partly-registered", device=DEVICE)
            else:
                same(daemon.events("partly-registered"), [])
            phones.leave().outcome("registered")
            same(location(daemon, "1001@127.0.0.1"), [])


def a_line_of_another_phone_is_refused():
    config = LAB.config(devices={DEVICE: lines("1002")})
    with Daemon(config) as daemon:
        call(daemon, "sip", *credential_words(LAB.phone(DEVICE))) \
            .outcome("rejected")
        failure = daemon.wait_failure("directory-number", device=DEVICE)
    same(failure["reason"]["name"], "directoryNumberMismatch")
    holds(failure["cure"], DEVICE, "1001")


def a_phone_without_lines_does_not_get_anothers():
    config = LAB.config(devices={DEVICE: lines("1001"), OTHER: {}})
    with Daemon(config) as daemon, \
            tls(daemon.port("sip"), LAB.phone(DEVICE)) as one, \
            tls(daemon.port("sip"), LAB.phone(OTHER)) as two:
        owner = sip.Talk(one, DEVICE, line="1001")
        same(owner.ask(owner.register()).status, 200)
        for line, status in (("1001", 403), ("1003", 200)):
            other = sip.Talk(two, OTHER, line=line)
            same(other.ask(other.register()).status, status)
        daemon.wait_failure("directory-number", device=OTHER)
        same([contact["device"] for contact in
              location(daemon, f"1001@{sip.NODE}")], [DEVICE])


def a_phone_without_lines_does_not_get_anothers_name():
    """Whom the inventory gives no line is found by its name."""
    config = LAB.config(devices={DEVICE: {}, OTHER: {}})
    with Daemon(config) as daemon, \
            tls(daemon.port("sip"), LAB.phone(OTHER)) as connection:
        for line, status in ((DEVICE, 403), (DEVICE.lower(), 403),
                             (OTHER.lower(), 200)):
            other = sip.Talk(connection, OTHER, line=line)
            same((line, other.ask(other.register()).status), (line, status))
        failure = daemon.wait_failure("directory-number", device=OTHER)
        same(location(daemon, f"{DEVICE}@{sip.NODE}"), [])
    holds(failure["why"], "another device's name")


def why_it_came_back_is_shown():
    with Daemon(LAB.config()) as daemon, \
            Phones(daemon, "sip", *credential_words(LAB.phone(DEVICE))):
        phone = daemon.wait_phone(DEVICE, "registered")
    same(phone["cameBackBecause"],
         "cisco-alarm 25 initialized: it was switched on")


def a_plain_softphone_without_a_name_is_challenged():
    """And a digest of whoever it is lets nobody in that is not there."""
    with Daemon(LAB.config()) as daemon, \
            tcp(daemon.port("sip", "tcp")) as connection:
        talk = sip.Talk(connection, DEVICE, line="ann", transport="tcp")
        answer = talk.ask(talk.request(
            "REGISTER", "Contact: <sip:ann@127.0.0.1>"))
        same(answer.status, 401, answer.text)
        first, second = answer.headers["www-authenticate"]
        holds(first, 'realm="dialtone"', "algorithm=SHA-256", 'qop="auth"')
        holds(second, "algorithm=MD5")
        daemon.wait_failure("unknown-device", device="ann")
        call(daemon, "sip", "--device", OTHER, "--username", "ann",
             "--password", "x", transport="tcp").outcome("rejected")


def flow(talk, number):
    return talk.ask(talk.request(
        "REGISTER", "Contact: " + talk.contact(f"reg-id={number}"),
        "Supported: path,outbound", "Require: outbound"))


def a_second_flow_of_a_plain_phone_comes_from_where_the_first_does():
    config = LAB.config(devices={DEVICE: {"profile": "non-secure"}})
    with Daemon(config) as daemon:
        port = daemon.port("sip", "tcp")
        with tcp(port) as one, tcp(port) as two, \
                tcp(port, source="127.0.0.2") as stranger:
            first, second, third = (
                sip.Talk(c, DEVICE, transport="tcp")
                for c in (one, two, stranger))
            same(flow(first, 1).status, 200)
            refused = flow(third, 3)
            same(refused.status, 403, refused.text)
            same(flow(second, 2).status, 200)
            same(flow(third, 2).status, 403)
            same(len(location(daemon)), 2)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_location_lives_as_long_as_its_registration,
        invite_is_redirected_where_the_configuration_says_so,
        strangers_are_not_told_where_others_are,
        a_certificate_alone_does_not_tell_where_others_are,
        bulk_registers_all_lines_and_a_lost_state_shows,
        a_line_of_another_phone_is_refused,
        a_phone_without_lines_does_not_get_anothers,
        a_phone_without_lines_does_not_get_anothers_name,
        why_it_came_back_is_shown,
        a_plain_softphone_without_a_name_is_challenged,
        a_second_flow_of_a_plain_phone_comes_from_where_the_first_does,
    ))
