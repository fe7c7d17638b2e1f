# SPDX-License-Identifier: Apache-2.0
"""SCCP beyond the first registration: orders, tokens, duplicates, judgement."""
import struct
import sys

import sccp
from clients import (Phones, call, closed_by_peer, credential_words, tcp, tls)
from daemon import Daemon
from harness import LOOPBACK, SLOW, fact, holds, same, tap
from lab import Lab

LAB = Lab()
DEVICE, OTHER, THIRD = (f"SEP02000000000{n}" for n in (1, 2, 3))
PLAIN = {"profile": "non-secure"}

# Short enough to wait for, long enough for a phone on a busy machine.
SOON_MS = 3000 + 1500 * SLOW


def config(devices=None, **changes):
    return LAB.config(devices=devices or {DEVICE: PLAIN, OTHER: PLAIN},
                      admin={"socket": "admin.sock"}, **changes)


def plain(daemon, **options):
    return tcp(daemon.port("sccp", "tcp"), **options)


def text_of(body):
    return body.split(b"\0")[0].decode("latin-1")


def rejected(talk, text):
    """The next frame is RegisterReject with this text, and then the end."""
    message, body = talk.read()
    same(message, sccp.REGISTER_REJECT, "answer")
    same(text_of(body), text, "text on the phone's screen")
    assert len(text) <= 31, text


# ---- reset, restart, apply ----

ORDERS = {"reset": (1, "callManagerReset(9)", "Reset-Reset(22): "),
          "restart": (2, "callManagerRestart(15)", "Reset-Restart(23): "),
          "apply": (3, "callManagerApplyConfig(17)", "Reset-Restart(23): ")}


def tell(daemon, order):
    same(daemon.order(f"/v1/phones/{DEVICE}/{order}"),
         {"device": DEVICE, "told": order})


def comes_back_when_told(order, transport):
    words = ["--device", DEVICE]
    devices = {DEVICE: PLAIN}
    if transport == "tls":
        words = credential_words(LAB.phone(DEVICE))
        devices = {DEVICE: {}}
    with Daemon(config(devices)) as daemon, \
            Phones(daemon, "sccp", *words, transport=transport) as phones:
        daemon.wait_event("ready", device=DEVICE)
        mark = daemon.mark()
        tell(daemon, order)
        gone = daemon.wait_event("unregistered", mark, device=DEVICE)
        daemon.wait_event("ready", mark, device=DEVICE)
        shown = daemon.phone(DEVICE)
        report = phones.leave()
    same(gone.fields["reason"], ORDERS[order][1])
    holds(shown["cameBackBecause"], ORDERS[order][2])
    same((report.only["outcome"], report.only["returns"]), ("registered", 1),
         report.console)
    holds(report.console, "-REG_RESET:", "-REG_OK:")


def hangs_up_when_told(order):
    with Daemon(config()) as daemon:
        with plain(daemon) as connection:
            talk = sccp.Talk(connection)
            talk.register(DEVICE)
            daemon.wait_phone(DEVICE, "registered")
            tell(daemon, order)
            same(talk.read(), (sccp.RESET, sccp.number(ORDERS[order][0])))
        gone = daemon.wait_event("unregistered", device=DEVICE)
    same(gone.fields["reason"], ORDERS[order][1])


def stays_and_is_closed():
    with Daemon(config(sccp={"reset_ms": SOON_MS})) as daemon, \
            plain(daemon) as connection:
        talk = sccp.Talk(connection)
        talk.register(DEVICE)
        daemon.wait_phone(DEVICE, "registered")
        tell(daemon, "reset")
        same(talk.read()[0], sccp.RESET)
        talk.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        closed_by_peer(connection)
        gone = daemon.wait_event("unregistered", device=DEVICE)
    same((gone.fields["reason"], gone.fields["why"]),
         ("deviceNoResponse(18)", "sccp-reset-unanswered"))


