# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium, told what to do over a pipe (DevTools protocol)."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading

from harness import DEADLINE_S, needs, put_down, wait_until

WORDS = ["--headless=new", "--remote-debugging-pipe", "--disable-gpu",
         "--no-first-run", "--disable-extensions", "--disable-sync",
         "--disable-background-networking", "--disable-component-update",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
         "--force-color-profile=srgb", "--host-resolver-rules="
         "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]

# key -> (code, number); what is typed has its text, too.
KEYS = {"Tab": ("Tab", 9), "Enter": ("Enter", 13), "Escape": ("Escape", 27),
        "ArrowLeft": ("ArrowLeft", 37), "ArrowUp": ("ArrowUp", 38),
        "ArrowRight": ("ArrowRight", 39), "ArrowDown": ("ArrowDown", 40),
        "Home": ("Home", 36), "End": ("End", 35)}
SHIFT = 8


def _pipes(reads, writes):
    """In the child: Chromium reads 3 and writes 4."""
    def dup():
        # They may be 3 and 4 themselves: out of the way first.
        r, w = os.dup(reads), os.dup(writes)
        os.dup2(r, 3)
        os.dup2(w, 4)
    return dup


class Browser:
    """`with Browser() as b:` one page; what it complains of is kept."""

    def __init__(self):
        self._home = tempfile.mkdtemp(prefix="dialtone-browser-")
        words = [needs("chromium"), *WORDS, f"--user-data-dir={self._home}"]
        if os.getuid() == 0:
            words.append("--no-sandbox")
        reads, self._to = os.pipe()
        self._from, writes = os.pipe()
        self.process = subprocess.Popen(
            [*words, "about:blank"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=_pipes(reads, writes),
            env={**os.environ, "HOME": self._home})
        os.close(reads)
        os.close(writes)
        self.complaints, self.asked = [], []
        self._number, self._answers = 0, {}
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self._session = None

    def __enter__(self):
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self._session = self.send(
            "Target.attachToTarget", targetId=page["targetId"],
            flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        put_down(self.process)
        os.close(self._to)
        shutil.rmtree(self._home, ignore_errors=True)

    # ---- the wire: JSON, each with a NUL behind it ----

    def _read(self):
        rest = b""
        while data := os.read(self._from, 1 << 16):
            *whole, rest = (rest + data).split(b"\0")
            with self._news:
                for one in whole:
                    self._take(json.loads(one))
                self._news.notify_all()
        os.close(self._from)

    def _take(self, said):
        if "id" in said:
            self._answers[said["id"]] = said
        elif said["method"] == "Network.requestWillBeSent":
            self.asked.append(said["params"]["request"]["url"])
        elif said["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["params"]))
        elif said["method"] == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"] + " " +
                                   said["params"]["entry"].get("url", ""))

    def send(self, method, **params):
        with self._news:
            self._number += 1
            number = self._number
        said = {"id": number, "method": method, "params": params}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._to, json.dumps(said).encode() + b"\0")
        with self._news:
            came = self._news.wait_for(lambda: number in self._answers,
                                       6 * DEADLINE_S)
            assert came, f"Chromium says nothing to {method}"
            answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    # ---- a page ----

    def look(self, dark=False, width=1400, height=1000, still=True,
             contrast="no-preference", forced="none"):
        """What the reader's system says, and how large the window is."""
        self.send("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": name, "value": value} for name, value in (
                ("prefers-color-scheme", "dark" if dark else "light"),
                ("prefers-reduced-motion",
                 "reduce" if still else "no-preference"),
                ("prefers-contrast", contrast), ("forced-colors", forced))])

    def goto(self, url):
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && "
                  f"location.href.startsWith({json.dumps(url)})")

    def ask(self, expression):
        """The value of an expression of JavaScript."""
        said = self.send("Runtime.evaluate", expression=expression,
                         returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, f"{expression}: {said}"
        return said["result"].get("value")

    def wait(self, expression, seconds=2 * DEADLINE_S):
        return wait_until(f"{expression} in the page",
                          lambda: self.ask(f"!!({expression})"), seconds, 0.1)

    def press(self, key, times=1, shift=False):
        code, number = KEYS.get(key, (key, ord(key[0].upper())))
        text = "\r" if key == "Enter" else key if key not in KEYS else ""
        what = {"key": key, "code": code, "windowsVirtualKeyCode": number,
                "modifiers": SHIFT if shift else 0}
        for _ in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", **what,
                      **({"text": text} if text else {}))
            self.send("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text):
        for letter in text:
            self.press(letter)

    def shot(self, path, whole=True):
        said = self.send("Page.captureScreenshot", format="png",
                         captureBeyondViewport=whole,
                         **({"clip": self._all()} if whole else {}))
        with open(path, "wb") as f:
            f.write(base64.b64decode(said["data"]))
        return path

    def _all(self):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"],
                "height": size["height"], "scale": 1}
