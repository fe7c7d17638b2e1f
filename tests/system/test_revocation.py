# SPDX-License-Identifier: Apache-2.0
"""Lists of revoked certificates, and what a removed CA does to living phones.
"""
import os
import shutil
import ssl
import sys
import time

import sip
from clients import call, context, credential_words, s_client_alert, tcp
from daemon import Daemon
from forge import Forge
from harness import DIALTONE, good, holds, same, tap, wait_until
from lab import Lab, field_of

LAB = Lab()
FORGE = Forge(LAB)
STORE = "trust"
# TLS version and options of the phones.
MODES = {
    "TLS 1.2 session id": ("1.2", ssl.OP_NO_TICKET),
    "TLS 1.2 ticket": ("1.2", 0),
    "TLS 1.3": ("1.3", 0),
}
PING = b"\r\n\r\n"
PONG = b"\r\n"


def config(**trust):
    return LAB.config(workers=2, trust={"callmanager": STORE, **trust},
                      admin={"socket": "revocation.sock"})


def revoke(*devices):
    """As an admin of the lab does; the list that names them all goes into our
    own store, in one step, because that is watched."""
    for device in devices:
        made = good(DIALTONE, "lab", "revoke", LAB.dir, device).strip()
    shutil.copy(made, LAB.path(STORE, ".crl"))
    os.rename(LAB.path(STORE, ".crl"),
              LAB.path(STORE, os.path.basename(made)))


def forget_lists():
    """A fresh store and a CAPF that has revoked nobody."""
    for name in os.listdir(LAB.path("CallManager-trust")):
        if name.endswith(".crl"):
            os.unlink(LAB.path("CallManager-trust", name))
    return LAB.store(STORE)


def capf_list(name, number, since, until, *serials):
    """The CAPF's list as OpenSSL writes it, into the store."""
    FORGE.crl(LAB.path(STORE, name), LAB.path("ca", "capf.pem"),
              LAB.path("ca", "capf.key"), number, since, until, serials)


def serial_of(credential):
    return field_of(credential.cert, "serial").split("=")[1].lower()


class Phone:
    """One that registers over SIP and keeps its session."""

    def __init__(self, daemon, number, mode, leaf="lsc"):
        version, options = MODES[mode]
        self.daemon = daemon
        self.device = f"SEP0200000001{number:02X}"
        self.credential = LAB.phone(self.device, leaf)
        self.context = context(self.credential, version)
        self.context.options |= options
        self.version = version
        self.session = None
        self.connection = None

    def connect(self):
        """What refused it, or None; was it resumed?"""
        try:
            self.connection = self.context.wrap_socket(
                tcp(self.daemon.port("sip")), session=self.session)
            self.connection.sendall(PING)
            same(self.connection.recv(2), PONG)
        except ssl.SSLError as refused:
            return refused.reason, None
        self.session = self.connection.session
        return None, self.connection.session_reused

    def register(self):
        same(self.connect()[0], None)
        talk = sip.Talk(self.connection, self.device)
        same(talk.ask(talk.register()).status, 200)

    def is_there(self):
        self.connection.sendall(PING)
        return self.connection.recv(2) == PONG

    def wait_closed(self):
        """When the registrar closed it."""
        try:
            same(self.connection.recv(1), b"")
        except ConnectionResetError:
            pass
        return time.monotonic()


def exactly_the_revoked_are_closed_and_stay_out():
    forget_lists()
    with Daemon(config()) as daemon:
        out = [Phone(daemon, i, mode) for i, mode in enumerate(MODES)]
        stay = [Phone(daemon, 16 + i, mode) for i, mode in enumerate(MODES)]
        for phone in out + stay:
            phone.register()
        mark = daemon.mark()
        revoke(*(phone.device for phone in out))
        daemon.reload()
        loaded = daemon.wait_event("crl-loaded", mark)
        same((loaded.fields["number"], loaded.fields["entries"],
              loaded.fields["state"]), ("3", "3", "current"))
        for phone in out:
            phone.wait_closed()
        wait_until("all to be told", lambda: sorted(
            e.fields["device"] for e in daemon.events("phone-revoked", mark))
            == [phone.device for phone in out])
        event = daemon.events(
            "phone-revoked", mark, device=out[0].device)[0].fields
        holds(event["why"], "CRL number 3", "keyCompromise (1)")
        same((event["crl"], event["serial"]),
             (loaded.fields["file"], serial_of(out[0].credential)))
        for phone in stay:
            assert phone.is_there(), phone.device
            same(daemon.phone(phone.device)["state"], "registered")
        for phone in out:
            state = daemon.wait_phone(phone.device, "unregistered")
            same(state["reason"]["name"], "callManagerReset")
            what = [e["event"] for e in daemon.get(
                f"/v1/phones/{phone.device}/history")["events"]]
            same(what[:2], ["lost", "distrusted"])
        the_revoked_stay_out(daemon, out)
        for phone in stay:
            phone.connection.close()
            same(phone.connect(), (None, True), phone.device)
        offered = daemon.get("/v1/status")["resumption"]["offered"]
        same((offered["certificate-revoked"], offered["resumed"]), (3, 3))


