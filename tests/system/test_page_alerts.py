# SPDX-License-Identifier: Apache-2.0
"""What the page says of what needs somebody, and of what changes meanwhile."""
import contextlib
import os
import shutil
import socket
import sqlite3
import sys
import time

import capf_client as capf
from admin import LAB, Admin, config, state_folder
from believers import free_port
from browser import Browser
from clients import Phones, call, credential_words, tcp
from daemon import Daemon
from harness import (DEADLINE_S, LOOPBACK, SLOW, good, holds, same, tap,
                     wait_until)
from lab import listener
from page_site import (HEIGHT, OLD, PENDING, REFUSED, STRANGER, WIDTH,
                       alert_says, break_trust, no_alert_says, open_sheet,
                       page_config, page_of, refuse_some, site, storm, text_of,
                       words_of)
from test_admission import arrived, asleep

READERS_MAX = 16  # of events
ROOM = 16  # for phones that wait, where more come than there is room for


def what_needs_somebody_stands_on_top():
    with site() as daemon, page_of(daemon) as browser:
        same(text_of(browser, "#alerts"), "")
        break_trust(daemon)
        alert_says(browser, "CallManager-trust was not taken over",
                   "broken.pem")


def halted_issuing_is_an_alert():
    """The clock is before what the ledger says, so CAPF issues nothing."""
    path = page_config()
    with Daemon(path) as daemon, Browser() as browser:
        admin = Admin(daemon)
        admin.say("device", "add", PENDING % 0)
        admin.say("capf", "install", PENDING % 0, "--no-reset",
                  "--mode", "null")
        capf.install(daemon.port("capf"), PENDING % 0, capf.Key(2048))
        browser.goto(daemon.url + "/")
        browser.wait(f"/issues.*1 installed/.test({words_of('#capf')})")
        no_alert_says(browser, "halted")
    records = sqlite3.connect(os.path.join(state_folder(), "capf.db"))
    with records:
        records.execute("UPDATE issued SET issued_at = issued_at + 86400")
    records.close()
    with Daemon(path) as daemon, Browser() as browser:
        browser.goto(daemon.url + "/")
        daemon.wait_event("capf-halted")
        alert_says(browser, "CAPF is halted", "Since", "clock",
                   "dialtone capf status")
        same(text_of(browser, "#capf .chip"), "halted")
        tap.none(browser.complaints)


def overload_is_an_alert_until_it_is_calm():
    """More phones come than there is room for while it sleeps."""
    with site(workers=1, limits={
            "handshakes": 2, "waiting": ROOM, "patience_ms": 600000}) \
            as daemon, page_of(daemon) as browser, \
            contextlib.ExitStack() as stack:
        browser.wait("/calm/.test(document.querySelector('#load')"
                     ".textContent)")
        with asleep(daemon):
            stack.enter_context(storm(
                daemon, "--burst", "--phones", 8 * ROOM, "--resume", "full",
                "--retry", 20, "--patience", 120, "--hold", 1,
                "--key", "p256", "--device", "SEP0200000D0000"))
            wait_until("the storm to arrive", lambda: arrived(
                daemon.port("sccp")) == 8 * ROOM, 6 * DEADLINE_S)
        alert_says(browser, "Overload", "More phones come than", "they wait")
        same(text_of(browser, "#load"), "load: overload")
        daemon.wait_event("admission-calm", seconds=60 * SLOW)
        no_alert_says(browser, "Overload")
        browser.wait("/calm/.test(document.querySelector('#load')"
                     ".textContent)")


def a_rollover_is_followed_to_its_end():
    """Two phones of the old root; one gets its LSC of the new one."""
    with rollover_site() as (daemon, admin), Browser() as browser:
        browser.look(width=WIDTH, height=HEIGHT)
        browser.goto(daemon.url + "/")
        browser.wait("/No CA is retiring, and no rollover/.test("
                     "document.querySelector('#leaving').textContent)")
        holds(text_of(browser, "#leaving"), "dialtone rollover start")
        admin.say("rollover", "start")
        browser.wait("/Rollover: .* → .*0 of 2 phones have their new/.test("
                     "document.querySelector('#leaving').textContent)",
                     15 + 2 * DEADLINE_S)
        admin.say("rollover", "issue")
        browser.wait("/2 of 2 phones have their new LSC/.test("
                     "document.querySelector('#leaving').textContent)",
                     60 * SLOW)
        holds(text_of(browser, "#leaving"), "100 %", "rollover finish")
        admin.say("rollover", "finish")
        browser.wait("!/Rollover: /.test("
                     "document.querySelector('#leaving').textContent)",
                     15 + 2 * DEADLINE_S)
        tap.none(browser.complaints)


