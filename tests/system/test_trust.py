# SPDX-License-Identifier: Apache-2.0
"""CallManager-trust: bad files, reloads, and a check that predicts alerts."""
import json
import os
import shutil
import ssl
import sys

from clients import (Phones, call, context, credential_words, s_client_alert,
                     tcp)
from daemon import Daemon, refuses_to_start
from forge import Forge
from harness import (DIALTONE, fact, good, holds, run, same,
                     shared, tap)
from lab import Lab, common_name

LAB = Lab()
FORGE = Forge(LAB)
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"
LEAVES = ("lsc", "mic", "mic-sha1", "foreign", "expired", "not-yet-valid",
          "wrong-name", "wrong-purpose", "self-signed")

STORE = "trust"


def config(**changes):
    return LAB.config(trust={"callmanager": STORE}, **changes)


def read(*parts):
    with open(LAB.path(*parts), "rb") as f:
        return f.read()


def write(name, data):
    with open(LAB.path(STORE, name), "wb") as f:
        f.write(data)


def half(data):
    return data[:len(data) // 2]


def trailing(pem):
    """One byte more behind the DER."""
    der = ssl.PEM_cert_to_DER_cert(pem.decode()) + b"\0"
    return ssl.DER_cert_to_PEM_cert(der).encode()


# name, the file's bytes, what the line says behind the file's name
BAD_FILES = [
    ("a private key", lambda: read("ca", "capf.key"), ":1: a private key"),
    ("a phone's own certificate",
     lambda: open(LAB.phone(DEVICE).cert, "rb").read(), ":1: not a CA"),
    ("half a file", lambda: half(read("ca", "other-capf.pem")),
     ":1: the file ends inside a certificate"),
    ("no certificate at all", lambda: b"not one\n",
     ": no certificate in it"),
    ("an empty file", lambda: b"", ": an empty file"),
    ("trailing bytes in a block", lambda: trailing(read("ca", "capf.pem")),
     ":1: bytes behind the certificate (1 of them)"),
    ("the same certificate twice",
     lambda: 2 * read("ca", "other-capf.pem"), ": the same certificate twice"),
]


def bad_file_at_start(make, says):
    store = LAB.store(STORE)
    write("zz-bad.pem", make())
    event = refuses_to_start(config())
    holds(event.fields["why"], os.path.join(store, "zz-bad.pem") + ":", says)


def der_with_trailing_bytes_at_start():
    LAB.store(STORE)
    der = LAB.path(STORE, "zz.der")
    good("openssl", "x509", "-in", LAB.path("ca", "other-capf.pem"),
         "-outform", "DER", "-out", der)
    with Daemon(config()) as daemon:
        same(daemon.get("/v1/status")["trust"]["anchors"], 3)
    with open(der, "ab") as f:
        f.write(b"\0")
    holds(refuses_to_start(config()).fields["why"], der)


def empty_folder_at_start():
    store = LAB.store(STORE)
    for name in os.listdir(store):
        os.unlink(os.path.join(store, name))
    holds(refuses_to_start(config()).fields["why"], store,
          "no certificate in it")


def missing_folder_at_start():
    shutil.rmtree(LAB.store(STORE))
    holds(refuses_to_start(config()).fields["why"], LAB.path(STORE),
          "No such file or directory")


def dangling_file_at_start():
    store = LAB.store(STORE)
    os.symlink("nowhere", os.path.join(store, "zz-gone.pem"))
    holds(refuses_to_start(config()).fields["why"],
          os.path.join(store, "zz-gone.pem"), "a symbolic link to nothing")


def bad_file_later_keeps_the_old_set():
    LAB.store(STORE)
    words = credential_words(LAB.phone(DEVICE))
    with Daemon(config()) as daemon:
        before = daemon.get("/v1/status")["trust"]
        assert "reloadRefused" not in before, before
        same(before.pop("refusals"), {})
        for number, (_, make, says) in enumerate(BAD_FILES, 1):
            write("zz-bad.pem", make())
            event = daemon.reload("reload-refused")
            after = daemon.get("/v1/status")["trust"]
            holds(event.fields["why"], "zz-bad.pem:", says)
            same(after.pop("reloadRefused")["why"], event.fields["why"])
            same(sum(after.pop("refusals").values()), number,
                 "refusals counted")
            same(after, before, "the set in force")
            call(daemon, "sccp", *words).outcome("registered")
        os.unlink(LAB.path(STORE, "zz-bad.pem"))
        daemon.reload()
        mended = daemon.get("/v1/status")["trust"]
        assert "reloadRefused" not in mended, mended
        same(mended["generation"], before["generation"])
        same(mended["fingerprint"], before["fingerprint"])


def wrong_key_later_keeps_the_old_certificate():
    for kind in ("pem", "key"):
        shutil.copy(LAB.path("server", f"rsa.{kind}"),
                    LAB.path("server", f"mine.{kind}"))
    mine = {"certificate": "server/mine.pem", "key": "server/mine.key"}
    with Daemon(LAB.config(tls={"certificates": [mine]})) as daemon:
        before = daemon.get("/v1/status")["certificates"]
        shutil.copy(LAB.path("server", "ec.key"),
                    LAB.path("server", "mine.key"))
        event = daemon.reload("reload-refused", "certificates")
        holds(event.fields["why"], "server/mine.key", "server/mine.pem")
        after = daemon.get("/v1/status")
        same(after["certificates"], before)
        same(after["certificatesRefused"]["why"], event.fields["why"])
        call(daemon, "sip", *credential_words(LAB.phone(DEVICE))) \
            .outcome("registered")
        shutil.copy(LAB.path("server", "ec.pem"),
                    LAB.path("server", "mine.pem"))
        daemon.reload()
        after = daemon.get("/v1/status")
    assert "certificatesRefused" not in after, after
    assert before != after["certificates"], after


def try_in(daemon, made, session):
    """A client that offers its old session: let in, and if it resumed."""
    try:
        with tcp(daemon.port("sip")) as raw, \
                made.wrap_socket(raw, session=session) as connection:
            connection.sendall(b"\r\n\r\n")
            same(connection.recv(2), b"\r\n")
            return "let in", connection.session_reused, connection.session
    except ssl.SSLError as refused:
        return refused.reason, None, None


def a_ca_that_comes_lets_in_and_one_that_goes_locks_out(version):
    LAB.store(STORE)
    foreign = LAB.phone(OTHER, "foreign")
    words = credential_words(foreign)
    made = context(foreign, version)
    with Daemon(config()) as daemon, \
            Phones(daemon, "sccp",
                   *credential_words(LAB.phone(DEVICE))) as ours:
        daemon.wait_registered(1)
        call(daemon, "sip", *words).outcome("alert")

        LAB.store(STORE, "other-capf")
        daemon.reload()
        with Phones(daemon, "sip", *words) as theirs:
            daemon.wait_registered(2)
            verdict, resumed, session = try_in(daemon, made, None)
            same((verdict, resumed), ("let in", False))
            verdict, resumed, _ = try_in(daemon, made, session)
            same((verdict, resumed), ("let in", True))

            LAB.store(STORE)
            daemon.reload()
            verdict, _, _ = try_in(daemon, made, session)
            holds(verdict, "UNKNOWN_CA")
            report = call(daemon, "sip", *words).outcome("alert")
            same(report.only["alert"], 48)
            same(daemon.registered(), 2, "phones that a reload left alone")
            theirs.leave().outcome("registered")
        ours.leave().outcome("registered")
        same(daemon.get("/v1/trust")["generation"], 3)


def predicted(daemon, credential):
    """What `dialtone trust check` says a phone will read; None: let in."""
    done = run(DIALTONE, "--json", "--url", daemon.url, "trust", "check",
               credential.cert)
    verdict = json.loads(done.stdout)
    same(done.returncode, 0 if verdict["verdict"] == "ok" else 1,
         f"exit status with {verdict}")
    return verdict.get("alert"), verdict


def check_predicts(make):
    credential = make()
    LAB.store(STORE, "manufacturing-sha1")
    with Daemon(config()) as daemon:
        alert, verdict = predicted(daemon, credential)
        for version in ("1.2", "1.3"):
            same(s_client_alert(daemon, "sip", credential, version,
                                LAB.chain_of(credential)),
                 alert, f"alert in TLS {version} with {verdict}")
        if alert is not None:
            failure = daemon.failures()[0]
            same((failure["rule"], failure["why"].split("it is 20")[0]),
                 (verdict["verdict"], verdict["why"].split("it is 20")[0]))
            same(failure["phoneConsole"], verdict["phoneConsole"])
    return alert, verdict


def forged_is_predicted(make, expected, says):
    alert, verdict = check_predicts(make)
    same(alert, expected, f"{verdict}")
    holds(verdict["why"], says)


FORGED = [
    ("critical extension nobody knows", FORGE.critical_extension, 46,
     "1.3.6.1.4.1.99999.1"),
    ("CA certificate as a leaf", FORGE.ca_as_leaf, 43, "a CA certificate"),
    ("CAPF of our name with another key", FORGE.same_name_other_key, 48,
     "another key"),
    ("damaged signature", FORGE.damaged_signature, 51, "signature"),
]


def the_ten_real_cisco_cas_load():
    top = shared("cisco-cas")
    store = LAB.path("cisco")
    os.mkdir(store)
    for name in os.listdir(top):
        if name.endswith(".pem"):
            shutil.copy(os.path.join(top, name), store)
    with Daemon(LAB.config(trust={"callmanager": "cisco"})) as daemon:
        anchors = daemon.get("/v1/trust")["list"]
        unusable = {e.fields["file"] for e in daemon.events("trust-unusable")}
        report = call(daemon, "sccp", *credential_words(
            LAB.phone(DEVICE, "mic"))).outcome("alert")
    same(len(anchors), 10)
    same({a["issues"] for a in anchors}, {"MIC"})
    for anchor in anchors:
        same(anchor["knownAs"],
             common_name(os.path.join(store, anchor["file"])))
    same({a["file"] for a in anchors if not a["usable"]},
         {"cisco-ecc-root-ca.pem", "act2-ecc-sudi-ca.pem"})
    same(unusable, {"cisco-ecc-root-ca.pem", "act2-ecc-sudi-ca.pem"})
    for anchor in anchors:
        if not anchor["usable"]:
            holds(anchor["unusableWhy"], "dates")
    same(report.only["alert"], 48)


def an_anchor_that_is_no_capf_admits_like_a_mic():
    """Whom a CA of unknown kind vouches for, the configuration allows."""
    store = LAB.path("renamed")
    os.mkdir(store)
    key = LAB.path("renamed.key")
    good("openssl", "req", "-x509", "-new", "-nodes", "-newkey", "rsa:2048",
         "-keyout", key, "-out", os.path.join(store, "corporate.pem"),
         "-subj", "/CN=Corporate CA", "-days", "9",
         "-addext", "keyUsage=critical,keyCertSign")
    phone = FORGE.sign("corporate", DEVICE,
                       os.path.join(store, "corporate.pem"), key)
    for changes, outcome in (
            ({}, "rejected"),
            ({"devices": {DEVICE: {"mic": True}}}, "registered"),
            ({"trust": {"anchors": {"corporate.pem": "lsc"}}}, "registered")):
        made = {"trust": {"callmanager": "renamed"}}
        made.setdefault("trust", {}).update(changes.get("trust", {}))
        if "devices" in changes:
            made["devices"] = changes["devices"]
        with Daemon(LAB.config(**made)) as daemon:
            call(daemon, "sip", *credential_words(phone)).outcome(outcome)


def facts():
    for name, make, says in BAD_FILES:
        yield fact(f"{name} in the folder at start names file, line and cause",
                   bad_file_at_start, make, says)
    yield der_with_trailing_bytes_at_start
    yield empty_folder_at_start
    yield missing_folder_at_start
    yield dangling_file_at_start
    yield bad_file_later_keeps_the_old_set
    yield wrong_key_later_keeps_the_old_certificate
    for version in ("1.2", "1.3"):
        yield fact("a CA that comes lets in, one that goes locks out, and "
                   f"no session of TLS {version} outlives it",
                   a_ca_that_comes_lets_in_and_one_that_goes_locks_out,
                   version)
    for leaf in LEAVES:
        yield fact(f"trust check predicts the alert of {leaf}",
                   check_predicts, lambda leaf=leaf: LAB.phone(DEVICE, leaf))
    yield fact("trust check predicts the alert of a key too short",
               check_predicts, lambda: LAB.phone(DEVICE, "lsc", "rsa1024"))
    for name, make, alert, says in FORGED:
        yield fact(f"trust check predicts the alert of a {name}",
                   forged_is_predicted, lambda make=make: make(DEVICE),
                   alert, says)
    yield the_ten_real_cisco_cas_load
    yield an_anchor_that_is_no_capf_admits_like_a_mic


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
