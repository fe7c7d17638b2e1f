# SPDX-License-Identifier: Apache-2.0
"""By existing certificate: whom CAPF believes, and why not the others."""
import hashlib
import itertools
import json
import os
import struct
import sys
import time

import capf_client as capf
from admin import LAB, Admin
from authority import Authority
from clients import call, credential_words
from enrolment import run_at_one_place
from forge import LEAF, Forge
from harness import fact, good, holds, same, wait_until
from lab import common_name

INVALID_LSC = "Upgrade Failed: Invalid LSC"
INVALID_MIC = "Upgrade Failed: Invalid MIC"
INVALID = "Upgrade Failed: Invalid Credentials"
LEAVES = {"lsc": capf.LSC, "mic": capf.MIC}
LAB_KEYS = {"RSA": "rsa2048", "EC": "p256"}
OTHER = "SEP0200000000E2"
NEW_KEY = capf.Key("P-384")
FORGE = Forge(LAB)
AUTHORITY = Authority(LAB, "leaving", "CAPF-leaving")


def der_and_key(credential):
    return capf.der_of(credential.cert), capf.Key(path=credential.key)


def lab_proof(device, leaf="lsc", key="EC", says=None):
    """Of the lab's certificate for device, by a phone that says a name."""
    der, own = der_and_key(LAB.phone(device, leaf, LAB_KEYS[key]))
    return capf.proof(says or device, der, own, LEAVES[leaf])


# ---- who is believed ----

def proves_it_in_both_precedences(place, key):
    """An LSC, a MIC without one known beside it, the LSC where no MIC is."""
    for mode, leaf in itertools.product(LEAVES, repeat=2):
        phone = place.another()
        phone.order("install", "--mode", mode)
        capf.install(place.daemon.port("capf"), phone.device, NEW_KEY,
                     more=lab_proof(phone.device, leaf, key))
        phone.status_is("Upgrade Success")
        [row] = phone.ledger()
        same(row["state"], "installed", (mode, leaf))


# ---- who is not ----

class Refusals:
    """Of devices that were never there before."""

    def __init__(self, place):
        self.place = place

    def device(self):
        return self.place.another().device

    def all_issued(self):
        return self.place.admin.json("capf", "ledger")["ledger"]

    def meets(self, device, mode, elements, reason, status, *parts):
        """One visit, and everything that is said of it. elements: what it
        sends, by its visit."""
        place = self.place
        place.order("install", "--mode", mode, name=device)
        issued = self.all_issued()
        with capf.Visit(place.daemon.port("capf")) as visit:
            visit.ended(visit.authenticate(device, None, *elements(visit)),
                        capf.DECLINED)
        same(self.all_issued(), issued, "the ledger")
        shown = place.show(device)
        same((shown["reason"]["name"], shown["operationStatus"],
              shown["state"]), (reason, status, "pending"), shown)
        rule = f"capf-{reason}"
        why = place.daemon.wait_failure(rule, device=device)["why"]
        holds(why, *parts)
        same(place.daemon.wait_event("refused", rule=rule, device=device)
             .fields["why"], why, "why in the log")
        holds(json.dumps(shown["reason"]), *parts)
        holds(place.explain(device), rule, status, *parts)
        chain = place.admin.json("capf", "audit")["audit"]
        [link] = [x for x in chain
                  if (x["event"], x["device"]) == ("refused", device)]
        holds(link["detail"], *parts)


def the_name_is_the_certificates(place):
    met = Refusals(place)
    for leaf, status in (("lsc", INVALID_LSC), ("mic", INVALID_MIC)):
        device = met.device()
        met.meets(device, leaf, lambda _, device=device, leaf=leaf:
                  lab_proof(OTHER, leaf, says=device), "other-device",
                  status, device, OTHER)
        # Who proves it for the other name, has not proved it for this.
        device = met.device()
        met.meets(device, leaf, lambda _, leaf=leaf:
                  lab_proof(OTHER, leaf), "bad-proof", status,
                  "bad-sha1-proof")


def an_expired_lsc_is_none(place):
    met = Refusals(place)
    authority = Trusted(place)
    device = met.device()
    der, key = der_and_key(AUTHORITY.issue(device, time.time() - 60))
    met.meets(device, "lsc", lambda _: capf.proof(device, der, key),
              "not-trusted", INVALID_LSC, "expired", "null")
    authority.leaves()


