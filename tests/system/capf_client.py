# SPDX-License-Identifier: Apache-2.0
"""A phone's side of CAPF by hand: messages, proofs, whole visits."""
import hashlib
import os
import ssl
import struct
import subprocess
import tempfile

from clients import closed_by_peer, tls
from harness import same

# Commands, and elements, by number (specs capf 3 and 4).
(AUTH_REQUEST, AUTH_RESPONSE, KEY_REQUEST, KEY_RESPONSE) = range(1, 5)
(STORE_REQUEST, STORE_RESPONSE, FETCH_REQUEST, FETCH_RESPONSE,
 DELETE_REQUEST, DELETE_RESPONSE, END_SESSION) = range(9, 16)
IN_PROGRESS = 17
REASON, CERTIFICATE_TYPE, CERTIFICATE = 1, 3, 4
SIGNED_DATA, VERSION, AUTH_TYPE, PUBLIC_KEY, KEY_SIZE, PASSWORD = range(6, 12)
DEVICE_NAME, SUDI_DATA, KEY_TYPE, CURVE, SHA2_SIGNED_DATA = 13, 16, 17, 18, 20

NO_ACTION, SUCCESS, DECLINED, UNKNOWN_DEVICE = 0, 1, 7, 9
LSC, MIC = 1, 2
RECORD_MAX = 16384

CURVES = {0: "P-256", 1: "P-384", 2: "P-521"}


def element(tag, value):
    return struct.pack(">BH", tag, len(value)) + value


def text(value):
    return value.encode() + b"\0"


def message(command, session, *elements):
    payload = b"".join(elements)
    return struct.pack(">BBIH", 0x55, command, session, len(payload)) + payload


def certificate(kind, der):
    """The element, with one certificate in it."""
    return element(CERTIFICATE,
                   struct.pack(">BHBB", 1, len(der) + 2, 0, kind) + der)


def certificates(value):
    """[(type, DER)] of an element's value."""
    found = []
    while value:
        _, length, _, kind = struct.unpack(">BHBB", value[:5])
        found.append((kind, value[5:3 + length]))
        value = value[3 + length:]
    return found


class Message:
    """One that came, whole."""

    def __init__(self, data):
        magic, self.command, self.session, length = struct.unpack(
            ">BBIH", data[:8])
        same((magic, len(data)), (0x55, 8 + length), "a message")
        self.data = data
        self.elements = {}
        rest = data[8:]
        while rest:
            tag, n = struct.unpack(">BH", rest[:3])
            assert tag not in self.elements and len(rest) >= 3 + n, data
            self.elements[tag] = rest[3:3 + n]
            rest = rest[3 + n:]

    @property
    def reason(self):
        return self.elements[REASON][0]


# ---- keys and proofs; openssl makes them ----

def _openssl(*words, data=None):
    done = subprocess.run(["openssl", *words], input=data, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


class Key:
    """A key of the phone's: RSA of so many bits, or a curve's name."""

    def __init__(self, kind=2048, path=None):
        if path is None:
            handle, path = tempfile.mkstemp(suffix=".key")
            os.close(handle)
            options = (["RSA", "-pkeyopt", f"rsa_keygen_bits:{kind}"]
                       if isinstance(kind, int) else
                       ["EC", "-pkeyopt", f"ec_paramgen_curve:{kind}"])
            _openssl("genpkey", "-algorithm", *options, "-out", path)
        self.path = path
        self.spki = _openssl("pkey", "-in", path, "-pubout",
                             "-outform", "DER")

    def sign_bare(self, digest):
        """RSA: PKCS#1 type 1 over the bare hash; EC: ECDSA over it."""
        with tempfile.NamedTemporaryFile() as f:
            f.write(digest)
            f.flush()
            return _openssl("pkeyutl", "-sign", "-inkey", self.path, "-in",
                            f.name)


def proof(device, der, key, kind=LSC):
    """CERTIFICATE, SIGNED_DATA and SHA2_SIGNED_DATA (specs capf 6)."""
    data = text(device) + der
    sha2 = key.sign_bare(hashlib.sha512(data).digest())
    return [certificate(kind, der),
            element(SIGNED_DATA, key.sign_bare(hashlib.sha1(data).digest())),
            element(SHA2_SIGNED_DATA,
                    struct.pack(">BH", 3, len(sha2)) + sha2)]


def der_of(path):
    """The first certificate of a PEM file."""
    with open(path, encoding="ascii") as f:
        pem = f.read()
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(
        pem[pem.index("-----BEGIN CERT"):pem.index(end) + len(end)])


# ---- a visit ----

class Visit:
    """One connection. The server's first message is read at once."""

    def __init__(self, port, version=3, tls_version="1.2", **options):
        self.version = version
        self.connection = tls(port, None, tls_version, **options)
        self.first = self.read()
        same(self.first.command, AUTH_REQUEST, "the server's first word")
        self.session = self.first.session

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def read(self):
        """One record is one message: phones read no more and no less."""
        data = self.connection.recv(RECORD_MAX)
        assert data, "closed instead of an answer"
        return Message(data)

    def send(self, command, *elements):
        self.connection.sendall(message(command, self.session, *elements))

    def authenticate(self, device, password=None, *more):
        """In the order of real phones; answers what comes next."""
        said = [element(VERSION, bytes([self.version])),
                element(DEVICE_NAME, text(device)),
                element(REASON, bytes([SUCCESS]))]
        if password is not None:
            said.append(element(PASSWORD, text(password)))
        self.send(AUTH_RESPONSE, *said, *more)
        return self.read()

    def give_key(self, key):
        self.send(IN_PROGRESS)
        self.send(KEY_RESPONSE, element(PUBLIC_KEY, key.spki))
        return self.read()

    def answer(self, command, reason=SUCCESS, *more):
        self.send(command, element(REASON, bytes([reason])), *more)
        return self.read()

    def ended(self, end, reason):
        """The server said so, and closes."""
        same((end.command, end.reason), (END_SESSION, reason), "the end")
        same(closed_by_peer(self.connection), b"", "behind the end")


def wanted(request):
    """("RSA", bits) or ("EC", curve) of a KEY_GENERATE_REQUEST."""
    same(request.command, KEY_REQUEST, "what the phone is to do")
    if request.elements.get(KEY_TYPE) == b"\1":
        return "EC", CURVES[request.elements[CURVE][0]]
    return "RSA", int.from_bytes(request.elements[KEY_SIZE], "big")


def install(port, device, key=None, password=None, more=(), **options):
    """From the first word to the last; answers the LSC's DER."""
    with Visit(port, **options) as visit:
        request = visit.authenticate(device, password, *more)
        kind, size = wanted(request)
        key = key or Key(size)
        store = visit.give_key(key)
        same(store.command, STORE_REQUEST, "after the key")
        same(store.elements[CERTIFICATE_TYPE], bytes([LSC]), "its type")
        [(kind, der)] = certificates(store.elements[CERTIFICATE])
        same(kind, LSC, "the certificate's type")
        visit.ended(visit.answer(STORE_RESPONSE), SUCCESS)
        return der


def delete(port, device, password=None, more=(), **options):
    with Visit(port, **options) as visit:
        request = visit.authenticate(device, password, *more)
        same(request.command, DELETE_REQUEST, "what the phone is to do")
        visit.ended(visit.answer(DELETE_RESPONSE), SUCCESS)
