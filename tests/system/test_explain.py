# SPDX-License-Identifier: Apache-2.0
"""dialtone explain: a device, a phone's console log, a capture, in words."""
import glob
import json
import os
import re
import subprocess
import sys
import time

import pcap
from clients import (Phones, call, credential_words, s_client_alert,
                     s_client_visit)
from daemon import Daemon
from harness import (DEADLINE_S, DIALTONE, LOOPBACK, SANITIZER, alive, fact,
                     good, holds, needs, put_down, run, same, tap, wait_until)
from lab import Lab, common_name
from proxy import Proxy, Through

LAB = Lab()
DEVICE = "SEP020000000001"
SOURCE = os.environ["DIALTONE_SOURCE"]

LOG = """\
3469 NOT 00:01:31.935298 SECD: -PXY_CERT_CIPHER: [SCCP], [TLSv1], cert [LSC], \
cipher [AES256-SHA:AES128-SHA]
3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: SSL3 alert \
[read]:[fatal]:[unknown CA
3490 NOT 00:01:32.000000 SECD: clpTvsInit: something else
"""


def explain(*words):
    return json.loads(good(DIALTONE, "--json", "explain", *words))


def told(*words):
    """The only explanation."""
    said = explain(*words)
    same(len(said["explanations"]), 1, f"explanations of {said}")
    return said["explanations"][0]


def write(name, text):
    path = LAB.path(name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


# ---- a console log ----

def a_log_is_told_in_words():
    path = write("console.log", LOG)
    said = good(DIALTONE, "explain", "--log", path, DEVICE)
    flat = " ".join(said.split())
    holds(flat, "The phone opened TLS for SCCP (TLSv1) with its LSC",
          'the fatal alert "unknown CA" (48)',
          "rule: unknown-ca", "SSL3 alert [read]:[fatal]:[unknown CA]",
          "SSL3 alert [write]:[fatal]:[unknown CA]",
          f"dialtone device set {DEVICE} --profile non-secure",
          "3 lines were read", "1 of a phone that are not explained here")
    assert max(map(len, said.splitlines())) <= 80, said
    same(told("--log", path)["certificate"], "LSC")


def what_cannot_be_read_is_said():
    for words in (("--log", LAB.path("absent")), ("--log", LAB.dir),
                  ("--pcap", LAB.path("absent")), ("--pcap", LAB.dir),
                  ("--pcap", write("no.pcap", "this is no capture\n"))):
        done = run(DIALTONE, "explain", *words)
        same(done.returncode, 1, f"exit of {words}")
        holds(done.stderr, words[1])
    for words in ((), ("--log",), ("a", "b"), ("--pcap", "x", "--log", "y"),
                  ("--what",)):
        same(run(DIALTONE, "explain", *words).returncode, 2, f"{words}")


# ---- a capture ----

def record(daemon, credential, version, name="x", service="sip", **how):
    """The bytes of one client's visit, as a capture file."""
    proxy = Proxy(daemon.port(service))
    s_client_alert(Through(proxy.port), service, credential, version)
    proxy.join()
    return keep(proxy, name, **how)


def keep(proxy, name, port=5061, **how):
    path = LAB.path(f"{name}.pcap")
    how.setdefault("start", int(time.time()))
    with pcap.Writer(path, port, **how) as capture:
        for way, data in proxy.bytes:
            capture.write(way, data)
    return path


def an_old_lsc_is_seen_in_a_capture():
    phone = LAB.phone(DEVICE, "foreign")
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, phone, "1.2")
    said = told("--pcap", path)
    cert = said["certificate"]
    same((cert["kind"], cert["device"], cert["expired"]),
         ("LSC", DEVICE, False))
    holds(cert["issuer"], common_name(phone.cert, "issuer"))
    same((said["rule"], said["alert"]["number"], said["alert"]["sentBy"]),
         ("unknown-ca", 48, "server"))
    same((said["tlsVersion"], said["handshake"]), ("TLSv1.2", "unfinished"))
    assert said["cipher"] in said["ciphersOffered"], said
    same((said["client"], said["clientPort"], said["server"],
          said["serverPort"], said["service"]),
         ("10.0.0.2", 50000, "10.0.0.1", 5061, "SIP over TLS"))
    holds(said["phoneConsole"], "[read]:[fatal]:[unknown CA]")
    holds(" ".join(said["cure"]), f"device set {DEVICE} --profile non-secure")
    words = good(DIALTONE, "explain", "--pcap", path)
    holds(" ".join(words.split()), f"The phone showed an LSC, {DEVICE} issued by")


