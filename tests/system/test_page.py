# SPDX-License-Identifier: Apache-2.0
"""The page at `/`, in headless Chromium, with a fleet and a storm behind it.

DIALTONE_PAGE_PHONES: how many stay registered; DIALTONE_PAGE_KNOWN: how many
are known at all where that is what the fact is about.
"""
import base64
import contextlib
import hashlib
import http.client
import os
import re
import resource
import subprocess
import sys

import sccp
from admin import LAB, Admin, config
from browser import Browser
from clients import Phones, call, credential_words, tcp
from daemon import Daemon
from harness import (BUILD, DEADLINE_S, LOOPBACK, SANITIZER, SLOW, holds,
                     needs, put_down, same, tap, wait_until)
from lab import listener

STORM = os.path.join(BUILD, "bench", "dialtone-storm")
SHOTS = os.path.join(BUILD, "tests", "system", "page")

PHONES = int(os.environ.get("DIALTONE_PAGE_PHONES",
                            10000 if SANITIZER is None else 100))
KNOWN = int(os.environ.get("DIALTONE_PAGE_KNOWN",
                           50000 if SANITIZER is None else 1000))
AT_ONCE = 5000  # of KNOWN that are registered at one time
READERS_MAX = 16  # of events
CONNECTIONS = PHONES + 1500  # with those of the storm
WIDTH, HEIGHT = 1400, 1500

LSC, MIC, STRANGER = "SEP0200000A0000", "SEP0200000B0000", "SEP0200000C%04X"
OLD = "SEP02000001%04X"  # two of them hang on the CA that goes
PENDING = "SEP0200000E%04X"
EVIL = "<i id=evil>"  # what fits into a name's sixteen bytes

# What refuses some of them, and by how many.
REFUSED = {"expired": 4, "wrong-name": 3, "self-signed": 2,
           "wrong-purpose": 1}


def name_of(first, i):
    return f"SEP{int(first[3:], 16) + i:012X}"


