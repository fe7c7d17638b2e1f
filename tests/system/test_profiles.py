# SPDX-License-Identifier: Apache-2.0
"""Listener profiles: old TLS, NULL-SHA and CUCM's presets, each where it is
allowed and nowhere else; weak certificates only where their anchor is."""
import json
import os
import re
import sys

import sip
from clients import (Listener, Phones, call, credential_words, s_client_alert,
                     s_client_cipher, s_client_pipe, s_client_says,
                     s_client_visit)
from daemon import Daemon, refuses_to_start
from harness import (BUILD, DIALTONE, LOOPBACK, fact, good, holds, needs, run,
                     same, tap)
from lab import Lab, common_name, listener

LAB = Lab()
STORM = os.path.join(BUILD, "bench", "dialtone-storm")
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"
OLD, STRICT = {"profile": "legacy"}, {}
SILENT = {"profile": "legacy", "null_cipher": True}

R256, E256 = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384")
R128, E128 = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")
PRESETS = {
    "strongest-rsa": [R256, E256],
    "strongest-ecdsa": [E256, R256],
    "medium-rsa": [R256, E256, R128, E128],
    "medium-ecdsa": [E256, R256, E128, R128],
    "all-rsa": [R256, E256, R128, E128, "AES128-SHA"],
    "all-ecdsa": [E256, R256, E128, R128, "AES128-SHA"],
}
SUITES = [R256, E256, R128, E128, "AES128-SHA", "AES256-SHA",
          "AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
          "ECDHE-RSA-AES128-SHA", "NULL-SHA"]


def phone(device=DEVICE):
    """As old phones have it."""
    return LAB.phone(device, "lsc", "rsa2048")


class Two:
    """A strict listener and another one, in one process."""

    def __init__(self, offer, service="sip", **changes):
        changes.setdefault("log", {"level": "debug"})
        self.daemon = Daemon(LAB.config(listeners=[
            listener(service, **STRICT), listener(service, **offer)],
            **changes))
        self.strict = Listener(self.daemon, profile="modern")
        self.other = Listener(self.daemon, profile=offer["profile"])

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *error):
        return self.daemon.__exit__(*error)


def register(where, daemon, version, cipher, device=DEVICE):
    """REGISTER by hand through s_client; what status says of it then."""
    with s_client_pipe(where, "sip", phone(device), version,
                       cipher=cipher) as pipe:
        talk = sip.Talk(pipe, device)
        same(talk.ask(talk.register()).status, 200)
        return daemon.wait_phone(device, "registered")


def a_legacy_device_registers_with_s_client():
    with Two(OLD) as two:
        for version, name in (("1.0", "TLSv1"), ("1.1", "TLSv1.1"),
                              ("1.2", "TLSv1.2")):
            for cipher in ("AES256-SHA", "AES128-SHA"):
                known = register(two.other, two.daemon, version, cipher)
                same((known["tlsVersion"], known["cipher"]), (name, cipher))
                two.daemon.wait_phone(DEVICE, "unregistered")


def and_is_refused_on_the_modern_one():
    with Two(OLD) as two:
        for version in ("1.0", "1.1"):
            same(s_client_alert(two.strict, "sip", phone(), version,
                                cipher="AES256-SHA"), 70)
        failure = two.daemon.wait_failure("tls-alert-sent")
        holds(failure["cure"], '"profile": "legacy"')
        # Nor does it matter to others that the old ones are served there.
        known = register(two.strict, two.daemon, "1.2", R128)
        same(known["cipher"], R128)


def null_sha_is_agreed_on_where_a_listener_says_so():
    for version in ("1.0", "1.1", "1.2"):
        with Two(SILENT) as two:
            said = s_client_says(two.other, "sip", phone(), version,
                                 cipher="NULL-SHA")
            holds(said, "Cipher is NULL-SHA")
            secured = two.daemon.wait_event("secured")
            same(secured.fields["cipher"], "NULL-SHA")
            same(s_client_alert(two.strict, "sip", phone(), "1.2",
                                cipher="NULL-SHA"), 40)
            failure = two.daemon.wait_failure("tls-alert-sent")
            holds(failure["cure"], '"null_cipher": true')