def leaves_are_told_apart(leaf, kind, rule):
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, leaf and LAB.phone(DEVICE, leaf), "1.2")
    said = told("--pcap", path)
    same((said.get("certificate", {}).get("kind"), said["rule"]),
         (kind, rule), said["what"])


def tls13_hides_the_certificate():
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, LAB.phone(DEVICE, "foreign"), "1.3")
    said = told("--pcap", path)
    same((said["tlsVersion"], said["rule"]), ("TLSv1.3", "tls13-unseen"))
    assert "certificate" not in said, said
    holds(said["what"], "certificates are encrypted")


def a_resumed_handshake_is_called_so():
    phone = LAB.phone(DEVICE)
    session = LAB.path("session")
    with Daemon(LAB.config()) as daemon:
        s_client_visit(daemon, "sip", phone, "1.2", "-sess_out", session)
        proxy = Proxy(daemon.port("sip"))
        assert s_client_visit(Through(proxy.port), "sip", phone, "1.2",
                              "-sess_in", session)
        proxy.join()
    said = told("--pcap", keep(proxy, "resumed"))
    same((said["handshake"], said["rule"]), ("resumed", "let-in"))
    holds(said["what"], "resuming an earlier session")


def too_old_a_version_is_refused_in_a_capture():
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, LAB.phone(DEVICE), "1.1")
    said = told("--pcap", path)
    same((said["tlsVersionOffered"], said["rule"]),
         ("TLSv1.1", "tls-alert-sent"))
    same(said["alert"]["name"], "protocol version")


def every_shape_of_capture_tells_the_same():
    with Daemon(LAB.config()) as daemon:
        proxy = Proxy(daemon.port("sip"))
        s_client_alert(Through(proxy.port), "sip",
                       LAB.phone(DEVICE, "foreign"), "1.2")
        proxy.join()
    wanted = told("--pcap", keep(proxy, "plain"))
    for shape in pcap.SHAPES:
        for ipv6 in (False, True):
            for ng in (False, True):
                name = f"{shape}-{ipv6}-{ng}"
                said = told("--pcap", keep(proxy, name, shape=shape,
                                           ipv6=ipv6, ng=ng))
                same(said["server"], "fd00::1" if ipv6 else "10.0.0.1", name)
                for key in ("what", "certificate", "rule"):
                    same(said[key], wanted[key], f"{key} of {name}")


def twisted(frames):
    """Late, twice, and twice again."""
    out = list(frames)
    for i in range(1, len(out) - 1, 3):
        out[i], out[i + 1] = out[i + 1], out[i]
    return [frame for one in out for frame in (one, one)] + frames


def disorder_is_put_in_order():
    # Each end's bytes in pieces; the order between the ends is kept.
    with Daemon(LAB.config()) as daemon:
        proxy = Proxy(daemon.port("sip"))
        s_client_alert(Through(proxy.port), "sip",
                       LAB.phone(DEVICE, "foreign"), "1.2")
        proxy.join()
    wanted = told("--pcap", keep(proxy, "straight"))
    mss, pcap.Writer.MSS = pcap.Writer.MSS, 200
    try:
        path = keep(proxy, "twisted", rearrange=twisted)
        gap = keep(proxy, "gap", rearrange=lambda f: f[:4] + f[5:])
    finally:
        pcap.Writer.MSS = mss
    said = told("--pcap", path)
    for key in ("what", "certificate", "rule"):
        same(said[key], wanted[key], key)
    same(told("--pcap", gap)["missingBytes"], 200)


def only_the_one_asked_for_is_told():
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, LAB.phone(DEVICE), "1.2")
    same(len(explain("--pcap", path, DEVICE.lower())["explanations"]), 1)
    said = explain("--pcap", path, "SEP0200000000FF")
    same((len(said["explanations"]), said["tls"]), (0, 1))


def a_capture_that_ends_in_the_middle_is_refused():
    with Daemon(LAB.config()) as daemon:
        path = record(daemon, LAB.phone(DEVICE), "1.2")
    with open(path, "r+b") as f:
        f.truncate(os.path.getsize(path) - 5)
    done = run(DIALTONE, "explain", "--pcap", path)
    same(done.returncode, 1)
    holds(done.stderr, path, "damaged after")


