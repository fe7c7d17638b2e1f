# SPDX-License-Identifier: Apache-2.0
"""A Debian in a folder whose process 1 is systemd, as on a machine."""
import os
import signal
import subprocess

from daemon import Log
from harness import SOURCE, alive, run, same, tap, wait_until

BOOT = os.path.join(SOURCE, "scripts", "lib", "boot-root")
BOOT_S = 60


class Machine:
    """`with Machine(root) as m:` m.run("systemctl", ...) is typed there. Its
    network is this process's."""

    def __init__(self, root):
        self._boot = subprocess.Popen(
            [BOOT, root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self._console = Log(self._boot.stdout)
        try:
            wait_until("systemd to boot", self._is_up, BOOT_S, every=0.2)
        except AssertionError as late:
            self.__exit__()
            raise tap.Skip(f"{late}: {self._console.lines[-3:]}") from None

    def _is_up(self):
        assert alive(self._boot), "ended at its start"
        self._init = self._child()
        return self._init and self.run(
            "systemctl", "is-system-running").stdout.strip() in (
                "running", "degraded")

    def _child(self):
        """Process 1, by the number it has here."""
        path = f"/proc/{self._boot.pid}/task/{self._boot.pid}/children"
        with open(path, encoding="ascii") as f:
            return next(iter(f.read().split()), None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if alive(self._boot):
            self._boot.send_signal(signal.SIGKILL)
        self._boot.wait()
        self._console.join()
        group = next((line for line in self._console.lines
                      if line.startswith("/")), "")  # none: it made none
        for folder, _, _ in os.walk(group, topdown=False):
            wait_until(f"{folder} to be empty",
                       lambda folder=folder: remove_group(folder))

    def run(self, *words, **options):
        return run("nsenter", "-t", self._init, "-m", "-p", "-u", "-i", "-C",
                   "-r", "-w", "env", "-i", "PATH=/usr/sbin:/usr/bin",
                   "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                   *words, **options)

    def good(self, *words, **options):
        done = self.run(*words, **options)
        same(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def property(self, unit, name):
        return self.good("systemctl", "show", "--value", "-p", name,
                         unit).strip()


def remove_group(folder):
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
