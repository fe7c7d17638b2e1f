# SPDX-License-Identifier: Apache-2.0
"""Phones register, over both protocols, with both certificates and TLSs."""
import sys
from datetime import datetime, timezone

from clients import PROTOCOLS, Phones, call, credential_words
from daemon import Daemon
from harness import fact, holds, same, tap
from lab import Lab, common_name, field_of

LAB = Lab()
DEVICE = "SEP020000000001"


def expiry_of(credential):
    """As status says times."""
    text = field_of(credential.cert, "enddate").split("=", 1)[1]
    at = datetime.strptime(text, "%b %d %H:%M:%S %Y %Z")
    return at.replace(tzinfo=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def registers(protocol, leaf, version):
    credential = LAB.phone(DEVICE, leaf)
    allowed = {DEVICE: {"mic": True}} if leaf == "mic" else {}
    with Daemon(LAB.config(devices=allowed)) as daemon:
        with Phones(daemon, protocol, *credential_words(credential),
                    "--tls-max", version) as phones:
            shown = daemon.wait_phone(DEVICE, "registered")
            listed = daemon.get("/v1/phones")
            counts = daemon.get("/v1/status")["phones"]
            report = phones.leave()
        gone = daemon.phone(DEVICE)
    same(listed, {"phones": [{k: v for k, v in shown.items()
                              if k != "failures"}], "count": 1,
                  "since": listed["since"]})
    same((shown["protocol"], shown["transport"]), (protocol, "tls"))
    certificate = shown["certificate"]
    same(certificate["kind"], leaf.upper(), "kind")
    same(certificate["issuer"], common_name(credential.cert, "issuer"))
    same(certificate["notAfter"], expiry_of(credential), "expiry")
    same(shown["tlsVersion"], f"TLSv{version}")
    same((shown["tlsVersion"], shown["cipher"]),
         (report.only["tls"], report.only["cipher"]), "TLS as the phone saw")
    same({k: counts[k] for k in ("registered", protocol, leaf, "tls")},
         {"registered": 1, protocol: 1, leaf: 1, "tls": 1}, "counts")
    holds(report.console, f"[{protocol.upper()}], [TLSv{version}], "
                          f"cert [{leaf.upper()}], cipher [")
    same(report.code, 0, report.console)
    same((gone["state"], gone["reason"]["name"]),
         ("unregistered", "deviceUnregistered"))


def mic_refused(protocol, devices, rule, reason):
    credential = LAB.phone(DEVICE, "mic")
    with Daemon(LAB.config(devices=devices)) as daemon:
        report = call(daemon, protocol, *credential_words(credential))
        failure = daemon.wait_failure(rule, device=DEVICE)
        state = daemon.phone(DEVICE)["state"]
        registered = daemon.registered()
    report.outcome("rejected")
    same(report.code, 1, "exit status")
    same((failure["reason"]["code"], failure["stage"]),
         (reason, "registration"))
    holds(failure["cure"], DEVICE, "dialtone device ")
    same((state, registered), ("rejected", 0))


def wrong_name_refused(protocol):
    credential = LAB.phone(DEVICE, "wrong-name")
    received = common_name(credential.cert)
    with Daemon(LAB.config()) as daemon:
        report = call(daemon, protocol, *credential_words(credential))
        failure = daemon.wait_failure("name-mismatch")
        logged = daemon.wait_event("refused", rule="name-mismatch")
        registered = daemon.registered()
    report.outcome("rejected")
    same(failure["reason"], {"space": "registrationFailure", "code": 11,
                             "name": "invalidX509NameInCertificate"})
    same(failure["device"], DEVICE, "device it claimed")
    holds(failure["why"], f"Rcvd={received},", f"Expected={DEVICE}")
    same(logged.fields["reason"], "invalidX509NameInCertificate(11)")
    same(logged.fields["why"], failure["why"], "why in the log")
    same(registered, 0, "registered phones")


def newer_replaces(old_protocol, new_protocol):
    words = credential_words(LAB.phone(DEVICE))
    with Daemon(LAB.config()) as daemon:
        with Phones(daemon, old_protocol, *words) as old:
            before = daemon.wait_phone(DEVICE, "registered")
            with Phones(daemon, new_protocol, *words) as new:
                daemon.wait_event("replaced", device=DEVICE)
                old.wait().outcome("lost")
                after = daemon.phone(DEVICE)
                count = daemon.registered()
                report = new.leave()
    report.outcome("registered")
    same((after["state"], after["protocol"], count),
         ("registered", new_protocol, 1))
    assert before["port"] != after["port"], "the old connection is shown"


def plain_only_for_listed_devices(protocol):
    devices = {DEVICE: {"profile": "non-secure"}, "SEP020000000002": {}}
    with Daemon(LAB.config(devices=devices)) as daemon:
        outcomes = {}
        for n in (1, 2, 3):
            device = f"SEP02000000000{n}"
            outcomes[device] = call(daemon, protocol, "--device", device,
                                    transport="tcp").only["outcome"]
        rules = {f["device"]: (f["rule"], f["reason"]["code"])
                 for f in daemon.failures()}
        transport = daemon.phone(DEVICE)["transport"]
    same(outcomes, {DEVICE: "registered", "SEP020000000002": "rejected",
                    "SEP020000000003": "rejected"})
    same(rules, {"SEP020000000002": ("security-mismatch", 28),
                 "SEP020000000003": ("unknown-device", 2)})
    same(transport, "tcp")


def plain_never_displaces_tls(protocol):
    with Daemon(LAB.config(devices={DEVICE: {}})) as daemon:
        with Phones(daemon, protocol,
                    *credential_words(LAB.phone(DEVICE))) as phones:
            before = daemon.wait_phone(DEVICE, "registered")
            intruder = call(daemon, protocol, "--device", DEVICE,
                            transport="tcp")
            after = daemon.phone(DEVICE)
            report = phones.leave()
        daemon.wait_failure("security-mismatch", device=DEVICE)
    intruder.outcome("rejected")
    report.outcome("registered")
    same((after["transport"], after["port"]), ("tls", before["port"]))


def standby_sip_phone_is_answered_and_not_registered():
    with Daemon(LAB.config()) as daemon:
        report = call(daemon, "sip", "--standby",
                      *credential_words(LAB.phone(DEVICE)))
        known = daemon.phone(DEVICE)
    report.outcome("standby")
    same(known, {}, "what is known of it")


def facts():
    for protocol in PROTOCOLS:
        name = protocol.upper()
        for leaf in ("lsc", "mic"):
            for version in ("1.2", "1.3"):
                yield fact(f"{name} phone registers with its {leaf.upper()} "
                           f"over TLS {version}",
                           registers, protocol, leaf, version)
        yield fact(f"MIC of an unknown {name} device is refused",
                   mic_refused, protocol, {}, "unknown-device", 2)
        yield fact(f"MIC of a {name} device that may not use it is refused",
                   mic_refused, protocol, {DEVICE: {"mic": False}},
                   "mic-not-allowed", 10)
        yield fact(f"{name} phone with the name of another reads why",
                   wrong_name_refused, protocol)
        yield fact(f"plain {name} registers listed devices and no other",
                   plain_only_for_listed_devices, protocol)
        yield fact(f"plain {name} never displaces a TLS registration",
                   plain_never_displaces_tls, protocol)
        for newer in PROTOCOLS:
            yield fact(f"newer {newer.upper()} connection replaces the older "
                       f"{name} one", newer_replaces, protocol, newer)
    yield standby_sip_phone_is_answered_and_not_registered


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