def null_sha_is_for_authenticated_devices_alone():
    """The cipher decides, also of a session that goes on."""
    devices = {DEVICE: {"profile": "authenticated"},
               OTHER: {"profile": "encrypted"}}
    with Two(SILENT, devices=devices) as two:
        for version in ("1.0", "1.2"):
            known = register(two.other, two.daemon, version, "NULL-SHA")
            same(known["cipher"], "NULL-SHA")
            two.daemon.wait_phone(DEVICE, "unregistered")
        for device, cipher in ((OTHER, "NULL-SHA"), (DEVICE, "AES128-SHA")):
            session = LAB.path("mode")
            for words in (["-sess_out", session], ["-sess_in", session]):
                with s_client_pipe(two.other, "sip", phone(device), "1.0",
                                   *words, cipher=cipher) as pipe:
                    talk = sip.Talk(pipe, device)
                    same(talk.ask(talk.register()).status, 403)
            failure = two.daemon.wait_failure("invalid-cipher", device=device)
            same((failure["reason"]["code"], failure["count"]), (12, 2))
            holds(failure["why"], cipher)


def legacy_alone_has_no_null_sha():
    with Two(OLD) as two:
        same(s_client_alert(two.other, "sip", phone(), "1.0",
                            cipher="NULL-SHA"), 40)


def a_modern_listener_may_have_null_sha():
    offer = {"null_cipher": True}
    with Daemon(LAB.config(listeners=[listener("sip", **offer)])) as daemon:
        same(s_client_cipher(daemon, "sip", phone(), "1.2", "NULL-SHA"),
             "NULL-SHA")
        same(s_client_alert(daemon, "sip", phone(), "1.1",
                            cipher="NULL-SHA"), 70)
        # Who can do better does.
        same(s_client_cipher(daemon, "sip", phone(), "1.2",
                             "NULL-SHA:AES128-SHA"), "AES128-SHA")


def gnutls_agrees():
    program = needs("gnutls-cli")

    def said(where, priority):
        made = phone()
        done = run(program, "--insecure", "--port", where.port("sip"),
                   "--priority", priority, "--x509certfile", made.cert,
                   "--x509keyfile", made.key, "127.0.0.1",
                   input="nonsense\r\n\r\n", stdin=None)
        return done.stdout + done.stderr

    old = "LEGACY:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+RSA:-CIPHER-ALL:"
    with Two(SILENT) as two:
        holds(said(two.other, old + "+AES-256-CBC"), "TLS1.0",
              "AES-256-CBC", "Handshake was completed")
        holds(said(two.other, old + "+NULL"), "TLS1.0", "NULL",
              "Handshake was completed")
        holds(said(two.strict, old + "+AES-256-CBC"), "alert [70]")
        holds(said(two.strict, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:"
                   "-CIPHER-ALL:+NULL"), "alert [40]")


def a_preset_offers_its_suites(name):
    """One by one; and the first of those that are left, whoever asks."""
    suites = PRESETS[name]
    with Daemon(LAB.config(listeners=[
            listener("sip", ciphers=name)])) as daemon:
        shown = daemon.get("/v1/status")["listeners"][0]
        same(shown["preset"], name)
        same([s for s in shown["ciphers"] if not s.startswith("TLS_")], suites)
        for suite in SUITES:
            found = s_client_cipher(daemon, "sip", phone(), "1.2", suite)
            same(found, suite if suite in suites else None, suite)
        for i in range(len(suites)):
            left = ":".join(reversed(suites[i:]))
            same(s_client_cipher(daemon, "sip", phone(), "1.2", left),
                 suites[i])


def a_legacy_listener_may_have_a_preset():
    offer = {"profile": "legacy", "ciphers": "all-rsa"}
    with Daemon(LAB.config(listeners=[listener("sip", **offer)])) as daemon:
        same(s_client_cipher(daemon, "sip", phone(), "1.0", "AES128-SHA"),
             "AES128-SHA")
        same(s_client_cipher(daemon, "sip", phone(), "1.0", "AES256-SHA"),
             None)


