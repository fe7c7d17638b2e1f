# SPDX-License-Identifier: Apache-2.0
"""Strangers read the right alert, and the admin reads why and the cure."""
import sys

from clients import call, credential_words, s_client_alert, s_client_words
from daemon import Daemon
from harness import LOOPBACK, fact, holds, needs, run, same, tap
from lab import Lab, common_name, listener, sha256_of

LAB = Lab()
DEVICE = "SEP020000000001"

NAMES = {40: "handshake failure", 42: "bad certificate",
         43: "unsupported certificate", 45: "certificate expired",
         48: "unknown CA", 70: "protocol version",
         116: "certificate required"}

# leaf, key, alert, rule
REFUSED = [
    ("foreign", "p256", 48, "unknown-ca"),
    ("expired", "p256", 45, "expired"),
    ("not-yet-valid", "p256", 42, "not-yet-valid"),
    ("wrong-purpose", "p256", 43, "wrong-purpose"),
    ("self-signed", "p256", 48, "self-signed"),
    ("lsc", "rsa1024", 42, "weak-key"),
    ("mic-sha1", "rsa2048", 42, "weak-digest"),
]


def config(version="1.3"):
    """The SHA-1 manufacturing CA is believed, so that only SHA-1 is wrong."""
    LAB.store("with-sha1", "manufacturing-sha1")
    offer = {"profile": "legacy"} if version == "1.0" else {}
    return LAB.config(trust={"callmanager": "with-sha1"}, listeners=[
        listener(service, **offer) for service in ("sccp", "sip")])


def explained(failure, alert, rule):
    """What /v1/failures says of a refused handshake."""
    same(failure["stage"], "tls")
    same(failure["rule"], rule)
    same(failure["alert"], {"number": alert, "name": NAMES[alert],
                            "sentBy": "registrar"})
    same(failure["phoneConsole"],
         f"SSL3 alert [read]:[fatal]:[{NAMES[alert]}]")
    assert failure["why"] and failure["cure"], failure


def presented(failure, credential):
    same(failure["device"], DEVICE)
    same(failure["reason"]["name"], "authenticationError")
    same(failure["presented"]["sha256"], sha256_of(credential.cert))
    holds(failure["presented"]["subject"], common_name(credential.cert))
    holds(failure["presented"]["issuer"],
          common_name(credential.cert, "issuer"))


def refused(leaf, key, alert, rule, service, version):
    if version == "1.0" and key == "p256":
        key = "rsa2048"  # all that such phones have
    credential = LAB.phone(DEVICE, leaf, key)
    with Daemon(config(version)) as daemon:
        read = s_client_alert(daemon, service, credential, version)
        failure = daemon.wait_failure(rule, protocol=service)
        logged = daemon.wait_event("refused", rule=rule)
    same(read, alert, "alert that s_client read")
    explained(failure, alert, rule)
    presented(failure, credential)
    same(logged.fields["alert"],
         f"SSL3 alert [write]:[fatal]:[{NAMES[alert]}]")
    same((logged.fields["why"], logged.fields["cure"]),
         (failure["why"], failure["cure"]), "the log's words")


def the_missing_ca_is_named():
    credential = LAB.phone(DEVICE, "foreign")
    with Daemon(LAB.config()) as daemon:
        s_client_alert(daemon, "sip", credential)
        failure = daemon.wait_failure("unknown-ca")
    holds(failure["missingCa"], common_name(credential.cert, "issuer"))
    holds(failure["why"], failure["missingCa"])


def no_certificate(version, alert):
    with Daemon(config(version)) as daemon:
        same(s_client_alert(daemon, "sip", None, version), alert)
        failure = daemon.wait_failure("no-certificate")
    explained(failure, alert, "no-certificate")
    assert "presented" not in failure, failure
    holds(failure["cure"], "LSC")


def too_old_tls_reads_protocol_version(version):
    with Daemon(LAB.config()) as daemon:
        same(s_client_alert(daemon, "sip", LAB.phone(DEVICE), version), 70)
        failure = daemon.wait_failure("tls-alert-sent")
    explained(failure, 70, "tls-alert-sent")
    holds(failure["why"], f"the phone speaks TLS {version} at most")
    holds(failure["cure"], '"profile": "legacy"')


