# SPDX-License-Identifier: Apache-2.0
"""A phone with the old cluster's LSC, walked home; strangers let in."""
import json
import sys

from clients import PROTOCOLS, Phones, call, credential_words
from daemon import Daemon
from harness import DIALTONE, fact, good, holds, run, same, tap, wait_until
from lab import Lab, listener

LAB = Lab()
DEVICE = "SEP0200000000C1"
STRANGER = "SEP0200000000C2"


class Cluster:
    """A registrar with a state folder of its own, and its admin."""
    made = 0

    def __init__(self, **changes):
        Cluster.made += 1
        self.daemon = Daemon(LAB.config(
            state={"folder": f"cure-{Cluster.made}"},
            admin={"socket": "admin.sock"},
            registration={"unknown": "refuse"}, **changes))

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *error):
        return self.daemon.__exit__(*error)

    def admin(self, *words):
        return good(DIALTONE, "--socket", self.daemon.admin_socket, *words)

    def json(self, *words):
        return json.loads(self.admin(*words, "--json"))

    def call(self, protocol, credential, transport="tls"):
        words = credential_words(credential) if transport == "tls" else (
            "--device", credential.device)
        return call(self.daemon, protocol, *words, transport=transport)


def walked_home(protocol):
    """Old LSC, unknown CA; non-secure; its LSC deleted, ours installed;
    encrypted again (specs cucm-enumerations 6, last trap)."""
    old, ours = LAB.phone(DEVICE, "foreign"), LAB.phone(DEVICE, "lsc")
    with Cluster() as cluster:
        cluster.admin("device", "add", DEVICE, "--protocol", protocol)
        refused = cluster.call(protocol, old)
        same(refused.only["alert"], 48, refused.console)
        holds(refused.console, "[read]:[fatal]:[unknown CA]")
        cluster.daemon.wait_failure("unknown-ca", device=DEVICE)

        blocked = cluster.call(protocol, old, "tcp")
        same(blocked.only["outcome"], "rejected", "plain, while encrypted")
        cluster.daemon.wait_failure("security-mismatch", device=DEVICE)

        cluster.admin("device", "set", DEVICE, "--profile", "non-secure")
        cluster.call(protocol, old, "tcp").outcome("registered")
        shown = cluster.daemon.phone(DEVICE)
        same((shown["protocol"], shown["transport"]), (protocol, "tcp"))
        mismatch = cluster.call(protocol, ours)
        same(mismatch.only["outcome"], "rejected", "TLS, while non-secure")

        cluster.admin("device", "set", DEVICE, "--profile", "encrypted")
        cluster.call(protocol, ours).outcome("registered")
        shown = cluster.daemon.phone(DEVICE)
        same((shown["transport"], shown["certificate"]["kind"]),
             ("tls", "LSC"))


def or_by_its_mic(protocol):
    """The other cure: no LSC on the phone, and its MIC allowed."""
    mic = LAB.phone(DEVICE, "mic")
    with Cluster() as cluster:
        cluster.admin("device", "add", DEVICE, "--protocol", protocol)
        same(cluster.call(protocol, mic).only["outcome"], "rejected")
        failure = cluster.daemon.wait_failure("mic-not-allowed", device=DEVICE)
        cure = next(part for part in failure["cure"].split(", ")
                    if "--mic yes" in part)
        words = cure.split("dialtone ", 1)[1].split()
        cluster.admin(*words)  # exactly as the refusal says
        cluster.call(protocol, mic).outcome("registered")


def of_the_other_protocol(protocol):
    other = next(name for name in PROTOCOLS if name != protocol)
    with Cluster() as cluster:
        cluster.admin("device", "add", DEVICE, "--protocol", other)
        same(cluster.call(protocol, LAB.phone(DEVICE)).only["outcome"],
             "rejected")
        failure = cluster.daemon.wait_failure("protocol-mismatch",
                                              device=DEVICE)
        same(failure["reason"]["code"], 15, failure["why"])