def applied_without_leaving_is_no_goodbye():
    with Daemon(config(sccp={"reset_ms": 1000})) as daemon, \
            plain(daemon) as connection:
        talk = sccp.Talk(connection)
        talk.register(DEVICE)
        talk.send(sccp.CAPABILITIES_RES, sccp.CAPABILITIES)
        daemon.wait_phone(DEVICE, "registered")
        tell(daemon, "apply")
        same(talk.read()[0], sccp.RESET)
        ack = talk.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        same(len(ack), 1)
        same(daemon.phone(DEVICE)["state"], "registered")


def order_for_nobody_is_refused():
    with Daemon(config()) as daemon:
        status, answer = daemon.ask_admin(f"/v1/phones/{DEVICE}/reset", "POST")
    assert status in (404, 409), (status, answer)


# ---- tokens ----

def token_is_granted_and_used(message, ack, spa):
    kind = 80004 if spa else 437
    with Daemon(config()) as daemon, plain(daemon) as connection:
        talk = sccp.Talk(connection)
        connection.sendall(sccp.token(DEVICE, message, kind))
        same(talk.read()[0], ack)
        talk.register(DEVICE, version=8, device_type=kind)
        talk.send(sccp.AVAILABLE_LINES, sccp.number(1))
        if spa:
            daemon.wait_event("ready", device=DEVICE)
        same(daemon.phone(DEVICE)["model"], "SPA504G" if spa else "7975")


def token_without_register_ends():
    """Keepalives do not save it: it was told to come."""
    with Daemon(config(sccp={"token_ms": SOON_MS})) as daemon, \
            plain(daemon) as connection:
        talk = sccp.Talk(connection)
        connection.sendall(sccp.token(DEVICE))
        same(talk.read()[0], sccp.TOKEN_ACK)
        talk.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        closed_by_peer(connection)
        daemon.wait_failure("sccp-token-unused")
        same(daemon.phone(DEVICE), {}, "what is known of it")
    same(len(daemon.events("refused", rule="sccp-token-unused")), 1)


def token_of_a_registered_device_leaves_it_alone():
    with Daemon(config()) as daemon, plain(daemon) as first, \
            plain(daemon, source="127.0.0.2") as second:
        old, new = sccp.Talk(first), sccp.Talk(second)
        old.register(DEVICE)
        port = daemon.wait_phone(DEVICE, "registered")["port"]
        for connection, talk in ((second, new), (first, old)):
            connection.sendall(sccp.token(DEVICE))
            same(talk.read()[0], sccp.TOKEN_ACK)
        old.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        same(daemon.phone(DEVICE)["port"], port)


def tokens_of_a_stranger_cost_one_line(message, reject):
    tokens = 500
    with Daemon(config()) as daemon, plain(daemon) as connection:
        talk = sccp.Talk(connection)
        waits = []
        for _ in range(tokens):
            connection.sendall(sccp.token(THIRD, message))
            got, body = talk.read()
            same(got, reject)
            waits.append(struct.unpack("<I", body)[0])
        same(waits[0], 60, "seconds to wait")
        assert all(30 < w <= 60 for w in waits), waits
        same([f["device"] for f in daemon.failures()], [THIRD])
        call(daemon, "sccp", "--device", DEVICE,
             transport="tcp").outcome("registered")
    same(len(daemon.events("refused", device=THIRD)), 1)


# ---- standby ----

def standby_is_answered_and_not_registered():
    with Daemon(config()) as daemon:
        report = call(daemon, "sccp", "--standby", "--device", DEVICE,
                      transport="tcp")
        known = daemon.phone(DEVICE)
    report.outcome("standby")
    same(known, {}, "what is known of it")


# ---- two of one name ----

def same_address_replaces():
    with Daemon(config()) as daemon, plain(daemon) as old, \
            plain(daemon) as new:
        sccp.Talk(old).register(DEVICE)
        before = daemon.wait_phone(DEVICE, "registered")["port"]
        sccp.Talk(new).register(DEVICE)
        closed_by_peer(old)
        after = daemon.phone(DEVICE)
        daemon.wait_event("replaced", device=DEVICE)
    assert after["state"] == "registered" and after["port"] != before, after