def plain_registrations_are_told(protocol, text):
    """A phone without TLS, and what it was told."""
    port = {"sccp": 2000, "sip": 5060}[protocol]
    with Daemon(LAB.config(devices=SECURE)) as daemon:
        proxy = Proxy(daemon.port(protocol, "tcp"))
        call(Through(proxy.port), protocol, "--device", DEVICE,
             transport="tcp")
        proxy.join()
    path = keep(proxy, f"plain-{protocol}", port)
    said = told("--pcap", path, DEVICE)
    same((said["rule"], said["registers"]["device"],
          said["registers"]["protocol"], said["registers"]["outcome"]),
         ("register-refused", DEVICE, protocol, "refused"))
    holds(said["registers"]["text"], text)
    holds(good(DIALTONE, "explain", "--pcap", path), f"explain {DEVICE}")
    same(explain("--pcap", path)["tls"], 0)


def a_real_capture_is_read():
    """What dumpcap hears on loopback."""
    dumpcap = needs("dumpcap")
    path = LAB.path("real.pcapng")
    phone = LAB.phone(DEVICE, "foreign")
    with Daemon(LAB.config()) as daemon:
        port = daemon.port("sip")
        words = [dumpcap, "-q", "-i", "lo", "-w", path, "-f",
                 f"tcp port {port}"]
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        try:
            wait_until("dumpcap to listen", lambda: not alive(process) or
                       os.path.exists(path))
            if not alive(process):
                raise tap.Skip("dumpcap may not listen here: " +
                               process.stderr.read().decode().strip())

            def heard():
                s_client_alert(daemon, "sip", phone, "1.2")
                return os.path.getsize(path) > 3000
            wait_until("dumpcap to write", heard)
            process.terminate()
            process.wait(DEADLINE_S)
        finally:
            put_down(process)
            process.stderr.close()
        said = explain("--pcap", path)["explanations"]
    whole = [one for one in said if one["rule"] == "unknown-ca"]
    assert whole, said
    same((whole[0]["server"], whole[0]["serverPort"],
          whole[0]["certificate"]["kind"]), (LOOPBACK, port, "LSC"))


# ---- a device ----

def of(daemon, name, *words):
    return json.loads(good(DIALTONE, "--url", daemon.url, "--json", *words,
                           "explain", name))


def the_great_case_is_explained():
    """A phone with the old cluster's LSC, from refusal to cure."""
    with Daemon(LAB.config()) as daemon:
        call(daemon, "sccp", *credential_words(
            LAB.phone(DEVICE, "foreign"))).outcome("alert")
        daemon.wait_failure("unknown-ca")
        said = good(DIALTONE, "--url", daemon.url, "explain", DEVICE)
        facts = of(daemon, DEVICE)
    flat = " ".join(said.split())
    holds(flat, f"{DEVICE} is not registered", "The rule unknown-ca refused",
          "LSC of another cluster",
          "SSL3 alert [read]:[fatal]:[unknown CA]",
          f"dialtone device set {DEVICE} --profile non-secure",
          f"dialtone capf install {DEVICE} --mode null",
          f"dialtone device set {DEVICE} --profile encrypted",
          f"dialtone phone reset {DEVICE}", "--mic yes")
    same((facts["state"], facts["rule"]), ("rejected", "unknown-ca"))
    assert max(map(len, said.splitlines())) <= 80, said


def refusals_are_explained(rule, arguments, devices, transport="tls"):
    with Daemon(LAB.config(devices=devices,
                           registration={"unknown": "refuse"})) as daemon:
        call(daemon, "sccp", *arguments(), transport=transport)
        daemon.wait_failure(rule)
        said = of(daemon, DEVICE)
    same((said["state"], said["rule"]), ("rejected", rule), said["what"])
    assert any(DEVICE in step for step in said["cure"]), said


def one_that_is_in_or_was_is_explained():
    with Daemon(LAB.config()) as daemon:
        with Phones(daemon, "sip", *credential_words(
                LAB.phone(DEVICE))) as phone:
            daemon.wait_registered(1)
            said = of(daemon, DEVICE)
            same((said["state"], said["rule"]), ("registered", "registered"))
            holds(said["what"], "is registered since", "with its LSC")
            phone.leave()
        daemon.wait_phone(DEVICE, "unregistered")
        said = of(daemon, DEVICE)
        same((said["state"], said["rule"]),
             ("unregistered", "deviceUnregistered"))
        never = of(daemon, "SEP0200000000FF")
    same(never["state"], "unknown")
    holds(never["rule"], "never-seen")


def the_inventory_is_asked_for_one_that_never_came():
    changes = {"admin": {"socket": LAB.path("admin.sock")}, "devices": SECURE}
    with Daemon(LAB.config(**changes)) as daemon:
        said = of(daemon, DEVICE)
        same((said["state"], said["rule"]), ("unknown", "never-seen"))
        holds(said["what"], "profile encrypted, MIC not allowed",
              "configuration file")
        same(of(daemon, "SEP0200000000FF")["rule"], "never-seen-unknown")