class Trusted:
    """The authority's file in CAPF-trust, while the daemon runs."""

    def __init__(self, place):
        self._admin = Admin(place.daemon)
        self._admin.words += ["--url", place.daemon.url]
        self._admin.say("trust", "add", AUTHORITY.cert, "--store", "capf")
        self.file = next(
            name for name in os.listdir(LAB.path("CAPF-trust"))
            if not name.startswith(".")  # removed before
            and common_name(LAB.path("CAPF-trust", name))
            == common_name(AUTHORITY.cert))

    def leaves(self):
        self._admin.say("trust", "remove", self.file, "--store", "capf",
                        "--force")


def an_lsc_counts_while_its_ca_is_in_capf_trust(place):
    met = Refusals(place)
    authority = Trusted(place)
    device = met.device()
    der, key = der_and_key(AUTHORITY.issue(device))
    place.order("install", "--mode", "lsc", name=device)
    capf.install(place.daemon.port("capf"), device, NEW_KEY,
                 more=capf.proof(device, der, key))
    authority.leaves()
    device = met.device()
    der, key = der_and_key(AUTHORITY.issue(device))
    met.meets(device, "lsc", lambda _: capf.proof(device, der, key),
              "not-trusted", INVALID_LSC, "unknown-ca",
              "missing in CAPF-trust", "CAPF-leaving")


def flipped(elements, which):
    """One bit of the SHA-1 (1) or of the SHA-512 (2) signature."""
    value = bytearray(elements[which])
    value[-1] ^= 1
    return [*elements[:which], bytes(value), *elements[which + 1:]]


def a_bit_of_a_signature_is_not_another(place, key):
    met = Refusals(place)
    for which, proof in ((1, "bad-sha1-proof"), (2, "bad-sha512-proof")):
        device = met.device()
        said = flipped(lab_proof(device, key=key), which)
        met.meets(device, "lsc", lambda _, said=said: said, "bad-proof",
                  INVALID_LSC, proof)


def no_proof_is_none(place):
    met = Refusals(place)
    device = met.device()
    met.meets(device, "lsc", lambda _: [], "no-proof", INVALID,
              "no-certificate")
    device = met.device()
    met.meets(device, "mic", lambda _: lab_proof(device, "mic")[:1],
              "no-proof", INVALID, "no-signature")
    # Both hashes have to be signed.
    for absent in (1, 2):
        device = met.device()
        said = lab_proof(device)
        del said[absent]
        met.meets(device, "lsc", lambda _, said=said: said, "no-proof",
                  INVALID, "no-signature")


def precedence_goes_by_what_is_known(place):
    met = Refusals(place)
    port = place.daemon.port("capf")
    device = met.device()
    place.order("install", "--mode", "null", name=device)
    capf.install(port, device, NEW_KEY)
    met.meets(device, "lsc", lambda _: lab_proof(device, "mic"),
              "precedence", INVALID_LSC, "MIC", "has an LSC", "mode mic")
    # And the other way round, once its MIC has been seen.
    device = met.device()
    place.admin.say("device", "set", device, "--mic", "yes")
    call(place.daemon, "sip", *credential_words(
        LAB.phone(device, "mic"))).outcome("registered")
    since = place.daemon.wait_phone(device, "unregistered")["since"]
    wait_until("another second", lambda: place.daemon.get("/v1/status")[
        "now"] > since)  # explain looks for the later one of two
    met.meets(device, "mic", lambda _: lab_proof(device),
              "precedence", INVALID_MIC, "LSC", "has a MIC", "mode lsc")


# ---- SUDI ----

def sudi_data(session, credential):
    """Bound to a session, in the byte order of Cisco's server."""
    der, key = der_and_key(credential)
    data = struct.pack("<I", session) + der
    parts = ((0, der), (1, key.sign_bare(hashlib.sha1(data).digest())),
             (3, key.sign_bare(hashlib.sha512(data).digest())))
    return capf.element(capf.SUDI_DATA, b"".join(
        struct.pack(">BH", kind, len(part)) + part for kind, part in parts))


def sudi_data_is_of_this_session(place):
    met = Refusals(place)
    device = met.device()
    own = LAB.phone(device, "mic", "rsa2048")
    met.meets(device, "mic", lambda visit: [
        *lab_proof(device, "mic"), sudi_data(visit.session ^ 1, own)],
              "bad-sudi", INVALID, "bad-sudi-proof")
    other = LAB.phone(OTHER, "mic", "rsa2048")
    device = met.device()
    met.meets(device, "mic", lambda visit: [
        *lab_proof(device, "mic"), sudi_data(visit.session, other)],
              "bad-sudi", INVALID, OTHER)
    device = met.device()
    place.order("install", "--mode", "mic", name=device)
    own = LAB.phone(device, "mic", "rsa2048")
    with capf.Visit(place.daemon.port("capf")) as visit:
        request = visit.authenticate(device, None, *lab_proof(device, "mic"),
                                     sudi_data(visit.session, own))
        same(request.command, capf.KEY_REQUEST, "what the phone is to do")