def other_address_reads_that_the_place_is_taken():
    with Daemon(config()) as daemon, plain(daemon) as old, \
            plain(daemon, source="127.0.0.2") as new:
        first, second = sccp.Talk(old), sccp.Talk(new)
        first.register(DEVICE)
        before = daemon.wait_phone(DEVICE, "registered")
        new.sendall(sccp.register(DEVICE))
        rejected(second, "Already registered")
        failure = daemon.wait_failure("already-registered", device=DEVICE)
        same(failure["reason"]["name"], "authenticatedDeviceAlreadyExists")
        first.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        same((daemon.phone(DEVICE)["address"], before["address"]),
             (LOOPBACK, LOOPBACK))


def tls_replaces_at_once():
    credential = LAB.phone(DEVICE)
    with Daemon(config({DEVICE: {}})) as daemon:
        port = daemon.port("sccp")
        with tls(port, credential) as old, \
                tls(port, credential, source="127.0.0.2") as new:
            sccp.Talk(old).register(DEVICE)
            sccp.Talk(new).register(DEVICE)
            closed_by_peer(old)
            daemon.wait_event("replaced", device=DEVICE)
            same(daemon.phone(DEVICE)["address"], "127.0.0.2")


def again_on_one_connection_is_a_refresh():
    with Daemon(config()) as daemon, plain(daemon) as connection:
        talk = sccp.Talk(connection)
        talk.register(DEVICE)
        talk.register(DEVICE)
        talk.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        same(daemon.registered(), 1)
    same(len(daemon.events("registered", device=DEVICE)), 1)


# ---- who is refused, and what they read ----

def refused(register, rule, code, name, text, changes=None):
    with Daemon(config(**(changes or {}))) as daemon, \
            plain(daemon) as connection:
        connection.sendall(register)
        rejected(sccp.Talk(connection), text)
        failure = daemon.wait_failure(rule)
        call(daemon, "sccp", "--device", OTHER,
             transport="tcp").outcome("registered")
    lines = daemon.events("refused", rule=rule)
    same((failure["reason"]["code"], failure["reason"]["name"]), (code, name))
    same(failure["phoneConsole"], f"Registration Rejected: {text}")
    assert failure["why"] and failure["cure"], failure
    same(len(lines), 1, "lines in the log")


NAMES = {"sixteen characters": b"SEP0200000000001",
         "no characters": b"",
         "an escape": b"SEP\x1b[2J0001",
         "a newline": b"SEP02\n00000001",
         "bytes that are no text": b"\xff\xfe\x01\x80",
         "a blank": b"SEP 0000000001",
         "a path": b"../../etc/pass"}

MALFORMED = ("bad-device-name", 14, "malformedRegisterMsg", "Bad device name")


def capabilities(body, rule, code, changes=None):
    """They are said by that rule, and the registration ends."""
    with Daemon(config(**(changes or {}))) as daemon, \
            plain(daemon) as connection:
        talk = sccp.Talk(connection)
        talk.register(DEVICE)
        if body is not None:
            talk.send(sccp.CAPABILITIES_RES, body)
        talk.send(sccp.KEEP_ALIVE)
        closed_by_peer(connection)
        failure = daemon.wait_failure(rule, device=DEVICE)
        same(daemon.phone(DEVICE)["state"], "unregistered")
    same(failure["reason"]["code"], code)


# ---- what the inventory says ----

ENTRY = {**PLAIN, "protocol": "sccp", "model": "CP-7960G",
         "lines": [{"number": "2001", "label": "Reception"},
                   {"number": "2002"}],
         "dials": [{"number": "3001", "label": "Boss"},
                   {"number": "3002"}]}
TYPE_7960, TYPE_7975 = 7, 437


def texts(talk, ask, answer, index, *fields):
    """The texts of one record, by their places in it."""
    (_, body), = talk.ask(ask, answer, body=sccp.number(index))
    return tuple(text_of(body[a:b]) for a, b in fields)