def without_a_registrar_it_says_so():
    done = run(DIALTONE, "--url", f"http://{LOOPBACK}:1", "explain", DEVICE)
    same(done.returncode, 1)
    holds(done.stderr, "Is dialtoned running?")


# ---- rules ----

def every_rule_in_the_source_has_its_paragraph():
    with open(os.path.join(SOURCE, "registrar/explain/rules.c"),
              encoding="utf-8") as f:
        known = set(re.findall(r'^\t\{"([a-z0-9-]+)", "', f.read(), re.M))
    found = set()
    for path in glob.glob("registrar/**/*.c", root_dir=SOURCE,
                          recursive=True):
        if path.startswith(("registrar/explain/", "registrar/ctl/")):
            continue
        with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
            text = f.read()
        if path == "registrar/admit.c":
            found |= set(re.findall(
                r'\brefuse\(\s*\w+,[^";]*?"([a-z0-9-]+)"', text))
        found |= set(re.findall(
            r'\.rule(?:\),| =) "([a-z0-9-]+)"', text))
        found |= set(re.findall(
            r'service_fault\([^";]*?"([a-z0-9-]+)"', text))
    assert {"unknown-device", "name-mismatch", "half-open-per-address",
            "not-reading"} <= found, found
    same(found - known, set(), "rules without a paragraph")


def every_command_in_a_cure_is_there():
    with open(os.path.join(SOURCE, "registrar/explain/rules.c"),
              encoding="utf-8") as f:
        # Texts run over lines of C.
        text = re.sub(r'"\s*(?:\\\s*)?"', "", f.read())
    usage = good(DIALTONE, "--help")
    there = set(re.findall(r"^  ([a-z-]+) +([a-z-]*)", usage, re.M))
    nouns = {noun for noun, _ in there}
    used = set(re.findall(r"dialtone ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?",
                          text))
    assert len(used) > 8, used
    same({(noun, verb) for noun, verb in used
          if noun not in nouns or (verb and (noun, "") not in there
                                   and (noun, verb) not in there)},
         set(), "commands that are not there")


PLAIN = {DEVICE: {"profile": "non-secure"}}
SECURE = {DEVICE: {"profile": "encrypted"}}


def named(*words):
    return lambda: ("--device", DEVICE, *words)


def with_leaf(leaf):
    return lambda: credential_words(LAB.phone(DEVICE, leaf))


if __name__ == "__main__":
    sys.exit(tap.run(
        a_log_is_told_in_words,
        what_cannot_be_read_is_said,
        an_old_lsc_is_seen_in_a_capture,
        *(fact(f"a capture shows {leaf or 'no certificate'} as {kind}, {rule}",
               leaves_are_told_apart, leaf, kind, rule)
          for leaf, kind, rule in (("lsc", "LSC", "let-in"),
                                   ("mic", "MIC", "let-in"),
                                   ("expired", "LSC", "expired"),
                                   ("not-yet-valid", "LSC", "not-yet-valid"),
                                   ("wrong-purpose", "LSC", "wrong-purpose"),
                                   ("self-signed", "unknown", "unknown-ca"),
                                   (None, None, "no-certificate"))),
        tls13_hides_the_certificate,
        a_resumed_handshake_is_called_so,
        too_old_a_version_is_refused_in_a_capture,
        every_shape_of_capture_tells_the_same,
        disorder_is_put_in_order,
        only_the_one_asked_for_is_told,
        a_capture_that_ends_in_the_middle_is_refused,
        *(fact(f"a {protocol} registration in the clear is told",
               plain_registrations_are_told, protocol, text)
          for protocol, text in (("sccp", "TLS required"),
                                 ("sip", "expected TLS"))),
        a_real_capture_is_read,
        the_great_case_is_explained,
        *(fact(f"a refusal by {rule} is explained", refusals_are_explained,
               rule, *how) for rule, *how in (
                   ("unknown-device", with_leaf("lsc"), {}),
                   ("security-mismatch", with_leaf("lsc"), PLAIN),
                   ("security-mismatch", named(), SECURE, "tcp"),
                   ("mic-not-allowed", with_leaf("mic"), SECURE),
                   ("expired", with_leaf("expired"), SECURE))),
        one_that_is_in_or_was_is_explained,
        the_inventory_is_asked_for_one_that_never_came,
        without_a_registrar_it_says_so,
        every_command_in_a_cure_is_there,
        every_rule_in_the_source_has_its_paragraph))