def a_typo_is_refused_naming_all():
    event = refuses_to_start(LAB.config(listeners=[
        listener("sip", ciphers="strongest")]))
    holds(event.fields["why"], "listeners.0.ciphers", *PRESETS)
    event = refuses_to_start(LAB.config(listeners=[
        listener("sip", profile="ancient")]))
    holds(event.fields["why"], "listeners.0.profile", "modern|legacy")
    event = refuses_to_start(LAB.config(listeners=[
        listener("sip", "tcp", null_cipher=True)]))
    holds(event.fields["why"], "listeners.0.null_cipher", "transport tls")


def old_suites_need_an_rsa_certificate():
    pair = {"certificate": LAB.path("server", "ec.pem"),
            "key": LAB.path("server", "ec.key")}
    event = refuses_to_start(LAB.config(
        tls={"certificates": [pair]}, listeners=[listener("sip", **OLD)]))
    holds(event.fields["why"], "RSA certificate", "tls.certificates")


def sessions_stay_where_they_were_made():
    """In one process: nothing moves to a listener that offers other things."""
    session = LAB.path("moving")
    with Two(SILENT) as two:
        for here, there in ((two.other, two.strict), (two.strict, two.other)):
            same(s_client_visit(here, "sip", phone(), "1.2", "-sess_out",
                                session), False)
            same(s_client_visit(here, "sip", phone(), "1.2", "-sess_in",
                                session), True)
            same(s_client_visit(there, "sip", phone(), "1.2", "-sess_in",
                                session), False)


def a_silent_session_is_never_an_encrypted_one():
    session = LAB.path("silent")
    # A session is resumed only for whom it may register.
    with Two(SILENT, devices={OTHER: {"profile": "authenticated"}}) as two:
        for device, first, then in ((OTHER, "NULL-SHA", "AES128-SHA"),
                                    (DEVICE, "AES128-SHA", "NULL-SHA")):
            same(s_client_visit(two.other, "sip", phone(device), "1.0",
                                "-sess_out", session, cipher=first), False)
            both = s_client_says(two.other, "sip", phone(device), "1.0",
                                 "-sess_in", session,
                                 cipher="AES128-SHA:NULL-SHA")
            assert re.search(rf"^Reused, .*Cipher is {first}$", both, re.M), \
                both
            anew = s_client_says(two.other, "sip", phone(device), "1.0",
                                 "-sess_in", session, cipher=then)
            assert re.search(rf"^New, .*Cipher is {then}$", anew, re.M), anew
        offered = two.daemon.get("/v1/status")["resumption"]["offered"]
        same(offered["other-cipher"], 2)


# ---- certificates that are weak ----

SHA1_CA, CAPF = "manufacturing-sha1.pem", None


def weak_config(anchors, **changes):
    LAB.store("weak", "manufacturing-sha1", "other-capf")
    return LAB.config(
        trust={"callmanager": "weak", "anchors": anchors},
        devices={DEVICE: {"mic": True}}, log={"level": "debug"},
        listeners=[listener("sip", **OLD), listener("sip", **STRICT)],
        **changes)


def capf_file():
    return common_name(LAB.path("ca", "capf.pem")) + ".pem"


# credential, its anchor's file, the rule, the allowance, the version
WEAK = {
    "a SHA-1 MIC": (lambda: LAB.phone(DEVICE, "mic-sha1", "rsa2048"),
                    lambda: SHA1_CA, "weak-digest", "allow_sha1"),
    "an RSA-1024 LSC": (lambda: LAB.phone(DEVICE, "lsc", "rsa1024"),
                        capf_file, "weak-key", "allow_rsa1024"),
}


def is_refused(daemon, credential, rule, *cure):
    for profile, version in (("legacy", "1.0"), ("modern", "1.2")):
        where = Listener(daemon, profile=profile)
        same(s_client_alert(where, "sip", credential, version), 42,
             f"alert on {profile}")
    holds(daemon.wait_failure(rule)["cure"], *cure)


def is_refused_by_default(what):
    make, anchor, rule, key = WEAK[what]
    with Daemon(weak_config({})) as daemon:
        is_refused(daemon, make(), rule, key, anchor())


