# SPDX-License-Identifier: Apache-2.0
"""Every generation of SIP phones lives its life, over TCP and over TLS."""
import sys
from collections import namedtuple

import sip
from clients import tcp, tls
from daemon import Daemon
from harness import fact, holds, same, tap
from lab import Lab

LAB = Lab()
LINES = [{"number": "2001", "label": "Reception"},
         {"number": "2002", "label": "Lobby"}]

# agent, model: as it words them; bulk: its first REGISTER is for all lines;
# alarm: Last= of it, "" for none; more: of its Contact.
Phone = namedtuple("Phone", "device agent model bulk alarm more")
GENERATIONS = {
    "7961 with a SIP load": Phone(
        "SEP0200000000E1", "Cisco-CP7961GE/8.5.4", 308, False,
        "initialized", ()),
    "7975": Phone("SEP0200000000E2", "Cisco-CP7975G/9.3.1", 437, True,
                  "tls-error", ()),
    "3905": Phone("SEP0200000000E3", "Cisco-CP3905/9.4.1", 592, False, "",
                  ()),
    "7821": Phone("SEP0200000000E4", "Cisco-CP7821/12.1.1", 621, True,
                  "reset-restart", ()),
    "8851": Phone("SEP0200000000E5", "Cisco-CP8851/12.1.1", 684, True,
                  "initialized", ("video",)),
    "Jabber CSF": Phone("CSFGENERATIONS", "Cisco-CSF", 503, True,
                        "Application-Requested-Destroy", ("video", "bfcp")),
}
ALARMS = {"initialized": 25, "tls-error": 106, "reset-restart": 23,
          "Application-Requested-Destroy": 111}

PART = ("--uniqueBoundary\r\n"
        "Content-Type: application/x-cisco-remotecc-request+xml\r\n"
        "Content-Disposition: session;handling=optional\r\n\r\n"
        '<?xml version="1.0" encoding="UTF-8"?>'
        "<x-cisco-remotecc-request>{}</x-cisco-remotecc-request>\r\n")
BULK = (PART.format('<bulkregisterreq><contact all="true"><register/>'
                    "</contact></bulkregisterreq>") +
        "--uniqueBoundary--\r\n").encode()


class Cisco(sip.Talk):
    """Words its requests as one of those."""

    def __init__(self, connection, phone, transport):
        super().__init__(connection, phone.device, transport=transport)
        self.phone = phone

    def contact(self, *parameters):
        mac = self.device[3:].lower() if self.device.startswith("SEP") \
            else "0" * 12
        return ";".join([
            f"<sip:6f1d2c3b-1111-2222-3333-0123456789ab@127.0.0.1:50001"
            f";transport={self.transport}>",
            f'+sip.instance="<urn:uuid:00000000-0000-0000-0000-{mac}>"',
            f'+u.sip!devicename.ccm.cisco.com="{self.device}"',
            f'+u.sip!model.ccm.cisco.com="{self.phone.model}"',
            *self.phone.more, *parameters])

    def request(self, method, *headers, body=b""):
        made = super().request(method, *headers, body=body)
        return made.replace(b"Cisco-CP8841/12.8.1", self.phone.agent.encode())

    def first(self):
        """What only the first REGISTER after a restart has."""
        headers = ["Contact: " + self.contact(), "Expires: 3600"]
        if self.phone.alarm:
            headers.append(
                f'Reason: SIP;cause=200;text="cisco-alarm:'
                f"{ALARMS[self.phone.alarm]} Name={self.device} "
                f'ActiveLoad=a.loads InactiveLoad=b.loads '
                f'Last={self.phone.alarm}"')
        if not self.phone.bulk:
            return self.request("REGISTER", *headers)
        return self.request(
            "REGISTER", *headers, "Mime-Version: 1.0",
            "Content-Type: multipart/mixed;boundary=uniqueBoundary",
            body=BULK)

    def other_line(self):
        """Who does not ask for all lines at once registers each."""
        first, self.line = self.line, LINES[1]["number"]
        call = self.call_id
        self.new_call()
        request = self.register().replace(b"6f1d2c3b", b"70000000")
        self.line, self.call_id = first, call
        return request

    def asks_for_a_token(self):
        return self.request(
            "REFER", "Refer-To: <urn:X-cisco-remotecc:token-registration>",
            "Require: norefersub", "Contact: " + self.contact())


def life(name, transport):
    phone = GENERATIONS[name]
    device = {"lines": LINES, "protocol": "sip"}
    if transport == "tcp":
        device["profile"] = "non-secure"
    with Daemon(LAB.config(devices={phone.device: device})) as daemon:
        port = daemon.port("sip", transport)
        connection = tls(port, LAB.phone(phone.device)) \
            if transport == "tls" else tcp(port)
        with connection:
            talk = Cisco(connection, phone, transport)
            same(talk.ask(talk.asks_for_a_token()).status, 202, "token")
            came = talk.ask(talk.first())
            if not phone.bulk:
                daemon.wait_phone(phone.device, "partiallyregistered")
                same(talk.ask(talk.other_line()).status, 200)
            shown = daemon.wait_phone(phone.device, "registered")
            again = talk.ask(talk.register())
            talk.new_call()
            kept = talk.ask(talk.register(0, "expires=0", "cisco-keep-alive"))
            still = daemon.phone(phone.device)
            left = talk.ask(talk.register(0))
        daemon.wait_phone(phone.device, "unregistered")
        same(daemon.failures(), [], "refusals")
    same({a.status for a in (came, again, kept, left)}, {200})
    for answer in (came, again, kept):
        holds(answer.headers["date"][0], "GMT")
    holds(came.headers["contact"][0], "x-cisco-newreg",
          f'devicename.ccm.cisco.com="{phone.device}"')
    assert "x-cisco-newreg" not in again.headers["contact"][0], again.text
    same(came.headers["expires"], ["120"])
    holds(came.headers["supported"][0], "X-cisco-sis-")
    same((shown["protocol"], shown["transport"], still["state"]),
         ("sip", transport, "registered"))
    same(shown["firmware"], phone.agent)
    if phone.alarm:
        holds(shown["cameBackBecause"], phone.alarm)


def softphone(transport):
    """An RFC 3261 phone that knows nothing of Cisco's: its AOR is its name
    (see test_interop for real ones)."""
    device = {"protocol": "sip"}
    if transport == "tcp":
        device["profile"] = "non-secure"
    name = "SEP0200000000E9"
    with Daemon(LAB.config(devices={name: device})) as daemon:
        port = daemon.port("sip", transport)
        connection = tls(port, LAB.phone(name)) if transport == "tls" \
            else tcp(port)
        with connection:
            talk = sip.Talk(connection, name, name, transport)
            contact = f"Contact: <sip:{name}@127.0.0.1:50001>;q=0.5"
            came = talk.ask(talk.request("REGISTER", contact,
                                         "Expires: 300"))
            daemon.wait_phone(name, "registered")
            left = talk.ask(talk.request("REGISTER", "Contact: *",
                                         "Expires: 0"))
        daemon.wait_phone(name, "unregistered")
        same(daemon.failures(), [], "refusals")
    same((came.status, left.status), (200, 200))
    holds(came.headers["contact"][0], "q=0.5", "expires=")


def facts():
    for transport in ("tcp", "tls"):
        for name in GENERATIONS:
            yield fact(f"{name} lives its life over {transport}", life, name,
                       transport)
        yield fact(f"an RFC softphone does over {transport}", softphone,
                   transport)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