# ---- forgeries: what a lenient reader of RSA's padding lets pass ----

BITS = 2048


def cube_root(n):
    """The greatest whole number whose cube is not above n."""
    low, high = 0, 1 << (n.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = ((middle, high) if middle ** 3 <= n
                     else (low, middle - 1))
    return low


def rubbish_behind(digest):
    """Its cube begins with 00 01 FF … 00 and the hash; rubbish follows, where
    the padding should have filled the key's length."""
    head = b"\0\1" + 8 * b"\xff" + b"\0" + digest
    free = BITS - 8 * len(head)
    root = cube_root((int.from_bytes(head, "big") << free) + (1 << free) - 1)
    same(root ** 3 >> free, int.from_bytes(head, "big"), "its beginning")
    return root.to_bytes(BITS // 8, "big")


def rubbish_before(digest):
    """Its cube ends in FF … 00 and the hash, and begins as it likes."""
    tail = 16 * b"\xff" + b"\0" + digest
    bits = 8 * len(tail)
    wanted, root = int.from_bytes(tail, "big"), 1
    for bit in range(1, bits):  # odd numbers have one cube root mod 2^n
        if (root ** 3 - wanted) >> bit & 1:
            root |= 1 << bit
    same(root ** 3 & ((1 << bits) - 1), wanted, "its end")
    assert root ** 3 >> BITS == 0, "shorter than the key"
    return root.to_bytes(BITS // 8, "big")


def exponent_3(device):
    """A good LSC of the lab's CAPF for a key of exponent 3, over both of
    whose hashes each forgery can be made: they must be odd."""
    pem, key = FORGE.path("e3.pem"), FORGE.path("e3.key")
    ca = LAB.path("ca", "capf.pem"), LAB.path("ca", "capf.key")
    if not os.path.exists(key):
        good("openssl", "genrsa", "-3", "-out", key, BITS)
    request = FORGE.path("e3.csr")
    good("openssl", "req", "-new", "-key", key, "-subj", f"/CN={device}",
         "-out", request)
    for serial in range(1, 200):
        good("openssl", "x509", "-req", "-in", request, "-out", pem, "-CA",
             ca[0], "-CAkey", ca[1], "-set_serial", serial, "-days", 9,
             "-extfile", FORGE.write("e3.ext", LEAF))
        der = capf.der_of(pem)
        data = capf.text(device) + der
        digests = [hashlib.new(name, data).digest()
                   for name in ("sha1", "sha512")]
        if all(digest[-1] & 1 for digest in digests):
            return der, digests, capf.Key(path=key)
    raise AssertionError("no serial number makes both hashes odd")


def signed(der, sha1, sha2):
    return [capf.certificate(capf.LSC, der),
            capf.element(capf.SIGNED_DATA, sha1),
            capf.element(capf.SHA2_SIGNED_DATA,
                         struct.pack(">BH", 3, len(sha2)) + sha2)]


def forged_padding_proves_nothing(place, forge):
    """Neither alone, nor beside a good signature of the other form."""
    met = Refusals(place)
    for sha1_too, proof in ((True, "bad-sha1-proof"),
                            (False, "bad-sha512-proof")):
        device = met.device()
        der, digests, key = exponent_3(device)
        own = [key.sign_bare(digest) for digest in digests]
        sha1, sha2 = map(forge, digests)
        said = signed(der, sha1 if sha1_too else own[0], sha2)
        met.meets(device, "lsc", lambda _, said=said: said, "bad-proof",
                  INVALID_LSC, proof, device)
        # It is the padding: with the key's own it is believed.
        capf.install(place.daemon.port("capf"), device, NEW_KEY,
                     more=signed(der, *own))


def facts(place):
    for key in LAB_KEYS:
        yield fact(f"an {key} certificate proves a phone in both precedences",
                   proves_it_in_both_precedences, place, key)
        yield fact(f"a bit of an {key} signature makes it another's",
                   a_bit_of_a_signature_is_not_another, place, key)
    for function in (the_name_is_the_certificates, an_expired_lsc_is_none,
                     an_lsc_counts_while_its_ca_is_in_capf_trust,
                     no_proof_is_none, precedence_goes_by_what_is_known,
                     sudi_data_is_of_this_session):
        yield fact(function.__name__, function, place)
    for forge in (rubbish_behind, rubbish_before):
        yield fact(f"a forgery with {forge.__name__.replace('_', ' ')} the "
                   "hash proves nothing", forged_padding_proves_nothing,
                   place, forge)


if __name__ == "__main__":
    sys.exit(run_at_one_place(facts))
