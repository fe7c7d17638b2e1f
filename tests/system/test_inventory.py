# SPDX-License-Identifier: Apache-2.0
"""The inventory as phones meet it: who comes, what is seen, who is added."""
import sys
import time

from admin import LAB, Admin, config
from clients import PROTOCOLS, Phones, call, credential_words
from daemon import Daemon
from harness import SLOW, fact, holds, same, tap, wait_until

DEVICE = "SEP0200000000D2"


# ---- what phones show ----

def what_was_seen_outlives_a_restart():
    credential = LAB.phone(DEVICE)
    where = config()
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        admin.say("device", "add", DEVICE)
        with Phones(daemon, "sip", *credential_words(credential)) as phones:
            daemon.wait_phone(DEVICE, "registered")
            phones.leave()
        seen = admin.json("device", "show", DEVICE)["seen"]
        certificate = daemon.phone(DEVICE)["certificate"]
    same((seen["lsc"], seen["certificate"]["kind"]), ("installed", "LSC"))
    same({k: seen["certificate"][k] for k in certificate}, certificate)
    with Daemon(where) as daemon:
        same(Admin(daemon).json("device", "show", DEVICE)["seen"], seen)


def the_inventory_decides_who_comes():
    credential = LAB.phone(DEVICE)
    words = credential_words(credential)
    with Daemon(config(registration={"unknown": "refuse"})) as daemon:
        admin = Admin(daemon)
        call(daemon, "sip", *words).outcome("rejected")
        admin.say("device", "add", DEVICE)
        with Phones(daemon, "sip", *words):
            daemon.wait_phone(DEVICE, "registered")
        admin.say("device", "remove", DEVICE)
        call(daemon, "sip", *words).outcome("rejected")


# ---- auto-registration ----

def a_window_opens_closes_and_lasts():
    where = config()
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        same(admin.json("auto-registration", "show"), {"open": False})
        opened = admin.json("auto-registration", "open", "--for", "2h",
                            "--allow-plain")
        same((opened["open"], opened["allowPlain"]), (True, True))
        same(daemon.get("/v1/status")["inventory"]["autoRegistrationUntil"],
             opened["until"])
        daemon.kill()
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        same(admin.json("auto-registration", "show"), opened)
        holds(admin.say("auto-registration", "close"), "Closed")
        same(daemon.get("/v1/status")["inventory"], {"devices": 0})
        for until, why in (("2020-01-01T00:00:00Z", "over already"),
                           ("2099-01-01T00:00:00Z", "7 days"),
                           ("tomorrow", "until: must be")):
            holds(admin.refused("auto-registration", "open", "--until",
                                until), why)
        for words in (["--for", "8d"],):
            holds(admin.refused("auto-registration", "open", *words), "7 days")
        for words in ([], ["--for", "soon"], ["--for"], ["now"]):
            admin.refused("auto-registration", "open", *words, code=2)
        daemon.kill()
    with Daemon(where) as daemon:
        same(Admin(daemon).json("auto-registration", "show"), {"open": False})


def a_window_closes_by_itself():
    with Daemon(config()) as daemon:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                              time.gmtime(time.time() + 2 + SLOW))
        daemon.order("/v1/auto-registration", "POST", {"until": until})
        wait_until("the window to close", lambda: not daemon.order(
            "/v1/auto-registration", "GET")["open"])
        daemon.wait_event("auto-registration", state="closed",
                          why="its time is over")


def a_stranger_is_added_and_then_let_in(protocol, leaf):
    words = credential_words(LAB.phone(DEVICE, leaf, "p256", "--model",
                                       "CP-7975G"))
    where = config(registration={"unknown": "refuse"})
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        call(daemon, protocol, *words).outcome("rejected")
        daemon.wait_failure("unknown-device", device=DEVICE)
        admin.say("auto-registration", "open", "--for", "1h")
        with Phones(daemon, protocol, *words):
            daemon.wait_failure("being-added", device=DEVICE)
            daemon.wait_event("device-added", device=DEVICE)
            daemon.kill()  # it is on the disk before it is said
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        shown = admin.json("device", "show", DEVICE)
        same({k: shown[k] for k in ("protocol", "profile", "mic", "source")},
             {"protocol": protocol, "profile": "encrypted",
              "mic": leaf == "mic", "source": "inventory"})
        with Phones(daemon, protocol, *words):
            daemon.wait_phone(DEVICE, "registered")


def without_tls_a_stranger_needs_a_word_more():
    words = ["--device", DEVICE]
    with Daemon(config(registration={"unknown": "refuse"})) as daemon:
        admin = Admin(daemon)
        admin.say("auto-registration", "open", "--for", "1h")
        call(daemon, "sip", *words, transport="tcp").outcome("rejected")
        daemon.wait_failure("unknown-device", device=DEVICE)
        admin.say("auto-registration", "open", "--for", "1h", "--allow-plain")
        with Phones(daemon, "sip", *words, transport="tcp"):
            daemon.wait_event("device-added", device=DEVICE)
        same(admin.json("device", "show", DEVICE)["profile"], "non-secure")
        with Phones(daemon, "sip", *words, transport="tcp"):
            daemon.wait_phone(DEVICE, "registered")


if __name__ == "__main__":
    sys.exit(tap.run(
        what_was_seen_outlives_a_restart,
        the_inventory_decides_who_comes,
        a_window_opens_closes_and_lasts,
        a_window_closes_by_itself,
        *(fact(f"a stranger with its {leaf} is added over {protocol}",
               a_stranger_is_added_and_then_let_in, protocol, leaf)
          for protocol in PROTOCOLS for leaf in ("lsc", "mic")),
        without_tls_a_stranger_needs_a_word_more))