def registers_where_its_anchor_allows_it(what):
    make, anchor, _, key = WEAK[what]
    credential = make()
    with Daemon(weak_config({anchor(): {key: True}})) as daemon:
        for profile in ("legacy", "modern"):
            where = Listener(daemon, profile=profile)
            # The second time it is a resumption: that says it, too.
            with Phones(where, "sip", *credential_words(credential)):
                known = daemon.wait_phone(DEVICE, "registered")
                same(known["certificate"]["waived"], key)
                told = daemon.wait_event("registered", device=DEVICE)
                same(told.fields["waived"], key)
            daemon.wait_phone(DEVICE, "unregistered")
        shown = {a["file"]: a.get("allows")
                 for a in daemon.get("/v1/trust")["list"]}
        same([f for f, allows in shown.items() if allows], [anchor()])
        said = json.loads(good(
            DIALTONE, "--json", "--url", daemon.url, "trust", "check",
            credential.cert))
        same((said["verdict"], said["waived"]), ("ok", key))


def one_anchors_allowance_helps_no_other(what):
    make, anchor, rule, key = WEAK[what]
    both = {"allow_sha1": True, "allow_rsa1024": True}
    others = {"other-capf.pem": both}
    with Daemon(weak_config(others)) as daemon:
        is_refused(daemon, make(), rule, key, anchor())
    wrong = next(k for k in both if k != key)
    with Daemon(weak_config({anchor(): {wrong: True}})) as daemon:
        is_refused(daemon, make(), rule, key, anchor())


def an_allowance_that_was_withdrawn_ends_sessions():
    make, anchor, _, key = WEAK["a SHA-1 MIC"]
    keys, session = LAB.path("withdrawn.keys"), LAB.path("withdrawn")
    changes = {"tls": {"ticket_keys": keys}}
    with Daemon(weak_config({anchor(): {key: True}}, **changes)) as daemon:
        where = Listener(daemon, profile="modern")
        s_client_visit(where, "sip", make(), "1.2", "-sess_out", session)
        same(s_client_visit(where, "sip", make(), "1.2", "-sess_in", session),
             True)
    with Daemon(weak_config({}, **changes)) as daemon:
        where = Listener(daemon, profile="modern")
        said = s_client_says(where, "sip", make(), "1.2", "-sess_in", session)
        holds(said, "SSL alert number 42")
        offered = daemon.get("/v1/status")["resumption"]["offered"]
        same(offered["too-weak-now"], 1)


# ---- what an admin sees ----