def the_revoked_stay_out(daemon, phones):
    """By their session, without one, and whoever asks."""
    for phone in phones:
        phone.connection.close()
        holds(phone.connect()[0], "CERTIFICATE_REVOKED")
        for version in ("1.2", "1.3"):
            same(s_client_alert(daemon, "sip", phone.credential, version), 44)
    failure = daemon.wait_failure("revoked", device=phones[0].device)
    holds(failure["why"], "it was revoked", "CRL number 3", "serial number")
    holds(failure["cure"], "new LSC")
    same(failure["alert"]["number"], 44)
    report = call(daemon, "sccp", *credential_words(phones[0].credential))
    same(report.outcome("alert").only["alert"], 44)


def a_list_that_has_ended_refuses_nobody():
    forget_lists()
    bad, fine = LAB.phone("SEP020000000001"), LAB.phone("SEP020000000002")
    day = 86400
    capf_list("capf.crl", 5, -9 * day, -day, bad.cert)
    with Daemon(config()) as daemon:
        event = daemon.wait_event("crl-overdue")
        same((event.fields["file"], event.fields["number"]), ("capf.crl", "5"))
        month = time.strftime("%Y-%m", time.gmtime(time.time() - day))
        [due] = [m for m in daemon.get("/v1/trust/expiry")["months"]
                 if m["crls"]]
        same((due["month"], [(c["file"], c["state"]) for c in due["crls"]]),
             (month, [("capf.crl", "overdue")]))
        said = good(DIALTONE, "--url", daemon.url, "trust", "expiry")
        holds(said, "CRLS", "capf.crl")
        call(daemon, "sip", *credential_words(fine)).outcome("registered")
        same(s_client_alert(daemon, "sip", bad, "1.3"), 44)
        mark = daemon.mark()
        capf_list("capf.crl", 6, -9 * day, day // 2)
        daemon.reload()
        same(daemon.wait_event("crl-due", mark).fields["number"], "6")
        same(daemon.events("crl-overdue", mark), [])
        call(daemon, "sip", *credential_words(bad)).outcome("registered")


def a_list_that_is_refused_changes_nothing():
    forget_lists()
    bad = LAB.phone("SEP020000000001")
    capf_list("capf.crl", 9, -60, 86400, bad.cert)
    with Daemon(config()) as daemon:
        same(s_client_alert(daemon, "sip", bad, "1.2"), 44)
        capf_list("capf.crl", 8, -60, 86400)
        holds(daemon.reload("reload-refused").fields["why"],
              "capf.crl: ", "older than its CA's list in force")
        same(s_client_alert(daemon, "sip", bad, "1.2"), 44)
        with open(LAB.path(STORE, "capf.crl"), "w", encoding="ascii") as f:
            f.write("-----BEGIN X509 CRL-----\nMIIB\n")
        holds(daemon.reload("reload-refused").fields["why"], "has no end")
        same(s_client_alert(daemon, "sip", bad, "1.2"), 44)
        os.unlink(LAB.path(STORE, "capf.crl"))
        daemon.reload()
        call(daemon, "sip", *credential_words(bad)).outcome("registered")


def removed(name):
    os.unlink(LAB.path(STORE, name))


def ca_that_goes_without_its_list_goes():
    forget_lists()
    other = LAB.path("ca", "other-capf.pem")
    shutil.copy(other, LAB.path(STORE))
    FORGE.crl(LAB.path(STORE, "other.crl"), other,
              LAB.path("ca", "other-capf.key"), 5, -60, 9 * 86400)
    phone = LAB.phone("SEP020000000003", "foreign")
    with Daemon(config()) as daemon:
        call(daemon, "sip", *credential_words(phone)).outcome("registered")
        mark = daemon.mark()
        removed("other-capf.pem")
        daemon.reload()
        event = daemon.wait_event("crl-orphan", mark)
        same((event.fields["file"], event.fields["state"]),
             ("other.crl", "orphan"))
        holds(event.fields["why"], "remove it, or add the CA")
        same([c["state"] for c in daemon.get("/v1/trust")["crlList"]],
             ["orphan"])
        same(s_client_alert(daemon, "sip", phone, "1.3"), 48)


def phones_of_a_removed_ca_are_closed_one_by_one():
    forget_lists()
    shutil.copy(LAB.path("ca", "other-capf.pem"), LAB.path(STORE))
    count, pace_s = 6, 0.05
    with Daemon(config(removed="close", close_per_s=20)) as daemon:
        mode = "TLS 1.2 ticket"
        theirs = [Phone(daemon, 32 + i, mode, "foreign")
                  for i in range(count)]
        ours = Phone(daemon, 48, mode)
        for phone in (*theirs, ours):
            phone.register()
        mark = daemon.mark()
        removed("other-capf.pem")
        begun = time.monotonic()
        daemon.reload()
        for phone in theirs:
            phone.wait_closed()
        took = time.monotonic() - begun
        assert took > (count - 3) * pace_s, f"all closed within {took} s"
        wait_until("all to be told",
                   lambda: len(daemon.events("phone-distrusted", mark)) ==
                   count)
        assert ours.is_there()
        for phone in theirs:
            phone.connection.close()
            holds(phone.connect()[0], "UNKNOWN_CA")
        ours.connection.close()
        same(ours.connect(), (None, True))


def phones_of_a_ca_that_may_only_enrol_now_are_closed():
    """What the configuration says of it goes by its file's name."""
    forget_lists()
    shutil.copy(LAB.path("ca", "other-capf.pem"), LAB.path(STORE))
    with Daemon(config(removed="close", anchors={
            "enrols.pem": {"kind": "lsc", "enrol_only": True}})) as daemon:
        theirs = Phone(daemon, 56, "TLS 1.3", "foreign")
        ours = Phone(daemon, 57, "TLS 1.3")
        for phone in (theirs, ours):
            phone.register()
        mark = daemon.mark()
        os.rename(LAB.path(STORE, "other-capf.pem"),
                  LAB.path(STORE, "enrols.pem"))
        daemon.reload()
        theirs.wait_closed()
        event = daemon.wait_event("phone-distrusted", mark)
        same(event.fields["device"], theirs.device)
        holds(event.fields["why"], "may not do so any more")
        assert ours.is_there()
        holds(theirs.connect()[0], "ALERT")


def a_newer_reload_decides_on_those_not_closed_yet():
    forget_lists()
    shutil.copy(LAB.path("ca", "other-capf.pem"), LAB.path(STORE))
    with Daemon(config(removed="close", close_per_s=1)) as daemon:
        theirs = [Phone(daemon, 64 + i, "TLS 1.3", "foreign")
                  for i in range(6)]
        for phone in theirs:
            phone.register()
        mark = daemon.mark()
        removed("other-capf.pem")
        daemon.reload()
        daemon.wait_event("phone-distrusted", mark)
        shutil.copy(LAB.path("ca", "other-capf.pem"), LAB.path(STORE))
        daemon.reload()
        gone = {e.fields["device"]
                for e in daemon.events("phone-distrusted", mark)}
        assert 1 <= len(gone) <= 4, gone
        for phone in theirs:
            if phone.device not in gone:
                assert phone.is_there(), phone.device


if __name__ == "__main__":
    sys.exit(tap.run(
        exactly_the_revoked_are_closed_and_stay_out,
        a_list_that_has_ended_refuses_nobody,
        a_list_that_is_refused_changes_nothing,
        ca_that_goes_without_its_list_goes,
        phones_of_a_removed_ca_are_closed_one_by_one,
        phones_of_a_ca_that_may_only_enrol_now_are_closed,
        a_newer_reload_decides_on_those_not_closed_yet))
