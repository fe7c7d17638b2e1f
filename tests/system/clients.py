# SPDX-License-Identifier: Apache-2.0
"""Whom the daemon serves: dialtone-phone, openssl s_client, raw sockets."""
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import time
import warnings

import sccp
from daemon import Log
from harness import (DEADLINE_S, LOOPBACK, PHONE, alive, put_down, run, same,
                     wait_until)

PROTOCOLS = ("sccp", "sip")
SCCP_DEVICE, SIP_DEVICE = "SEP0200000000A1", "SEP0200000000B1"


def credential_words(credential):
    if credential is None:
        return ["--no-certificate"]
    kind = "mic" if credential.leaf.startswith("mic") else "lsc"
    return [f"--{kind}", f"{credential.cert}:{credential.key}",
            "--device", credential.device]


class Report:
    """What dialtone-phone said in the end."""

    def __init__(self, out, console, code):
        lines = [json.loads(line) for line in out.splitlines()]
        self.phones = {line["device"]: line for line in lines
                       if "device" in line}
        self.summary = next((line["summary"] for line in lines
                             if "summary" in line), None)
        self.console = console
        self.code = code

    @property
    def only(self):
        assert len(self.phones) == 1, self.console
        return next(iter(self.phones.values()))

    def outcome(self, expected):
        same(self.only["outcome"], expected,
             f"outcome ({self.only['text']}; {self.console})")
        return self


def phone_words(daemon, protocol, *words, transport="tls"):
    plain = {"tls": [], "tcp": ["--plain"],
             "udp": ["--transport", "udp"]}[transport]
    port = daemon.port(protocol, transport)
    return [PHONE, "--json", "--protocol", protocol, *plain,
            "--server", f"{LOOPBACK}:{port}", *map(str, words)]


def call(daemon, protocol, *words, transport="tls"):
    """One phone, or many, from start to end."""
    done = run(*phone_words(daemon, protocol, *words, transport=transport))
    return Report(done.stdout, done.stderr, done.returncode)


