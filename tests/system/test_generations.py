# SPDX-License-Identifier: Apache-2.0
"""Every generation of SCCP phones registers, over TCP and over TLS."""
import re
import sys

from clients import Phones, credential_words
from daemon import Daemon
from harness import PHONE, fact, good, holds, same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP02000000000A"

# name → model as status shows it, version offered, does Register say the load
GENERATIONS = {
    "7936": ("7936", 3, False),
    "7940-v3": ("7940", 3, False),
    "7912": ("7912", 7, False),
    "7960-v8": ("7960", 8, False),
    "7960": ("7960", 11, False),
    "7961-v11": ("7961", 11, True),
    "6961": ("6961", 15, False),
    "7941": ("7941", 17, True),
    "cipc": ("IP Communicator", 17, True),
    "7975": ("7975", 22, True),
    "8945": ("8945", 20, True),
    "8941": ("8941", 22, True),
    "spa504g": ("SPA504G", 8, False),
    "ata186": ("ATA186", 33, False),
}
# Their alarm is XML, which has a number for no such thing as a power-on.
XML_ALARM = ("7975", "8945", "8941")
LINES = [{"number": "2001", "label": "Reception"},
         {"number": "2002", "label": "Lobby"}]


def registers(name, transport):
    model, version, load = GENERATIONS[name]
    words = ["--device", DEVICE]
    device = {"profile": "non-secure", "lines": LINES}
    if transport == "tls":
        words = credential_words(LAB.phone(DEVICE))
        device = {"lines": LINES}
    with Daemon(LAB.config(devices={DEVICE: device})) as daemon, \
            Phones(daemon, "sccp", "--generation", name, *words,
                   transport=transport) as phones:
        daemon.wait_event("ready", device=DEVICE)
        shown = daemon.wait_phone(DEVICE, "registered")
        why = daemon.wait_event("alarm")
        report = phones.leave()
        gone = daemon.wait_event("unregistered", device=DEVICE)
        same(daemon.failures(), [], "refusals")
        same(daemon.events("ignored"), [], "what was ignored")
    report.outcome("registered")
    same((shown["transport"], shown["protocol"]), (transport, "sccp"))
    same(shown["sccpVersion"], version)
    same(gone.fields["reason"], "deviceUnregistered(10)")
    if transport == "tcp":
        same(shown["model"], model)
    same(shown.get("cameBackBecause"), None if name in XML_ALARM else
         "Initialized: it was powered on")
    if load or name not in XML_ALARM:
        assert shown["firmware"], shown
    holds(why.fields["said_by"].upper(), DEVICE)


def table_is_complete():
    """What dialtone-phone can speak as, is here."""
    text = good(PHONE, "--help")
    said = re.search(r"speak as one of (.*?)\(model", text, re.S).group(1)
    same(set(said.split()), set(GENERATIONS))


if __name__ == "__main__":
    sys.exit(tap.run(
        table_is_complete,
        *(fact(f"{name} registers over {transport}", registers, name,
               transport)
          for name in GENERATIONS for transport in ("tcp", "tls"))))
