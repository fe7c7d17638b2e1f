# SPDX-License-Identifier: Apache-2.0
"""A registrar that has seen something of each kind, and the page of it.

DIALTONE_PAGE_PHONES: how many stay registered where that is what the fact is
about.
"""
import contextlib
import glob
import os
import resource
import shutil
import subprocess

from admin import LAB, Admin, config
from browser import Browser
from clients import Phones, call, credential_words
from daemon import Daemon
from harness import (BUILD, DEADLINE_S, LOOPBACK, SANITIZER, SLOW, put_down,
                     tap, wait_until)
from lab import listener

STORM = os.path.join(BUILD, "bench", "dialtone-storm")
SHOTS = os.path.join(BUILD, "tests", "system", "page")

PHONES = int(os.environ.get("DIALTONE_PAGE_PHONES",
                            10000 if SANITIZER is None else 100))
CONNECTIONS = PHONES + 1500  # with those of the storm
WIDTH, HEIGHT = 1400, 1500

LSC, MIC, STRANGER = "SEP0200000A0000", "SEP0200000B0000", "SEP0200000C%04X"
OLD = "SEP02000001%04X"  # two of them hang on the CA that goes
PENDING = "SEP0200000E%04X"

# What refuses some of them, and by how many.
REFUSED = {"expired": 4, "wrong-name": 3, "self-signed": 2,
           "wrong-purpose": 1}


def name_of(first, i):
    return f"SEP{int(first[3:], 16) + i:012X}"


def page_config(limits=None, **changes):
    """With a CAPF, a CA that goes, and strangers let in by their LSC."""
    changes.setdefault("tls", {})["handshake_ms"] = 60000
    store = LAB.store("page-trust", "other-capf")
    for root in glob.glob(LAB.path("CAPF-trust", "CAPF-*.pem")):
        shutil.copy(root, store)  # of this CAPF, from an earlier start
    return config(
        listeners=[*LAB.base["listeners"],
                   listener("capf", profile="legacy")],
        capf={"folder": "capf-page"},
        trust={"callmanager": store,
               "capf": "CAPF-trust",
               "anchors": {"other-capf.pem": {"retiring": True}}},
        limits={"half_open_per_address": CONNECTIONS,
                "connections": CONNECTIONS,
                "patience_ms": 60000 * SLOW, **(limits or {})}, **changes)


def add_devices(admin):
    rows = [f"{name_of(MIC, i)},encrypted,yes" for i in range(PHONES // 10)]
    rows += [f"{PENDING % i},encrypted,no" for i in range(30)]
    rows += [f"{OLD % i},encrypted,no" for i in range(2)]
    text = "\n".join(["name,profile,mic", *rows, ""])
    admin.say("device", "import", *admin.import_text(text))
    for i in range(30):
        admin.say("capf", "install", PENDING % i, "--no-reset",
                  "--mode", "null" if i < 9 else "lsc")


def refuse_some(daemon):
    number = 1
    for leaf, times in REFUSED.items():
        for _ in range(times):
            call(daemon, "sccp", *credential_words(
                LAB.phone(STRANGER % number, leaf)))
            number += 1
    call(daemon, "sip", "--no-certificate", "--device", STRANGER % number)


@contextlib.contextmanager
def site(**changes):
    """A daemon that has seen something of each kind."""
    with Daemon(page_config(**changes)) as daemon:
        add_devices(Admin(daemon))
        for i in range(2):
            call(daemon, "sccp", *credential_words(
                LAB.phone(OLD % i, "foreign")))
        refuse_some(daemon)
        wait_until("whose certificates hang on the CA that goes", lambda:
                   daemon.get("/v1/trust/retiring")["count"] == 2)
        yield daemon


def fleet(daemon, protocol, first, count, *words):
    """Patient: on a slow machine who asks again costs another handshake."""
    return Phones(daemon, protocol, "--count", count, "--lab", LAB.dir,
                  "--device", first, "--line", "200000", "--rate",
                  400 // SLOW, "--timeout", 60, "--come-back", *words)


@contextlib.contextmanager
def storm(daemon, *words):
    """Phones that come and go until it is over."""
    process = subprocess.Popen(
        [STORM, "--lab", LAB.dir, "--server",
         f"{LOOPBACK}:{daemon.port('sccp')}", "--quiet",
         *map(str, words)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        put_down(process)


@contextlib.contextmanager
def stormy():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CONNECTIONS + 500:
        raise tap.Skip("the limit of open files is too low for it")
    mics = PHONES // 10
    half = (PHONES - mics) // 2
    with site() as daemon, \
            fleet(daemon, "sccp", LSC, half), \
            fleet(daemon, "sip", name_of(LSC, half), PHONES - mics - half), \
            fleet(daemon, "sip", MIC, mics, "--leaf", "mic"):
        wait_until("the fleet", lambda: daemon.registered() >= PHONES,
                   60 * SLOW + PHONES // 50)
        lasts = ["--phones", 300, "--seconds", 80000]
        with storm(daemon, *lasts, "--rate", 40, "--think", "1-5",
                   "--mix", "lsc=90,mic=10", "--device", "SEP0200000D0000"), \
                storm(daemon, *lasts, "--rate", 10, "--resume", "full",
                      "--device", "SEP0200000F0000"):
            yield daemon


@contextlib.contextmanager
def page_of(daemon, **look):
    """The page, once it has all its figures; it complains of nothing."""
    with Browser() as browser:
        browser.look(width=WIDTH, height=HEIGHT, **look)
        browser.goto(daemon.url + "/")
        browser.wait("document.querySelector('#tiles b').textContent !== '–'")
        browser.wait("document.querySelectorAll('#issuers li').length > 0")
        browser.wait("document.querySelectorAll('#refusals li').length > 0")
        yield browser
        tap.none(browser.complaints)
        tap.none(url for url in browser.asked if not url.startswith(
            (daemon.url + "/", "data:image/svg+xml")))


def text_of(browser, selector):
    return browser.ask(
        f"document.querySelector('{selector}').textContent")


def shot(browser, name, **options):
    os.makedirs(SHOTS, exist_ok=True)
    path = browser.shot(os.path.join(SHOTS, name + ".png"), **options)
    size = os.path.getsize(path)
    assert size > 20000, f"{path}: {size} bytes are no picture of it"
    tap.remark(path)


def break_trust(daemon):
    with open(LAB.path("page-trust", "broken.pem"), "w",
              encoding="ascii") as f:
        f.write("-----BEGIN CERTIFICATE-----\nno\n"
                "-----END CERTIFICATE-----\n")
    daemon.wait_event("reload-refused")


def open_sheet(browser, where):
    browser.ask(f"void (location.hash = '{where}')")
    browser.wait("document.querySelector('dialog').open")


def words_of(selector):
    return f"document.querySelector('{selector}').textContent"


def alert_says(browser, *words):
    """One alert is there that says all of it, in that order."""
    browser.wait(f"/{'.*'.join(words)}/.test({words_of('#alerts')})",
                 15 + 2 * DEADLINE_S)


def no_alert_says(browser, words):
    browser.wait(f"!/{words}/.test({words_of('#alerts')})",
                 15 + 2 * DEADLINE_S)
