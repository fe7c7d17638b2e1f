# SPDX-License-Identifier: Apache-2.0
"""The page at `/`, in headless Chromium, with a fleet and a storm behind it.

DIALTONE_PAGE_KNOWN: how many phones are known at all where that is what the
fact is about.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import sys
import time

import sccp
from admin import LAB, Admin
from browser import Browser
from clients import Phones, call, credential_words, tcp
from daemon import Daemon
from harness import (DEADLINE_S, LOOPBACK, SANITIZER, holds, needs, same, tap,
                     wait_until)
from page_site import (HEIGHT, LSC, OLD, PENDING, PHONES, STRANGER, WIDTH,
                       alert_says, break_trust, name_of, open_sheet,
                       page_config, page_of, shot, site, storm, stormy,
                       text_of)

KNOWN = int(os.environ.get("DIALTONE_PAGE_KNOWN",
                           50000 if SANITIZER is None else 1000))
AT_ONCE = 5000  # of KNOWN that are registered at one time
EVIL = "<i id=evil>"  # what fits into a name's sixteen bytes


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
    same(other[1]["Content-Security-Policy"],
         "default-src 'none'; frame-ancestors 'none'", "the policy of JSON")
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


# What can be used, and what a figure is drawn with (WCAG 2.1, 1.4.11).
EDGES = CONTRAST.split("const bad")[0] + """
const bad = [], seen = [];
const look = (e, what, ink, on) => { const c = parse(ink);
	if (!e.checkVisibility() || e.disabled) return;
	const [a, b] = [light(c.rgb), light(under(on))];
	const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
	seen.push(what);
	if (ratio < 3) bad.push(`${what}: ${ratio.toFixed(2)}`); };
for (const e of document.querySelectorAll('input, select, .plain'))
	look(e, e.id || e.textContent || e.placeholder,
		getComputedStyle(e).borderTopColor, e.parentElement);
for (const e of document.querySelectorAll('.curve'))
	look(e, 'a curve', getComputedStyle(e).stroke, e);
for (const e of document.querySelectorAll('.column, .flag'))
	look(e, 'a column', getComputedStyle(e).fill, e);
for (const e of document.querySelectorAll('.meter i'))
	look(e, 'a bar', getComputedStyle(e).backgroundColor,
		e.closest('.card'));
return {n: seen.length, bad};
})()"""

LOOKS = {"light": {}, "dark": {"dark": True},
         "contrast": {"contrast": "more"},
         "contrast-dark": {"contrast": "more", "dark": True},
         "forced": {"forced": "active"},
         "forced-dark": {"forced": "active", "dark": True},
         "phone": {"width": 390, "height": 844},
         "zoomed": {"width": WIDTH // 2, "height": HEIGHT // 2}}


def it_can_be_read_however_it_is_looked_at():
    """With an alert, on a phone's window, at 200 %, in forced colours."""
    with site() as daemon, page_of(daemon) as browser:
        break_trust(daemon)
        alert_says(browser, "was not taken over")
        browser.wait("document.querySelectorAll('#phones tbody tr').length")
        browser.wait("document.querySelector('#handshakes .curve')")
        for name, look in LOOKS.items():
            browser.look(**{"width": WIDTH, "height": HEIGHT, **look})
            browser.wait("document.documentElement.scrollWidth <= innerWidth")
            texts_can_be_read(browser, name)
            said = browser.ask(EDGES)
            assert said["n"] > 10, f"{said['n']} edges: {name}"
            tap.none(f"{name}: {bad}" for bad in said["bad"])
            shot(browser, f"look-{name}")


def nothing_moves_for_who_wants_it_still():
    seconds = ("getComputedStyle(document.querySelector('.meter i'))"
               ".transitionDuration")
    with site() as daemon, page_of(daemon) as browser:
        same(browser.ask(seconds), "0s")
        browser.look(still=False)
        same(browser.ask(seconds), "0.4s")


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


OUTLINE = """(() => { const e = document.activeElement;
	const s = getComputedStyle(e); return e === document.body ? null : {
	what: e.id || e.getAttribute('aria-label') || e.textContent.slice(0, 40),
	outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
	seen: e.getBoundingClientRect().width > 0}; })()"""


def focus_is_seen_wherever_it_goes():
    with site() as daemon, page_of(daemon) as browser:
        browser.wait("document.querySelectorAll('#phones tbody tr').length")
        met = []
        for _ in range(80):
            browser.press("Tab")
            at = browser.ask(OUTLINE)
            if at is None:
                break
            met.append(at["what"])
            assert at["outline"] and at["seen"], f"{at} after {met}"
        assert len(met) > 15 and "find" in met, f"{met}"