FOLDERS = "capf", "CallManager-trust", "CAPF-trust"


@contextlib.contextmanager
def rollover_site():
    """Folders of its own: a rollover changes them all."""
    capf_folder, callmanager, enrol = (name + "-rolled" for name in FOLDERS)
    for name in FOLDERS:
        shutil.copytree(LAB.path(name), LAB.path(name + "-rolled"))
    with Daemon(config(
            listeners=[listener("sip", "tls"), listener("capf")],
            trust={"callmanager": callmanager, "capf": enrol},
            capf={"folder": capf_folder},
            limits={"patience_ms": 60000 * SLOW})) as daemon:
        admin = Admin(daemon)
        admin.words += ["--url", daemon.url]
        admin.say("profile", "add", "ec", "--key-order", "EC Only",
                  "--ec-bits", "256", "--transport", "tls", "--mode",
                  "encrypted")
        for i in range(2):
            admin.say("device", "add", PENDING % i, "--profile", "ec")
        with Phones(daemon, "sip", "--count", 2, "--device", PENDING % 0,
                    "--lab", LAB.dir, "--leaf", "lsc", "--capf",
                    f"{LOOPBACK}:{daemon.port('capf')}", "--auth", "lsc",
                    "--capf-when", "always", "--come-back",
                    "--capf-retry-ms", 1000):
            daemon.wait_registered(2)
            yield daemon, admin


# ---- what changes while somebody looks ----

def trust_may_change_meanwhile():
    with site() as daemon, page_of(daemon) as browser:
        before = len(daemon.get("/v1/trust")["list"])
        browser.wait(f"/{before} CAs in force/.test(document.querySelector("
                     "'#issuers .note').textContent)")
        folder = LAB.path("page-trust")
        good("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", os.devnull,
             "-subj", "/CN=Another", "-days", 20,
             "-addext", "keyUsage=critical,keyCertSign",
             "-out", os.path.join(folder, ".another"))
        os.rename(os.path.join(folder, ".another"),
                  os.path.join(folder, "another.pem"))
        browser.wait(f"/{before + 1} CAs in force/.test("
                     "document.querySelector('#issuers .note').textContent)",
                     15 + 2 * DEADLINE_S)
        alert_says(browser, "Certificates end within 30 days", "1 CA",
                   "dialtone trust expiry")


def a_restart_is_outlived_and_counts_nothing_twice():
    """The same port, another process: what it counts begins at 0 again."""
    port = free_port(socket.SOCK_STREAM)
    path = page_config(status={"port": port})
    with Daemon(path) as daemon:
        refuse_some(daemon)
        with Browser() as browser:
            browser.look(width=WIDTH, height=HEIGHT)
            browser.goto(daemon.url + "/")
            browser.wait("document.querySelectorAll('#refusals li').length")
            refused = sum(REFUSED.values()) + 1
            browser.wait(f"{NOTE}.startsWith('{refused} since the start')")
            daemon.stop()
            alert_says(browser, "does not answer")
            with Daemon(path) as again:
                browser.wait("document.querySelector('#live').textContent"
                             " === 'live'", 30 + 2 * DEADLINE_S)
                no_alert_says(browser, "does not answer")
                browser.wait(tiles_say("0/min0 since the start"))
                browser.wait("/Nobody was refused/.test("
                             f"{words_of('#refusals')})")
                call(again, "sip", "--no-certificate", "--device",
                     STRANGER % 1)
                with Phones(again, "sip", *credential_words(
                        LAB.phone(STRANGER % 99))):
                    browser.wait(tiles_say("1/min1 since the start"))
                    browser.wait(tiles_say("Registered1of 1 phone "))
                    same(browser.ask(NOTE), "1 since the start")
            browser.complaints.clear()  # of connections that were refused