def page_config(**changes):
    """With a CAPF, a CA that goes, and strangers let in by their LSC."""
    return config(
        listeners=[*LAB.base["listeners"],
                   listener("capf", profile="legacy")],
        capf={"folder": "capf-page"},
        trust={"callmanager": LAB.store("page-trust", "other-capf"),
               "capf": "CAPF-trust",
               "anchors": {"other-capf.pem": {"retiring": True}}},
        limits={"half_open_per_address": CONNECTIONS,
                "connections": CONNECTIONS,
                "patience_ms": 60000 * SLOW}, **changes)


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
    return Phones(daemon, protocol, "--count", count, "--lab", LAB.dir,
                  "--device", first, "--line", "200000",
                  "--rate", 1000 // SLOW, "--come-back", *words)


@contextlib.contextmanager
def storm(daemon, *words):
    """Phones that come and go until it is over."""
    process = subprocess.Popen(
        [STORM, "--lab", LAB.dir, "--server",
         f"{LOOPBACK}:{daemon.port('sccp')}", "--phones", "300",
         "--seconds", "80000", "--quiet", *words],
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
        with storm(daemon, "--rate", "40", "--think", "1-5",
                   "--mix", "lsc=90,mic=10", "--device", "SEP0200000D0000"), \
                storm(daemon, "--rate", "10", "--resume", "full",
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


# ---- what is served ----

def headers_of(daemon, path, method="GET"):
    client = http.client.HTTPConnection(
        LOOPBACK, daemon.port("status", "http"), timeout=DEADLINE_S)
    client.request(method, path)
    answer = client.getresponse()
    text = answer.read().decode()
    client.close()
    return answer.status, answer.headers, text


def the_page_may_run_its_own_script_and_nothing_else():
    with Daemon(LAB.config()) as daemon:
        status, headers, html = headers_of(daemon, "/")
        head = headers_of(daemon, "/", "HEAD")
        post = headers_of(daemon, "/", "POST")
        other = headers_of(daemon, "/v1/status")
    same((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
    same((head[0], head[2], post[0]), (200, "", 405))
    same(headers["X-Content-Type-Options"], "nosniff")
    rules = dict(rule.split(" ", 1) for rule in
                 headers["Content-Security-Policy"].split("; "))
    for tag in ("script", "style"):
        text = re.search(f"<{tag}>(.*?)</{tag}>", html, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
        same(rules[f"{tag}-src"], f"'sha256-{digest.decode()}'")
    same({k: rules[k] for k in ("default-src", "connect-src", "base-uri",
                                "frame-ancestors")},
         {"default-src": "'none'", "connect-src": "'self'",
          "base-uri": "'none'", "frame-ancestors": "'none'"})
    same(rules["require-trusted-types-for"], "'script'")
    same(other[1]["Content-Security-Policy"], None, "the policy of JSON")
    with open(os.path.join(os.environ["DIALTONE_SOURCE"], "registrar",
                           "status", "page.html"), encoding="utf-8") as f:
        same(html == f.read(), True, "the page is the file")


# ---- how it looks ----

# Every text that is seen against what it stands on (WCAG 2.1, 1.4.3).
CONTRAST = """(() => {
const parse = c => { const n = c.match(/[\\d.]+/g).map(Number);
	return {rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1}; };
const light = rgb => rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 :
	((v + .055) / 1.055) ** 2.4).reduce((s, v, i) =>
	s + v * [.2126, .7152, .0722][i], 0);
const under = e => { for (; e; e = e.parentElement) {
	const c = parse(getComputedStyle(e).backgroundColor);
	if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
const bad = [];
let n = 0;
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
	const e = walk.currentNode.parentElement;
	if (!walk.currentNode.textContent.trim() || !e.checkVisibility() ||
		e.closest(':disabled,script,style,noscript,.hush')) continue;
	const s = getComputedStyle(e);
	const ink = e.closest('svg') ? s.fill : s.color;
	const [a, b] = [light(parse(ink).rgb), light(under(e))];
	const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
	n++;
	if (ratio < 4.5) bad.push(walk.currentNode.textContent.trim() + ': ' +
		ratio.toFixed(2));
}
return {n, bad};
})()"""


def texts_can_be_read(browser, where):
    said = browser.ask(CONTRAST)
    assert said["n"] > 20, f"{said['n']} texts {where}"
    tap.none(f"{where}: {bad}" for bad in said["bad"])


def text_of(browser, selector):
    return browser.ask(
        f"document.querySelector('{selector}').textContent")


def shot(browser, name, **options):
    os.makedirs(SHOTS, exist_ok=True)
    path = browser.shot(os.path.join(SHOTS, name + ".png"), **options)
    size = os.path.getsize(path)
    assert size > 20000, f"{path}: {size} bytes are no picture of it"
    tap.remark(path)


def open_sheet(browser, where):
    browser.ask(f"void (location.hash = '{where}')")
    browser.wait("document.querySelector('dialog').open")


def a_storm_is_shown_in_light_and_dark():
    with stormy() as daemon, page_of(daemon) as browser:
        # A storm that lasts: half a minute of it is in the plots.
        browser.wait("Number((/M([\\d.]+)/.exec(document.querySelector("
                     "'#handshakes .curve').getAttribute('d')) || [0, 9999])"
                     "[1]) < document.querySelector('#handshakes svg')"
                     ".clientWidth * .5", 60 + 2 * DEADLINE_S)
        tap.remark(text_of(browser, "#tiles"))
        said = int(text_of(browser, "#tiles b").replace(",", ""))
        assert said >= PHONES, f"{said} of {PHONES} phones are shown"
        holds(text_of(browser, "#refusals"), "Expired", "Name mismatch",
              "Unknown device", "No certificate")
        holds(text_of(browser, "#expiry"), " end in ", "later")
        holds(text_of(browser, "#leaving"), "retiring", "2 phones")
        holds(text_of(browser, "#capf"), "30 install", PENDING % 0,
              "and 5 more")
        for dark in (False, True):
            mood = "dark" if dark else "light"
            browser.look(dark, WIDTH, HEIGHT)
            texts_can_be_read(browser, f"the page, {mood}")
            shot(browser, f"page-{mood}")
            open_sheet(browser, f"phone/{STRANGER % 1}")
            browser.wait("document.querySelector('#sheet .steps li')")
            texts_can_be_read(browser, f"a phone, {mood}")
            shot(browser, f"phone-{mood}", whole=False)
            browser.ask("document.querySelector('dialog').close()")
        browser.look(False, 400, 900)
        browser.wait("document.documentElement.scrollWidth <= 400")
        shot(browser, "page-narrow", whole=False)


# ---- without a mouse ----

FOCUSED = "(document.activeElement.id || document.activeElement.textContent)"


def keys_alone_reach_everything():
    with site() as daemon, page_of(daemon) as browser:
        browser.press("Tab")
        same(browser.ask(FOCUSED), "Skip to the figures")
        browser.press("/")
        same(browser.ask(FOCUSED), "find")
        browser.type(OLD[:-4])
        browser.wait("document.querySelectorAll('#found [role=option]')"
                     ".length === 3")
        browser.press("ArrowDown", 2)
        chosen = text_of(browser, "#found [aria-selected=true] span")
        browser.press("Enter")
        browser.wait("document.querySelector('dialog').open")
        same((text_of(browser, "#sheet-title"), chosen), (OLD % 1, OLD % 1))
        holds(text_of(browser, "#sheet"), "What it means", "What happened")
        browser.press("Escape")
        browser.wait("!document.querySelector('dialog').open")
        same(browser.ask(FOCUSED), "find", "where the focus is again")

        # On to the plots, the bars, the phones behind one of them.
        browser.press("Tab")
        browser.wait("document.activeElement.closest('#registered')")
        browser.wait("document.querySelector('#registered .key b')"
                     ".textContent !== '–'")
        browser.press("ArrowLeft")
        holds(text_of(browser, "#registered .note"), "ago")
        browser.press("Tab", 2)
        browser.wait("document.activeElement.closest('#refusals li')")
        browser.press("Enter")
        browser.wait("document.querySelectorAll('#sheet tbody tr').length")
        browser.press("Tab", 2)
        name = browser.ask(FOCUSED)
        assert name.startswith("SEP"), f"{name} is no phone"
        browser.press("Enter")
        browser.wait("document.querySelector('#sheet-title').textContent === "
                     f"'{name}'")
        browser.press("Escape")
        browser.wait("!document.querySelector('dialog').open && "
                     "!location.hash")


def everything_has_a_name():
    wanted = {"button", "textbox", "combobox", "image", "table", "dialog",
              "region", "listbox"}
    with site() as daemon, page_of(daemon) as browser:
        nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
        found = [(n["role"]["value"], n.get("name", {}).get("value", ""))
                 for n in nodes if not n.get("ignored") and "role" in n]
        named = [f for f in found if f[0] in wanted]
        assert len(named) > 15, f"{named}"
        tap.none(role for role, name in named if not name.strip())
        same(browser.ask("document.documentElement.lang"), "en")


def nothing_moves_while_figures_come():
    moved = ("new Promise(done => new PerformanceObserver(list => done("
             "list.getEntries().reduce((n, e) => n + e.value, 0))).observe("
             "{type: 'layout-shift', buffered: true}) || "
             "setTimeout(() => done(0), 500))")
    with site() as daemon, page_of(daemon) as browser:
        browser.wait("document.querySelectorAll('#phones tbody tr').length")
        shift = browser.ask(moved)
        tap.remark(f"cumulative layout shift {shift:.4f}")
        assert shift < 0.1, f"cumulative layout shift {shift}"


# ---- what strangers say ----

def a_name_that_is_markup_stays_a_text():
    with site() as daemon:
        with tcp(daemon.port("sccp", "tcp")) as phone:
            phone.sendall(sccp.register(EVIL))
            daemon.wait_failure("bad-device-name", device=EVIL)
        with page_of(daemon) as browser:
            open_sheet(browser, "refused/bad-device-name")
            browser.wait("document.querySelectorAll('#sheet tbody tr').length")
            holds(text_of(browser, "#sheet tbody"), EVIL)
            open_sheet(browser, "phone/%3Ci%20id%3Devil%3E")
            browser.wait("/evil/.test(document.querySelector("
                         "'#sheet-title').textContent)")
            same(browser.ask("document.getElementById('evil')"), None)


# ---- many phones ----

def fifty_thousand_are_no_burden():
    devices = "name,profile\n" + "".join(
        f"{name_of(LSC, i)},non-secure\n" for i in range(KNOWN))
    needs("chromium")
    with Daemon(page_config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "import", *admin.import_text(devices))
        for at in range(0, KNOWN, AT_ONCE):
            done = call(daemon, "sccp", "--count", min(AT_ONCE, KNOWN - at),
                        "--device", name_of(LSC, at), "--rate", 5000,
                        "--until", "registered", transport="tcp")
            same(done.code, 0, "phones")
        same(daemon.get("/v1/status")["phones"]["known"], KNOWN)
        with Browser() as browser:
            browser.look()
            browser.goto(daemon.url + "/")
            browser.wait("document.querySelectorAll('#phones tbody tr')"
                         ".length === 25")
            nodes = browser.ask("document.querySelectorAll('*').length")
            assert nodes < 2000, f"{nodes} elements"
            last = name_of(LSC, KNOWN - 1)
            browser.press("/")
            browser.type(last)
            browser.wait("document.querySelectorAll('#found [role=option]')"
                         ".length === 1")
            browser.press("Enter")
            browser.wait("document.querySelector('dialog').open")
            same(text_of(browser, "#sheet-title"), last)
            browser.press("Escape")
            browser.ask("document.getElementById('next').click()")
            browser.wait("/26 to 50/.test(document.querySelector("
                         "'#phones .note').textContent)")
            heap = browser.ask("performance.memory.usedJSHeapSize") >> 20
            tap.remark(f"{nodes} elements, {heap} MB of heap")
            tap.none(browser.complaints)


# ---- what needs somebody, and when the registrar is not there ----

def what_needs_somebody_stands_on_top():
    with site() as daemon, page_of(daemon) as browser:
        same(text_of(browser, "#alerts"), "")
        with open(LAB.path("page-trust", "broken.pem"), "w",
                  encoding="ascii") as f:
            f.write("-----BEGIN CERTIFICATE-----\nno\n"
                    "-----END CERTIFICATE-----\n")
        daemon.wait_event("reload-refused")
        browser.wait("/CallManager-trust was not taken over.*broken.pem/"
                     ".test(document.querySelector('#alerts').textContent)")


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
        the_page_may_run_its_own_script_and_nothing_else,
        a_storm_is_shown_in_light_and_dark,
        keys_alone_reach_everything,
        everything_has_a_name,
        nothing_moves_while_figures_come,
        a_name_that_is_markup_stays_a_text,
        fifty_thousand_are_no_burden,
        what_needs_somebody_stands_on_top,
        without_events_it_asks_every_two_seconds,
        it_says_so_when_nobody_answers))
