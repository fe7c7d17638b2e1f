# SPDX-License-Identifier: Apache-2.0
"""SIP by hand: requests as a Cisco phone words them, and their answers."""
import re
from collections import namedtuple

Answer = namedtuple("Answer", "status phrase headers body text")

NODE = "registrar.test"


def parse(head, body=b""):
    """The answer, its headers by lower-case name, each a list."""
    text = head.decode()
    first, *lines = text.split("\r\n")
    start = re.fullmatch(r"SIP/2\.0 (\d{3}) (.*)", first)
    assert start, f"not the answer's first line: {first!r}"
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return Answer(int(start.group(1)), start.group(2), headers, body, text)


class Talk:
    """A connection that speaks SIP for one device."""

    def __init__(self, connection, device, line="2001", transport="tls"):
        self.connection = connection
        self.device = device
        self.line = line
        self.transport = transport
        self.sent_by = "127.0.0.1:50001"
        self.calls = 0
        self.cseq = 100
        self._held = b""
        self.new_call()

    def new_call(self):
        self.calls += 1
        self.call_id = f"{self.device}-{self.calls}@127.0.0.1"

    def contact(self, *parameters):
        mac = self.device[3:].lower().rjust(12, "0")
        return ";".join([
            f"<sip:{self.line}@127.0.0.1:50001;transport={self.transport}>",
            f'+sip.instance="<urn:uuid:00000000-0000-0000-0000-{mac}>"',
            f'+u.sip!devicename.ccm.cisco.com="{self.device}"',
            '+u.sip!model.ccm.cisco.com="683"', *parameters])

    def request(self, method, *headers, body=b""):
        self.cseq += 1
        me = f"<sip:{self.line}@{NODE}>"
        lines = [
            f"{method} sip:{NODE} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {self.sent_by}"
            f";branch=z9hG4bK{self.calls}x{self.cseq}",
            f"From: {me};tag=by-hand", f"To: {me}",
            f"Call-ID: {self.call_id}", "Max-Forwards: 70",
            f"CSeq: {self.cseq} {method}",
            "User-Agent: Cisco-CP8841/12.8.1", *headers,
            f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    def register(self, expires=3600, *parameters):
        return self.request(
            "REGISTER", "Contact: " + self.contact(*parameters),
            "Supported: replaces,join,X-cisco-sis-7.0.0",
            f"Expires: {expires}")

    def read(self):
        """The next whole answer."""
        while b"\r\n\r\n" not in self._held:
            self._more()
        head, self._held = self._held.split(b"\r\n\r\n", 1)
        answer = parse(head)
        length = int(answer.headers["content-length"][0])
        while len(self._held) < length:
            self._more()
        body, self._held = self._held[:length], self._held[length:]
        return answer._replace(body=body)

    def _more(self):
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the server closed")
        self._held += data

    def ask(self, request):
        self.connection.sendall(request)
        return self.read()
