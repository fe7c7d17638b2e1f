# SPDX-License-Identifier: Apache-2.0
"""Numbers of certificates by issuer and by month, after a storm of phones.

DIALTONE_CENSUS_PHONES: how many come at once.
"""
import contextlib
import os
import resource
import sys

from admin import LAB, config
from clients import Phones
from daemon import Daemon
from harness import SANITIZER, SLOW, same, tap, wait_until
from lab import common_name
from test_metrics import page_of

PHONES = int(os.environ.get("DIALTONE_CENSUS_PHONES",
                            1000 if SANITIZER is None else 200))
MICS = PHONES // 10
CONNECTIONS = PHONES + 500
LSC, MIC = "SEP0200000A0000", "SEP0200000B0000"
LIMITS = {"half_open_per_address": CONNECTIONS, "connections": CONNECTIONS,
          "patience_ms": 60000 * SLOW}


def fleet(daemon, protocol, first, count, *words):
    return Phones(daemon, protocol, "--count", count, "--lab", LAB.dir,
                  "--device", first, "--line", "200000", "--come-back",
                  "--rate", 300 // SLOW, "--timeout", 60, *words)


def mic_of(i):
    return f"SEP{int(MIC[3:], 16) + i:012X}"


@contextlib.contextmanager
def stormed(settings):
    """All come at once: strangers with an LSC, devices with their MIC."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CONNECTIONS + 500:
        raise tap.Skip("the limit of open files is too low for it")
    with Daemon(settings(limits=LIMITS, tls={"handshake_ms": 60000}, devices={
            mic_of(i): {"profile": "encrypted", "mic": True}
            for i in range(MICS)})) as daemon, \
            fleet(daemon, "sccp", LSC, PHONES - MICS), \
            fleet(daemon, "sip", MIC, MICS, "--leaf", "mic"):
        wait_until("the fleet", lambda: daemon.registered() == PHONES,
                   60 * SLOW + PHONES // 50)
        yield daemon


def sums(daemon):
    """Devices by kind of their anchor, certificates by kind."""
    anchors = daemon.get("/v1/trust")["list"]
    months = daemon.get("/v1/trust/expiry")["months"]
    lsc_issuer = common_name(LAB.path("ca", "capf.pem"))
    return {
        "of the LSCs' issuer": sum(
            a["devices"] for a in anchors
            if f"CN={lsc_issuer}" in a["subject"]),
        "of all issuers": sum(a["devices"] for a in anchors),
        "LSCs by month": sum(m["lsc"] for m in months),
        "MICs by month": sum(m["mic"] for m in months)}


def every_phone_is_counted(daemon):
    """Also those whose certificate is not kept."""
    expected = {"of the LSCs' issuer": PHONES - MICS,
                "of all issuers": PHONES,
                "LSCs by month": PHONES - MICS, "MICs by month": MICS}
    said = {}

    def counted():
        said.update(sums(daemon))
        return said == expected
    with contextlib.suppress(AssertionError):
        wait_until("the census", counted)
    same(said, expected)
    status, page = daemon.get("/v1/status"), page_of(daemon)
    phones = status["phones"]
    same((phones["tls"], phones["lsc"], phones["mic"]),
         (PHONES, PHONES - MICS, MICS))
    for labels, expected in (
            ({}, PHONES), ({"security": "encrypted"}, PHONES),
            ({"protocol": "sccp", "certificate": "lsc"}, PHONES - MICS),
            ({"protocol": "sip", "certificate": "mic"}, MICS)):
        same(page.sum("dialtone_registered", **labels), expected, f"{labels}")
    # Each handshake is in each of these once, with whoever came again.
    whole = page.sum("dialtone_handshakes_total", result="ok")
    assert whole >= PHONES, whole
    for name in ("version_total", "cipher_total", "anchor_total"):
        same(page.sum(f"dialtone_handshakes_{name}"), whole, name)
    same(page.sum("dialtone_handshake_seconds_count"), whole)
    same(page.sum("dialtone_phones_certificates_dropped_total"), 0)


def a_storm_is_counted_whole():
    with stormed(config) as daemon:
        every_phone_is_counted(daemon)


def also_where_nothing_is_kept():
    """Without a state folder there are certificates of 200."""
    with stormed(LAB.config) as daemon:
        every_phone_is_counted(daemon)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_storm_is_counted_whole,
        also_where_nothing_is_kept))