class Phones:
    """dialtone-phone in the background; it stays until it is told to go."""

    def __init__(self, daemon, protocol, *words, transport="tls"):
        self._single = "--count" not in words
        if "--hold" not in words:
            words = (*words, "--until", "forever")
        self.process = subprocess.Popen(
            phone_words(daemon, protocol, *words, transport=transport),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self._out = Log(self.process.stdout)
        self._err = Log(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        put_down(self.process)

    def wait(self, seconds=6 * DEADLINE_S):
        self.process.wait(seconds)
        self._out.join()
        self._err.join()
        return Report("\n".join(self._out.lines), "\n".join(self._err.lines),
                      self.process.returncode)

    def leave(self, registered=1):
        """Unregisters and ends, once a single phone knows that it is in, for
        the so-manieth time."""
        if self._single:
            self._err.wait("the phone to know that it is in",
                           lambda lines: self._is_in(lines, registered))
        if alive(self.process):
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def _is_in(self, lines, times):
        return not alive(self.process) or sum(
            "-REG_OK:" in line for line in lines) >= times

    def freeze(self):
        """No word more, and the connection stays."""
        self.process.send_signal(signal.SIGSTOP)


class Listener:
    """One of several of a service: hand it to clients as their daemon."""

    def __init__(self, daemon, **fields):
        found = daemon.events("listening", **fields)
        same(len(found), 1, f"listeners with {fields}")
        self._port = int(found[0].fields["port"])

    def port(self, *_):
        return self._port


# ---- openssl s_client ----

ALERT = re.compile(r"SSL alert number (\d+)")
TLS = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2",
       "1.3": "-tls1_3"}

# What each service closes at once: it ends a client that was let in.
NONSENSE = {"sccp": bytes(12), "sip": b"nonsense\r\n\r\n"}


def s_client_words(daemon, service, credential, version="1.3", chain=None,
                   cipher="ALL"):
    words = ["openssl", "s_client", "-quiet", TLS[version],
             # What is too weak is the daemon's to refuse, not ours.
             "-cipher", cipher + ":@SECLEVEL=0",
             "-connect", f"{LOOPBACK}:{daemon.port(service)}"]
    if credential:
        words += ["-cert", credential.cert, "-key", credential.key]
    if chain:
        words += ["-cert_chain", chain]
    return words


def s_client_alert(daemon, service, credential, version="1.3", chain=None,
                   cipher="ALL"):
    """The fatal alert that s_client reads; None: it was let in."""
    done = subprocess.run(
        s_client_words(daemon, service, credential, version, chain, cipher),
        input=NONSENSE[service], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, timeout=DEADLINE_S, check=False)
    said = done.stderr.decode(errors="replace")
    found = ALERT.search(said)
    assert found or not re.search(r":error:[0-9A-F]{8}:", said), said
    return int(found.group(1)) if found else None


def s_client_says(daemon, service, credential, version, *words, **options):
    """One connection, to its end, and all that s_client says of it."""
    plain = [w for w in s_client_words(daemon, service, credential, version,
                                       **options) if w != "-quiet"]
    done = subprocess.run(
        [*plain, "-ign_eof", *words], input=NONSENSE[service],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=DEADLINE_S, check=False)
    return done.stdout.decode(errors="replace")


def s_client_visit(daemon, service, credential, version, *words, **options):
    """One connection, to its end; was it a resumption?"""
    said = s_client_says(daemon, service, credential, version, *words,
                         **options)
    found = re.search(r"^(New|Reused), (TLS|SSL)v", said, re.M)
    assert found, said
    return found.group(1) == "Reused"


def s_client_cipher(daemon, service, credential, version, cipher):
    """The cipher that was agreed on; None: there is none in common."""
    said = s_client_says(daemon, service, credential, version, cipher=cipher)
    found = re.search(r"^New, \w+v[0-9.]+, Cipher is (\S+)$", said, re.M)
    if found:
        return found.group(1)
    same(int(ALERT.search(said).group(1)), 40, said)
    return None


# ---- sockets ----

VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
            "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

# Python says that TLS 1.0 is old; phones are.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=__name__)


def tcp(port, source=LOOPBACK, narrow=False):
    """narrow: what is not read soon fills the sockets of both ends."""
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(DEADLINE_S)
    if narrow:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # The other end's buffer is sized by it: loopback's is 64 KB.
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    s.bind((source, 0))
    s.connect((LOOPBACK, port))
    return s


def context(credential, version=None):
    """A client's that looks at no server certificate, as s_client."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if credential:
        c.load_cert_chain(credential.cert, credential.key)
    if version in ("1.0", "1.1"):
        c.set_ciphers("ALL:@SECLEVEL=0")
    if version:
        c.minimum_version = c.maximum_version = VERSIONS[version]
    return c


def tls(port, credential, version=None, **options):
    return context(credential, version).wrap_socket(tcp(port, **options))


# ---- phones that come back ----

# How they resume: TLS version, and what Python's client leaves out.
WAYS = {
    "TLS 1.2 ticket": ("1.2", 0),
    "TLS 1.2 session id": ("1.2", ssl.OP_NO_TICKET),
    "TLS 1.3": ("1.3", 0),
}


class Visitor:
    """A phone that registers over SCCP, goes, and brings its session along
    when it comes back."""

    def __init__(self, daemon, credential, way):
        version, options = WAYS[way]
        self._daemon, self._device = daemon, credential.device
        self._context = context(credential, version)
        self._context.options |= options
        self._session = None

    def come(self):
        """("resumed" or "full", "in", "rejected" or the alert it read)."""
        try:
            raw = tcp(self._daemon.port("sccp"))
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with raw, self._context.wrap_socket(raw, session=self._session) \
                    as connection:
                connection.sendall(sccp.register(self._device))
                message, _ = sccp.Talk(connection).read()
                self._session = connection.session
                return ("resumed" if connection.session_reused else "full",
                        "in" if message == sccp.REGISTER_ACK else "rejected")
        except ssl.SSLError as refused:
            return "full", refused.reason.partition("ALERT_")[2]


def client_hello():
    """The first flight of a TLS client, as bytes."""
    out = ssl.MemoryBIO()
    made = context(None).wrap_bio(ssl.MemoryBIO(), out)
    try:
        made.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class Pipe:
    """A child's stdin and stdout with the face of a socket."""

    def __init__(self, words):
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        put_down(self.process)
        self.process.stdin.close()
        self.process.stdout.close()

    def sendall(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def recv(self, n):
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
        if not ready:
            raise TimeoutError("nothing came in time")
        return os.read(self.process.stdout.fileno(), n)


def s_client_pipe(daemon, service, credential, version="1.3", *words,
                  **options):
    return Pipe([*s_client_words(daemon, service, credential, version,
                                 **options), *words])


def closed_by_peer(connection, seconds=DEADLINE_S):
    """Reads until the other side has closed; answers what came."""
    came = b""
    deadline = time.monotonic() + seconds
    while True:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = connection.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return came
        except TimeoutError:
            raise AssertionError(
                f"still open after {seconds} s; it said {came!r}") from None
        if not data:
            return came
        came += data


def stop_reading(daemon, connection, device):
    """Asks for more than the sockets hold, and reads none of it."""
    questions = 40 * sccp.frame(sccp.SOFT_KEY_TEMPLATE_REQ)
    sccp.Talk(connection).register(device)
    connection.settimeout(0.5)

    def said():
        return daemon.get("/v1/status")["connections"]["bytesOut"]

    def nothing_more():
        before = said()
        try:
            connection.sendall(questions)
            wait_until("an answer", lambda: said() > before, 1)
            return False
        except (OSError, AssertionError):
            return True

    wait_until("the daemon's answers to pile up", nothing_more)