def stranger_in_the_window(protocol, leaf):
    model = "CP-7975G" if protocol == "sccp" else "CP-8841"
    credential = LAB.phone(STRANGER, leaf, "p256", "--model", model)
    with Cluster() as cluster:
        same(cluster.call(protocol, credential).only["outcome"], "rejected")
        cluster.daemon.wait_failure("unknown-device", device=STRANGER)
        cluster.admin("auto-registration", "open", "--for", "10m")
        # A SIP phone waits as it is told, and comes again by itself.
        cluster.call(protocol, credential)
        failure = cluster.daemon.wait_failure("being-added", device=STRANGER)
        same(failure["reason"]["code"], 31, failure["why"])
        device = wait_until("the stranger's entry", lambda: next(iter(
            cluster.json("device", "list")["devices"]), None))
        same((device["name"], device["protocol"], device["profile"],
              device["mic"]),
             (STRANGER, protocol, "encrypted", leaf == "mic"))
        cluster.call(protocol, credential).outcome("registered")
        cluster.admin("auto-registration", "close")
        other = LAB.phone("SEP0200000000C3")
        same(cluster.call(protocol, other).only["outcome"], "rejected")
        cluster.daemon.wait_failure("unknown-device", device=other.device)
        cluster.call(protocol, credential).outcome("registered")


def transport_of_the_profile():
    credential = LAB.phone(DEVICE)
    listeners = [listener("sip", "tcp"), listener("sip", "udp")]
    with Cluster(listeners=listeners) as cluster:
        cluster.admin("profile", "add", "datagrams", "--mode", "non-secure",
                      "--transport", "udp")
        cluster.admin("device", "add", DEVICE, "--profile", "datagrams")
        same(cluster.call("sip", credential, "tcp").only["outcome"],
             "rejected", "over TCP")
        failure = cluster.daemon.wait_failure("transport-mismatch",
                                              device=DEVICE)
        same(failure["reason"]["code"], 28, failure["why"])
        cluster.call("sip", credential, "udp").outcome("registered")


def told_by_the_admin(protocol, verb, transport="tls"):
    """The phone reads it, does it, and is back."""
    words = credential_words(LAB.phone(DEVICE)) if transport == "tls" \
        else ("--device", DEVICE)
    with Cluster(listeners=[listener(protocol, transport)]) as cluster:
        cluster.admin("device", "add", DEVICE, "--profile",
                      "encrypted" if transport == "tls" else "non-secure")
        none = run(DIALTONE, "--socket", cluster.daemon.admin_socket, "phone",
                   verb, DEVICE)
        same(none.returncode, 1, "nobody is there")
        holds(none.stderr, DEVICE, "never registered")
        with Phones(cluster.daemon, protocol, *words,
                    transport=transport) as phones:
            before = cluster.daemon.wait_phone(DEVICE, "registered")
            cluster.admin("phone", verb, DEVICE)
            if (protocol, verb) == ("sip", "apply"):  # it need not leave
                cluster.daemon.wait_event("ordered", device=DEVICE)
                report = phones.leave()
                report.outcome("registered")
                return
            after = wait_until("the phone to come back", lambda: next(
                (shown for shown in [cluster.daemon.phone(DEVICE)]
                 if shown.get("registrations", 0) >
                 before["registrations"]), None))
            report = phones.leave()
        cluster.daemon.wait_event("admin", outcome="done")
    same(after["state"], "registered", report.console)


def facts():
    yield fact("the transport of a profile is kept to",
               transport_of_the_profile)
    for protocol in PROTOCOLS:
        name = protocol.upper()
        yield fact(f"an old cluster's {name} phone is walked home",
                   walked_home, protocol)
        yield fact(f"or a {name} phone comes by its MIC", or_by_its_mic,
                   protocol)
        yield fact(f"{name} phone of a device of the other protocol is told",
                   of_the_other_protocol, protocol)
        for leaf in ("lsc", "mic"):
            yield fact(f"{name} stranger with its {leaf.upper()} is added "
                       "while the window is open",
                       stranger_in_the_window, protocol, leaf)
        for verb in ("reset", "restart", "apply"):
            yield fact(f"{name} phone is told to {verb}", told_by_the_admin,
                       protocol, verb)
    yield fact("SIP phone is told over UDP", told_by_the_admin, "sip",
               "reset", "udp")


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