def no_common_cipher_reads_handshake_failure():
    with Daemon(LAB.config()) as daemon:
        words = s_client_words(daemon, "sip", LAB.phone(DEVICE), "1.2")
        words[words.index("-cipher") + 1] = "NULL-SHA:@SECLEVEL=0"
        holds(run(*words).stderr, "SSL alert number 40")
        failure = daemon.wait_failure("tls-alert-sent")
    explained(failure, 40, "tls-alert-sent")
    holds(failure["cure"], '"null_cipher": true')


def the_phones_console_shows_the_mirror_of_it():
    for leaf, key, alert, _ in REFUSED:
        credential = LAB.phone(DEVICE, leaf, key)
        for version in ("1.0", "1.2", "1.3"):
            with Daemon(config(version)) as daemon:
                report = call(daemon, "sccp", *credential_words(credential),
                              "--tls-max", version).outcome("alert")
                failure = daemon.failures()[0]
            same(report.only["alert"], alert, f"{leaf} in TLS {version}")
            holds(report.console,
                  "SECD: -STATE_SSL3_ALERT: " + failure["phoneConsole"])


def a_phone_without_an_lsc_says_so_and_tries_its_mic():
    credential = LAB.phone(DEVICE, "mic")
    with Daemon(LAB.config(devices={DEVICE: {"mic": True}})) as daemon:
        report = call(daemon, "sccp", *credential_words(credential))
    report.outcome("registered")
    holds(report.console, "SECD: -PXY_NO_LSC: No LSC for [SCCP], will try MIC",
          "cert [MIC]")


def gnutls_reads_the_same_alerts():
    program = needs("gnutls-cli")
    for leaf, key, alert, _ in REFUSED[:5]:
        credential = LAB.phone(DEVICE, leaf, key)
        with Daemon(config()) as daemon:
            said = run(program, "--insecure", "--port", daemon.port("sip"),
                       "--x509certfile", credential.cert,
                       "--x509keyfile", credential.key, LOOPBACK, input="\n",
                       stdin=None)
        holds(said.stdout + said.stderr, f"alert [{alert}]")


def gnutls_with_an_lsc_is_let_in():
    program = needs("gnutls-cli")
    credential = LAB.phone(DEVICE)
    with Daemon(LAB.config()) as daemon:
        said = run(program, "--insecure", "--port", daemon.port("sip"),
                   "--x509certfile", credential.cert,
                   "--x509keyfile", credential.key, LOOPBACK,
                   input="nonsense\r\n\r\n", stdin=None)
        daemon.wait_failure("sip-not-sip", device=DEVICE)
    holds(said.stdout, "Handshake was completed")


def curl_reads_unknown_ca():
    program = needs("curl")
    credential = LAB.phone(DEVICE, "foreign")
    with Daemon(LAB.config()) as daemon:
        said = run(program, "--insecure", "--silent", "--show-error",
                   "--cert", credential.cert, "--key", credential.key,
                   f"https://{LOOPBACK}:{daemon.port('sip')}/")
    holds(said.stderr, "unknown ca")


def facts():
    for leaf, key, alert, rule in REFUSED:
        what = f"{leaf} with {key}" if key.startswith("rsa1") else leaf
        for version in ("1.0", "1.2", "1.3"):
            for service in ("sccp", "sip"):
                yield fact(f"{what} reads {alert} {NAMES[alert]} over "
                           f"{service} and TLS {version}",
                           refused, leaf, key, alert, rule, service, version)
    yield the_missing_ca_is_named
    yield fact("no certificate reads 116 in TLS 1.3",
               no_certificate, "1.3", 116)
    yield fact("no certificate reads 40 in TLS 1.2",
               no_certificate, "1.2", 40)
    yield fact("no certificate reads 40 in TLS 1.0",
               no_certificate, "1.0", 40)
    for version in ("1.0", "1.1"):
        yield fact(f"TLS {version} reads 70 protocol version",
                   too_old_tls_reads_protocol_version, version)
    yield no_common_cipher_reads_handshake_failure
    yield the_phones_console_shows_the_mirror_of_it
    yield a_phone_without_an_lsc_says_so_and_tries_its_mic
    yield gnutls_reads_the_same_alerts
    yield gnutls_with_an_lsc_is_let_in
    yield curl_reads_unknown_ca


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