def tiles_say(words):
    return f"{words_of('#tiles')}.includes('{words}')"


NOTE = "document.querySelector('#refusals .note').textContent"


def a_refusal_is_there_within_seconds():
    """And its explanation opens by search, from the keyboard alone."""
    with site() as daemon, page_of(daemon) as browser:
        before = browser.ask(NOTE)
        name = STRANGER % 77
        call(daemon, "sccp", *credential_words(LAB.phone(name, "expired")))
        since = time.monotonic()
        browser.wait(f"{NOTE} !== '{before}'", 5 * SLOW)
        tap.remark(f"shown after {time.monotonic() - since:.1f} s")
        browser.wait("[...document.querySelectorAll('#refusals li')].some(r "
                     "=> /Expired.*5$/.test([...r.querySelectorAll('.name, "
                     ".amount')].map(e => e.textContent).join(' ')))")
        browser.press("/")
        browser.type(name)
        browser.wait("document.querySelectorAll('#found [role=option]')"
                     ".length")
        browser.press("Enter")
        browser.wait("document.querySelector('dialog').open")
        browser.wait(f"document.querySelector('#sheet-title').textContent "
                     f"=== '{name}'")
        holds(text_of(browser, "#sheet"), "What it means", "What to do",
              "expired")
        same(browser.ask("document.querySelectorAll('#sheet code').length > 0"),
             True, "something to type")


def what_goes_and_what_ends_is_counted_down():
    with site() as daemon, page_of(daemon) as browser:
        leaving = daemon.get("/v1/trust/retiring")
        [anchor] = leaving["anchors"]
        said = text_of(browser, "#leaving")
        holds(said, "retiring", "2 phones", "ends in ", "days")
        same(anchor["devices"], 2)
        months = daemon.get("/v1/trust/expiry")["months"]
        cliff = max(months, key=lambda m: m["lsc"] + m["mic"])
        assert cliff["lsc"] + cliff["mic"] >= 2, months
        holds(text_of(browser, "#expiry svg"),
              f"{cliff['lsc'] + cliff['mic']} end in ")
        open_sheet(browser, f"leaving/{anchor['file']}")
        browser.wait("document.querySelectorAll('#sheet tbody tr').length"
                     " === 2")
        holds(text_of(browser, "#sheet"), OLD % 0, OLD % 1,
              "dialtone capf install")


def without_events_it_asks_every_two_seconds():
    with site() as daemon:
        readers = [tcp(daemon.port("status", "http"))
                   for _ in range(READERS_MAX)]
        for reader in readers:
            reader.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            holds(reader.recv(100).decode(), " 200 ")
        with page_of(daemon) as browser:
            same(text_of(browser, "#live"), "every 2 s")
            with Phones(daemon, "sip", *credential_words(
                    LAB.phone(STRANGER % 99))):
                browser.wait("document.querySelector('#tiles b').textContent"
                             " === '1'")
            browser.complaints.clear()  # of the 503
        for reader in readers:
            reader.close()


def it_says_so_when_nobody_answers():
    with site() as daemon, page_of(daemon) as browser:
        daemon.kill()
        browser.wait("/does not answer/.test(document.querySelector("
                     "'#alerts').textContent)", 30 + DEADLINE_S)
        same(text_of(browser, "#live"), "no answer")
        browser.complaints.clear()  # of connections that were refused


if __name__ == "__main__":
    sys.exit(tap.run(
        what_needs_somebody_stands_on_top,
        without_events_it_asks_every_two_seconds,
        it_says_so_when_nobody_answers,
        halted_issuing_is_an_alert,
        overload_is_an_alert_until_it_is_calm,
        a_rollover_is_followed_to_its_end,
        trust_may_change_meanwhile,
        a_restart_is_outlived_and_counts_nothing_twice,
        a_refusal_is_there_within_seconds,
        what_goes_and_what_ends_is_counted_down))