def buttons(talk):
    """Instance and type of each button that is one."""
    (_, body), = talk.ask(sccp.BUTTON_TEMPLATE_REQ, sccp.BUTTON_TEMPLATE)
    count, = struct.unpack("<I", body[4:8])
    return [tuple(body[12 + 2 * i:14 + 2 * i]) for i in range(count)]


def lines_and_dials_are_the_inventorys():
    with Daemon(config(state={"folder": "state-dials"})) as daemon:
        daemon.order(f"/v1/devices/{THIRD}", "PUT", ENTRY)
        with plain(daemon) as connection:
            talk = sccp.Talk(connection)
            talk.register(THIRD, device_type=TYPE_7960)
            line = (sccp.LINE_STAT_REQ, sccp.LINE_STAT)
            dial = (sccp.SPEED_DIAL_STAT_REQ, sccp.SPEED_DIAL_STAT)
            same(buttons(talk), [(1, 9), (2, 9), (1, 2), (2, 2)])
            same([texts(talk, *line, n, (4, 28), (68, 108)) for n in (1, 2)],
                 [("2001", "Reception"), ("2002", "2002")])
            same([texts(talk, *dial, n, (4, 28), (28, 68)) for n in (1, 2)],
                 [("3001", "Boss"), ("3002", "3002")])
        daemon.wait_phone(THIRD, "unregistered")
        daemon.order(f"/v1/devices/{THIRD}", "PATCH", {"dials": []})
        with plain(daemon) as connection:
            talk = sccp.Talk(connection)
            talk.register(THIRD, device_type=TYPE_7960)
            same(buttons(talk), [(1, 9), (2, 9)])
            same(texts(talk, *dial, 1, (4, 28), (28, 68)), ("", ""))


def dials_have_lamps_where_phones_do():
    """Older phones dial all the same."""
    entry = {**ENTRY, "model": "", "dials": [
        {"number": "3001", "label": "Boss"},
        {"number": "3002", "label": "Door", "type": "blf"}]}
    with Daemon(config(state={"folder": "state-blf"})) as daemon:
        daemon.order(f"/v1/devices/{THIRD}", "PUT", entry)
        for version, blf in ((11, 2), (22, 0x15)):
            with plain(daemon) as connection:
                talk = sccp.Talk(connection)
                talk.register(THIRD, version=version)
                same(buttons(talk), [(1, 9), (2, 9), (1, 2), (2, blf)])
                same(texts(talk, sccp.SPEED_DIAL_STAT_REQ,
                           sccp.SPEED_DIAL_STAT, 2, (4, 28), (28, 68)),
                     ("3002", "Door"))
                if version == 22:
                    (_, body), = talk.ask(
                        sccp.FEATURE_STAT_REQ, sccp.FEATURE_STAT_V2,
                        body=sccp.number(2))
                    same(struct.unpack("<III", body[:12]), (2, blf, 0))
                    same(text_of(body[12:]), "Door")
            daemon.wait_phone(THIRD, "unregistered")


ON_HOOK, CONNECTED, HOLD, RING_IN = range(4)


def softkeys(talk):
    """The events of the keys that each state shows."""
    (_, body), (_, select), _ = talk.ask(
        sccp.SOFT_KEY_SET_REQ, sccp.SOFT_KEY_SET, sccp.SELECT_SOFT_KEYS,
        sccp.DISPLAY_PROMPT)
    same(select[8:], struct.pack("<II", ON_HOOK, 0xFFFFFFFF), "selected")
    count, = struct.unpack("<I", body[4:8])
    return [[key - 300 for key in struct.unpack_from(
        "<16H", body, 12 + 48 * n + 16) if key] for n in range(count)]


def softkeys_are_the_inventorys():
    standard = [[1, 2, 5, 17, 18], [3, 9, 4, 14, 13], [10, 2], [11]]
    few = [[1, 5], [3, 9], [10], [11]]
    with Daemon(config(state={"folder": "state-softkeys"})) as daemon:
        path = f"/v1/devices/{THIRD}"
        for how, change, shown in (
                ("PUT", ENTRY, standard),
                ("PATCH", {"softkeys": "cfwdall,hold,redial"}, few),
                ("PATCH", {"dials": []}, few),
                ("PATCH", {"softkeys": "answer"}, [[], [9], [10], [11]]),
                ("PATCH", {"softkeys": "standard"}, standard)):
            daemon.order(path, how, change)
            with plain(daemon) as connection:
                talk = sccp.Talk(connection)
                talk.register(THIRD, version=3, device_type=TYPE_7960)
                same(softkeys(talk)[:4], shown, change)
            daemon.wait_phone(THIRD, "unregistered")