LISTEN = """(() => { window.spoken = [];
new MutationObserver(list => { for (const m of list) {
	const at = m.target.nodeType === 1 ? m.target : m.target.parentElement;
	const live = at && at.closest('[aria-live],[role=status],[role=alert]');
	if (live && live.getAttribute('aria-live') !== 'off')
		window.spoken.push(live.id + ': ' + live.textContent); } })
.observe(document.body, {subtree: true, childList: true,
	characterData: true}); })()"""


def nothing_is_read_out_but_what_is_news():
    """Figures that come are seen; an alert is heard, once."""
    with site() as daemon, page_of(daemon) as browser:
        browser.wait("document.querySelector('#live').textContent === 'live'")
        browser.ask(LISTEN)
        with storm(daemon, "--phones", 50, "--seconds", 80000, "--rate", 20,
                   "--think", "1-2", "--device", "SEP0200000D0000"):
            browser.wait("Number(document.querySelector('#tiles b')"
                         ".textContent) > 5")
            before = browser.ask("document.querySelector('#tiles')"
                                 ".textContent")
            browser.wait("document.querySelector('#tiles').textContent !== "
                         f"{json.dumps(before)}")
            same(browser.ask("spoken"), [], "what was read out")
            break_trust(daemon)
            alert_says(browser, "was not taken over")
            same({said.split(":")[0] for said in browser.ask("spoken")},
                 {"alerts"})
            browser.ask("void (spoken.length = 0)")
            browser.ask("void document.getElementById('next').click()")
            browser.wait("document.querySelector('#turned').textContent")


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
    with site() as daemon, page_of(daemon) as browser:
        browser.wait("document.querySelectorAll('#phones tbody tr').length")
        browser.ask("window.moved = 0; new PerformanceObserver(list => {"
                    "for (const e of list.getEntries()) moved += e.value})"
                    ".observe({type: 'layout-shift'})")
        with Phones(daemon, "sip", *credential_words(
                LAB.phone(STRANGER % 99))):
            browser.wait("document.querySelector('#tiles b').textContent"
                         " === '1'")
            browser.ask("new Promise(done => setTimeout(done, 500))")
        shift = browser.ask("moved")
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
            browser.complaints.clear()  # of the 404: no phone has that name


# ---- many phones ----

def costs(daemon, browser):
    """What the open page takes while a tenth of the phones come again."""
    def busy():
        return next(m["value"] for m in browser.send(
            "Performance.getMetrics")["metrics"]
            if m["name"] == "TaskDuration")
    browser.send("Performance.enable")
    began, drawn, spent = time.monotonic(), busy(), daemon.cpu_seconds()
    wait_until("some quiet seconds", lambda: time.monotonic() > began + 5)
    quiet = (busy() - drawn) / 5, (daemon.cpu_seconds() - spent) / 5
    began, drawn = time.monotonic(), busy()
    done = call(daemon, "sccp", "--count", min(AT_ONCE, KNOWN), "--device",
                LSC, "--rate", 1000, "--timeout", 60, "--until", "registered",
                transport="tcp")
    same(done.code, 0, "phones")
    seconds = time.monotonic() - began
    memory = daemon.get("/v1/status")["memory"]["residentBytes"] >> 20
    heap = browser.ask("performance.memory.usedJSHeapSize") >> 20
    tap.remark(f"quiet: page {quiet[0]:.1%}, daemon {quiet[1]:.1%} of a "
               f"processor; {min(AT_ONCE, KNOWN)} phones in {seconds:.0f} s: page "
               f"{(busy() - drawn) / seconds:.1%}; daemon {memory} MB, page "
               f"{heap} MB of heap")
    assert heap < 64, f"{heap} MB of heap"


def fifty_thousand_are_no_burden():
    devices = "name,profile\n" + "".join(
        f"{name_of(LSC, i)},non-secure\n" for i in range(KNOWN))
    needs("chromium")
    with Daemon(page_config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "import", *admin.import_text(devices))
        for at in range(0, KNOWN, AT_ONCE):
            done = call(daemon, "sccp", "--count", min(AT_ONCE, KNOWN - at),
                        "--device", name_of(LSC, at), "--rate", 2000,
                        "--timeout", 60, "--until", "registered", transport="tcp")
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
            costs(daemon, browser)
            nodes = browser.ask("document.querySelectorAll('*').length")
            assert nodes < 2000, f"{nodes} elements after all came again"
            tap.none(browser.complaints)


if __name__ == "__main__":
    sys.exit(tap.run(
        the_page_may_run_its_own_script_and_nothing_else,
        a_storm_is_shown_in_light_and_dark,
        keys_alone_reach_everything,
        it_can_be_read_however_it_is_looked_at,
        nothing_moves_for_who_wants_it_still,
        focus_is_seen_wherever_it_goes,
        nothing_is_read_out_but_what_is_news,
        everything_has_a_name,
        nothing_moves_while_figures_come,
        a_name_that_is_markup_stays_a_text,
        fifty_thousand_are_no_burden))