def status_shows_what_each_offers():
    with Daemon(LAB.config(listeners=[
            listener("sip"), listener("sccp", **SILENT),
            listener("sccp", "tcp")])) as daemon:
        modern, silent, plain = daemon.get("/v1/status")["listeners"]
        same((modern["profile"], modern["versions"], modern["nullCipher"]),
             ("modern", ["TLSv1.2", "TLSv1.3"], False))
        assert "NULL-SHA" not in modern["ciphers"], modern
        same((silent["profile"], silent["versions"], silent["nullCipher"]),
             ("legacy", ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"], True))
        same(silent["ciphers"][-3:], ["AES256-SHA", "AES128-SHA", "NULL-SHA"])
        assert "preset" not in modern and "profile" not in plain, plain
        said = good(DIALTONE, "--url", daemon.url, "status")
    holds(said, "legacy", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "NULL-SHA")


def a_risk_is_told_at_the_start():
    with Daemon(LAB.config(listeners=[
            listener("sip"), listener("sip", **OLD),
            listener("sccp", **SILENT)])) as daemon:
        risks = daemon.events("listener-risk")
        same([(e.level, e.fields["service"]) for e in risks],
             [("warning", "sip"), ("warning", "sccp")])
        holds(risks[0].fields["why"], "legacy")
        holds(risks[1].fields["why"], "null_cipher")
        ports = {e.fields["port"] for e in risks}
        assert Listener(daemon, service="sip",
                        profile="modern").port() not in ports
    with Daemon(LAB.config()) as daemon:
        tap.none(e.text for e in daemon.events("listener-risk"))


def metrics_tell_versions_apart():
    session = LAB.path("counted")
    with Two(SILENT) as two:
        s_client_visit(two.other, "sip", phone(), "1.0", "-sess_out", session)
        s_client_visit(two.other, "sip", phone(), "1.0", "-sess_in", session)
        s_client_visit(two.strict, "sip", phone(), "1.3")
        page = two.daemon.fetch("/metrics")[1]
    counted = {}
    for version, kind, n in re.findall(
            r'^dialtone_handshakes_version_total\{version="(\S+?)",'
            r'kind="(\w+)",worker="\d+"\} (\d+)$', page, re.M):
        key = (version, kind)
        counted[key] = counted.get(key, 0) + int(n)
    same({k: n for k, n in counted.items() if n},
         {("TLSv1", "full"): 1, ("TLSv1", "resumed"): 1,
          ("TLSv1.3", "full"): 1})
    same(len(counted), 8)


# ---- our own phones ----

def dialtone_phone_speaks_them_all():
    for service in ("sccp", "sip"):
        with Two(SILENT, service) as two:
            for version, name in (("1.0", "TLSv1"), ("1.1", "TLSv1.1"),
                                  ("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")):
                report = call(two.other, service, *credential_words(phone()),
                              "--tls-max", version).outcome("registered")
                same(report.only["tls"], name)


def dialtone_phone_speaks_null_sha():
    for service in ("sccp", "sip"):
        with Two(SILENT, service,
                 devices={DEVICE: {"profile": "authenticated"}}) as two:
            for version in ("1.0", "1.2"):
                report = call(
                    two.other, service, *credential_words(phone()),
                    "--tls-max", version, "--ciphers", "NULL-SHA")
                same(report.outcome("registered").only["cipher"], "NULL-SHA")
            call(two.strict, service, *credential_words(phone()),
                 "--ciphers", "NULL-SHA").outcome("alert")


def a_storm_of_old_phones():
    """Each registers twice, the second time with its session."""
    for version, cipher, profile in (("1.0", "AES256-SHA", "encrypted"),
                                     ("1.0", "NULL-SHA", "authenticated")):
        devices = {f"SEP0000000000{i:02X}": {"profile": profile}
                   for i in range(1, 21)}
        with Two(SILENT, "sccp", devices=devices) as two:
            done = run(STORM, "--lab", LAB.dir, "--protocol", "sccp",
                       "--server", f"{LOOPBACK}:{two.other.port()}",
                       "--phones", 20, "--rate", 100, "--seconds", 1,
                       "--tls", version, "--ciphers", cipher,
                       "--json", "-", "--quiet")
            counters = two.daemon.get("/v1/status")["connections"]
        same(done.returncode, 0, done.stderr)
        assert counters["resumed"] >= 20, counters
        same(counters["handshakesFailed"], 0)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_legacy_device_registers_with_s_client,
        and_is_refused_on_the_modern_one,
        null_sha_is_agreed_on_where_a_listener_says_so,
        null_sha_is_for_authenticated_devices_alone,
        legacy_alone_has_no_null_sha,
        a_modern_listener_may_have_null_sha,
        gnutls_agrees,
        *(fact(f"{name} offers its suites, in order",
               a_preset_offers_its_suites, name) for name in PRESETS),
        a_legacy_listener_may_have_a_preset,
        a_typo_is_refused_naming_all,
        old_suites_need_an_rsa_certificate,
        sessions_stay_where_they_were_made,
        a_silent_session_is_never_an_encrypted_one,
        *(fact(f"{what} {test.__name__.replace('_', ' ')}", test, what)
          for what in WEAK for test in (
              is_refused_by_default, registers_where_its_anchor_allows_it,
              one_anchors_allowance_helps_no_other)),
        an_allowance_that_was_withdrawn_ends_sessions,
        status_shows_what_each_offers,
        a_risk_is_told_at_the_start,
        metrics_tell_versions_apart,
        dialtone_phone_speaks_them_all,
        dialtone_phone_speaks_null_sha,
        a_storm_of_old_phones))