def another_model_is_refused():
    with Daemon(config(state={"folder": "state-model"})) as daemon:
        daemon.order(f"/v1/devices/{THIRD}", "PUT", ENTRY)
        with plain(daemon) as connection:
            connection.sendall(sccp.register(THIRD, device_type=TYPE_7975))
            rejected(sccp.Talk(connection), "Wrong phone model")
        failure = daemon.wait_failure("device-type-mismatch", device=THIRD)
        same((failure["reason"]["code"], failure["reason"]["name"]),
             (32, "deviceTypeMismatch"))
        holds(failure["why"], "7975 (type 437)", "CP-7960G")
        holds(failure["cure"], f"dialtone device set {THIRD} --model 7975")
        daemon.order(f"/v1/devices/{THIRD}", "PATCH", {"model": "7975"})
        with plain(daemon) as connection:
            sccp.Talk(connection).register(THIRD, device_type=TYPE_7975)


# ---- what is beyond its array ----

BEYOND = 0xFFFFFFFF


def counts_beyond_their_arrays_change_nothing():
    lines = [{"number": str(2000 + n), "label": f"Line {n}"}
             for n in range(42)]
    devices = {DEVICE: {**PLAIN, "lines": lines}, OTHER: PLAIN}
    with Daemon(config(devices)) as daemon, plain(daemon) as connection:
        talk = sccp.Talk(connection)
        talk.register(DEVICE, version=11)
        talk.send(sccp.CAPABILITIES_RES,
                  sccp.number(BEYOND) + sccp.CAPABILITIES[4:])
        talk.send(sccp.AVAILABLE_LINES, sccp.number(BEYOND))
        (_, template), = talk.ask(sccp.BUTTON_TEMPLATE_REQ,
                                  sccp.BUTTON_TEMPLATE)
        same(struct.unpack("<III", template[:12]), (0, 42, 42))
        same(len(template), 96)
        for index in (0, 43, 1000, BEYOND):
            body = sccp.number(index)
            for ask, answer in (
                    (sccp.LINE_STAT_REQ, sccp.LINE_STAT),
                    (sccp.SPEED_DIAL_STAT_REQ, sccp.SPEED_DIAL_STAT),
                    (sccp.FEATURE_STAT_REQ, sccp.FEATURE_STAT),
                    (sccp.SERVICE_URL_STAT_REQ, sccp.SERVICE_URL_STAT_V2)):
                (_, said), = talk.ask(ask, answer, body=body)
                same(said[:4], body, "index")
                assert not any(said[4:]), said
        (_, last), = talk.ask(sccp.LINE_STAT_REQ, sccp.LINE_STAT,
                              body=sccp.number(42))
        same((text_of(last[4:28]), text_of(last[68:108])), ("2041", "Line 41"))
        same(daemon.phone(DEVICE)["state"], "registered")
        same(daemon.failures(), [])


def too_many_messages_end_it():
    with Daemon(config()) as daemon, plain(daemon) as connection:
        sccp.Talk(connection).register(DEVICE)
        try:
            connection.sendall(2001 * sccp.frame(sccp.KEEP_ALIVE))
        except OSError:
            pass  # it was faster than we
        closed_by_peer(connection)
        gone = daemon.wait_event("unregistered", device=DEVICE)
    same(gone.fields["reason"], "sccpDeviceThrottling(12)")


# ---- why it came back ----

XML = b"""<x-cisco-alarm>
<Alarm Name="LastOutOfServiceInformation">
<ParameterList>
<String name="DeviceName">SEP020000000001</String>
<String name="ModelNumber">CP-8945</String>
<String name="NeighborDeviceID">sw1</String>
<String name="NeighborPortID">Gi1/0/3</String>
<Enum name="ReasonForOutOfService">15</Enum>
</ParameterList>
</Alarm>
</x-cisco-alarm>
"""
TEXT = (b"Name=SEP020000000001 Load=P0030801SR02 Last=CM-closed-TCP"
        .ljust(80, b"\0"))


def alarm(message, body, because, logged):
    with Daemon(config()) as daemon, plain(daemon) as connection:
        connection.sendall(sccp.frame(message, body))
        sccp.Talk(connection).register(DEVICE)
        shown = daemon.wait_phone(DEVICE, "registered")
        line = daemon.wait_event("alarm")
    same(shown["cameBackBecause"], because)
    same(line.fields["why"], because)
    same({k: line.fields.get(k) for k in logged}, logged)
    if "firmware" in logged:
        same(shown["firmware"], logged["firmware"])


if __name__ == "__main__":
    sys.exit(tap.run(
        *(fact(f"phone told to {order} comes back over {transport}",
               comes_back_when_told, order, transport)
          for order in ORDERS for transport in ("tcp", "tls")),
        *(fact(f"phone told to {order} may just hang up", hangs_up_when_told,
               order) for order in ORDERS),
        stays_and_is_closed,
        applied_without_leaving_is_no_goodbye,
        order_for_nobody_is_refused,
        fact("token is granted and used", token_is_granted_and_used,
             sccp.TOKEN_REQ, sccp.TOKEN_ACK, False),
        fact("SPCP token is granted and used", token_is_granted_and_used,
             sccp.SPCP_TOKEN_REQ, sccp.SPCP_TOKEN_ACK, True),
        token_without_register_ends,
        token_of_a_registered_device_leaves_it_alone,
        fact("tokens of a stranger cost one line",
             tokens_of_a_stranger_cost_one_line, sccp.TOKEN_REQ,
             sccp.TOKEN_REJECT),
        fact("SPCP tokens of a stranger cost one line",
             tokens_of_a_stranger_cost_one_line, sccp.SPCP_TOKEN_REQ,
             sccp.SPCP_TOKEN_REJECT),
        standby_is_answered_and_not_registered,
        same_address_replaces,
        other_address_reads_that_the_place_is_taken,
        tls_replaces_at_once,
        again_on_one_connection_is_a_refresh,
        *(fact(f"name of {what} is refused", refused, sccp.register(name),
               *MALFORMED) for what, name in NAMES.items()),
        fact("device of the other protocol is refused", refused,
             sccp.register(DEVICE), "protocol-mismatch", 15,
             "protocolMismatch", "Wrong protocol",
             {"devices": {DEVICE: {**PLAIN, "protocol": "sip"},
                          OTHER: PLAIN}}),
        fact("too old a version is refused", refused,
             sccp.register(DEVICE, version=8), "sccp-version-too-old", 18,
             "obsoleteProtocolVersion", "Firmware too old",
             {"sccp": {"version_min": 11}}),
        fact("capabilities that never come", capabilities, None,
             "sccp-capabilities-late", 27,
             {"sccp": {"capabilities_ms": SOON_MS}}),
        fact("capabilities without a codec", capabilities, sccp.number(3),
             "sccp-capabilities-bad", 26),
        lines_and_dials_are_the_inventorys,
        dials_have_lamps_where_phones_do,
        softkeys_are_the_inventorys,
        another_model_is_refused,
        counts_beyond_their_arrays_change_nothing,
        too_many_messages_end_it,
        fact("XML alarm is told in words", alarm, sccp.XML_ALARM, XML,
             "KeepaliveTO(15): its keepalives went unanswered; switch sw1 "
             "port Gi1/0/3", {"model": "CP-8945", "switch": "sw1",
                              "switch_port": "Gi1/0/3"}),
        fact("text alarm is told in words", alarm, sccp.ALARM,
             sccp.number(2) + TEXT + bytes(8),
             "CM-closed-TCP(14): the server closed its TCP connection",
             {"firmware": "P0030801SR02"})))
