# SPDX-License-Identifier: Apache-2.0
"""The packages: built, read by lintian, and in a clean Debian 12 installed,
started, upgraded under phones, removed and purged."""
import atexit
import ctypes
import fcntl
import glob
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import daemon as daemons
import guide
from daemon import Log
from harness import (LOOPBACK, SANITIZER, SOURCE, alive, good, holds, needs,
                     put_down, run, same, tap, wait_until)
from machine import Machine
from manager import Callers, Manager

OUT = os.path.join(SOURCE, "build", "package")
TOP = tempfile.mkdtemp(prefix="dialtone-package-")
ROOT = os.path.join(TOP, "root")
USER = ("/usr/bin/setpriv", "--reuid=dialtone", "--regid=dialtone",
        "--init-groups", "--no-new-privs", "--bounding-set=-all")
CONFIG = "/etc/dialtone/dialtoned.json"
DEVICE, SECOND = "SEP001122334455", "SEP001122334466"
OTHER = "SEP001122334477"  # whose flash knows no CAPF that was purged
SIP = 5061
PLACE = "srv/dialtone"  # as the project's folder, in the root
BUILD_S = 900

# What lintian may warn of, and why it is so.
WARNINGS = {}

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def clean_up():
    run("umount", os.path.join(ROOT, "proc"))
    shutil.rmtree(TOP, ignore_errors=True)


atexit.register(clean_up)


def needs_all():
    if SANITIZER:
        raise tap.Skip("packages are built in their own way; once is enough")
    if os.getuid() != 0:
        raise tap.Skip("needs root, for chroot")
    for program in ("dpkg-buildpackage", "dh", "lintian", "debootstrap",
                    "unshare", "chroot", "git"):
        needs(program)


def package(name):
    found = glob.glob(os.path.join(OUT, f"{name}_*.deb"))
    same(len(found), 1, f"packages called {name}")
    return found[0]


def field(path, name):
    return good("dpkg-deb", "-f", path, name).strip()


def in_root(*words, **options):
    return run("chroot", ROOT, *words, **options)


def good_in_root(*words, **options):
    return good("chroot", ROOT, *words, **options)


# ---- making ----

def they_are_built():
    needs_all()
    since = time.monotonic()
    good(os.path.join(SOURCE, "scripts", "package"), timeout=BUILD_S)
    tap.remark(f"built in {time.monotonic() - since:.0f} s")
    package("dialtone")
    package("dialtone-bench")


def their_version_is_the_projects():
    needs_all()
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as f:
        version = re.search(r"version: '([^']+)'", f.read()).group(1)
    for name in ("dialtone", "dialtone-bench"):
        same(field(package(name), "Version"), version, name)


def lintian_finds_no_error():
    needs_all()
    changes = glob.glob(os.path.join(OUT, "*.changes"))
    same(len(changes), 1, "files of changes")
    done = run("lintian", "--allow-root", "--tag-display-limit", "0",
               changes[0], timeout=300)
    said = [line for line in done.stdout.splitlines()
            if line[:2] in ("E:", "W:")]
    unknown = [line for line in said if line.startswith("E:") or
               line.split(": ")[2].split()[0] not in WARNINGS]
    tap.none(unknown)
    tap.remark(f"lintian: no error, {len(said)} warnings")


def libraries_of(*names):
    """What debootstrap is to bring along, so that no network is needed."""
    words = set()
    for name in names:
        for one in field(package(name), "Depends").split(","):
            word = one.split("|")[0].split()[0]
            words.add(word)
    return sorted(words | {"systemd", "systemd-sysv", "dbus", "logrotate"})


def they_install_in_a_clean_debian():
    needs_all()
    since = time.monotonic()
    os.mkdir(ROOT)
    include = ",".join(libraries_of("dialtone", "dialtone-bench"))
    good(os.path.join(SOURCE, "scripts", "lib", "make-root"), ROOT,
         f"--include={include}", timeout=BUILD_S)
    tap.remark(f"a Debian in {time.monotonic() - since:.0f} s")
    alone()
    good("mount", "-t", "proc", "proc", os.path.join(ROOT, "proc"))
    install(package("dialtone"), package("dialtone-bench"))
    holds(good_in_root("getent", "passwd", "dialtone"), "/var/lib/dialtone")
    same(good_in_root("stat", "-c", "%U:%G %a",
                      "/var/lib/dialtone/CallManager-trust").strip(),
         "dialtone:dialtone 755")


def alone():
    """A network with loopback alone, where the usual ports are free, and
    mounts that end with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    same(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), 0, "unshare")
    good("mount", "--make-rprivate", "/")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        ask = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(
            s, SIOCGIFFLAGS, ask))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS,
                    struct.pack("16sh14x", b"lo", flags | IFF_UP))


def install(*paths):
    for path in paths:
        shutil.copy(path, os.path.join(ROOT, "tmp"))
    good_in_root("dpkg", "-i", *(os.path.join("/tmp", os.path.basename(p))
                                 for p in paths))


def needs_installed():
    needs_all()
    if not os.path.exists(os.path.join(ROOT, "usr/bin/dialtoned")):
        raise tap.Skip("they are not installed")


# ---- serving ----

def start(manager):
    """As the unit does it."""
    done = in_root(*USER, "/usr/libexec/dialtone/first-start")
    same(done.returncode, 0, done.stderr)
    daemons.DIALTONED = "/usr/bin/dialtoned"
    return manager.start(CONFIG, shutil.which("chroot"), ROOT, *USER)


class Phone:
    """A handset that gets its LSC and registers; it comes again when it is
    cut off, and keeps its LSC."""

    def __init__(self, device):
        self.process = subprocess.Popen(
            ["chroot", ROOT, "dialtone-phone", "--protocol", "sip",
             "--server", f"{LOOPBACK}:{SIP}", "--device", device, "--capf",
             LOOPBACK, "--flash", f"/tmp/{device}", "--come-back", "--until",
             "forever"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.console = Log(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        put_down(self.process)

    def is_alive(self):
        return alive(self.process)


def enrol(device):
    good_in_root("dialtone", "device", "add", device)
    good_in_root("dialtone", "capf", "install", device, "--mode", "null",
                 "--no-reset")


def a_phone_gets_its_lsc_and_registers_with_the_packaged_defaults():
    needs_installed()
    with Manager() as manager, start(manager) as daemon:
        same(os.stat(f"/proc/{daemon.pid}").st_uid,
             int(good_in_root("id", "-u", "dialtone")), "whose process it is")
        enrol(DEVICE)
        with Phone(DEVICE):
            found = daemon.wait_phone(DEVICE, "registered", 60)
            same(found["certificate"]["kind"], "LSC")
            holds(good_in_root("dialtone", "phones"), DEVICE)


def higher(path):
    """The same package with a version that comes after it."""
    folder = os.path.join(TOP, "higher")
    shutil.rmtree(folder, ignore_errors=True)
    good("dpkg-deb", "-R", path, folder)
    control = os.path.join(folder, "DEBIAN", "control")
    with open(control, encoding="utf-8") as f:
        text = re.sub(r"^Version: (.*)$", r"Version: \1+1", f.read(),
                      flags=re.M)
    with open(control, "w", encoding="utf-8") as f:
        f.write(text)
    out = os.path.join(TOP, os.path.basename(path).replace("_", "-higher_", 1))
    good("dpkg-deb", "-b", folder, out)
    return out


def an_upgrade_refuses_no_phone_its_connection():
    needs_installed()
    newer = higher(package("dialtone"))
    with Manager() as manager:
        with start(manager) as daemon:
            enrol(SECOND)
            phones = [Phone(DEVICE), Phone(SECOND)]
            callers = Callers(SIP)
            try:
                daemon.wait_registered(2, 60)
                callers.start()
                install(newer)
                daemon.stop()  # as systemd, which the package tells to
                with start(manager) as later:
                    found = later.events("listening", service="sip")[0]
                    same(found.fields.get("inherited"), "yes")
                    before = callers.connected
                    wait_until("callers to come",
                               lambda: callers.connected > before)
                    later.wait_registered(2, 60)
                    callers.enough()
            finally:
                callers.enough()
                for phone in phones:
                    put_down(phone.process)
        same(callers.failed, [])
        assert callers.connected > 10, callers.connected
        tap.remark(f"{callers.connected} connections, none refused")
    holds(good_in_root("dpkg-query", "-W", "dialtone"), "+1")


# ---- going ----

def exists(path):
    return os.path.exists(os.path.join(ROOT, path.lstrip("/")))


def removed_it_leaves_configuration_and_state():
    needs_installed()
    good_in_root("dpkg", "-r", "dialtone")
    assert not exists("/usr/bin/dialtoned")
    for path in (CONFIG, "/var/lib/dialtone/server/rsa.key",
                 "/var/lib/dialtone/state/capf"):
        assert exists(path), f"{path} is gone"


def purged_it_leaves_its_user_alone():
    needs_all()
    if not exists(CONFIG):
        raise tap.Skip("it was not installed")
    good_in_root("dpkg", "-P", "dialtone")
    for path in ("/etc/dialtone", "/var/lib/dialtone"):
        assert not exists(path), f"{path} is still there"
    good_in_root("getent", "passwd", "dialtone")


# ---- on a machine whose process 1 is systemd ----

class Booted:
    """The root after all that: booted, anew in a package's eyes."""
    machine = None


def needs_machine():
    needs_all()
    if not Booted.machine:
        raise tap.Skip("no systemd runs")
    return Booted.machine


def it_boots_systemd():
    needs_all()
    needs("nsenter")
    if not os.path.exists(os.path.join(ROOT, "lib/systemd/systemd")):
        raise tap.Skip("there is no root")
    Booted.machine = Machine(ROOT)
    atexit.register(Booted.machine.__exit__)
    for name in ("dialtone", "dialtone-bench"):
        folder = os.path.join(ROOT, PLACE, "build", "package")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(package(name), folder)


def status():
    with urllib.request.urlopen(f"http://{LOOPBACK}:8088/v1/status") as f:
        return json.load(f)


def wait_registered(count):
    def are():
        try:
            return status()["phones"]["registered"] == count
        except OSError:  # it is being started
            return False
    wait_until(f"{count} registered phones", are, 60)


def each_line_of_the_guides_does_what_it_says():
    """Those that need a machine; and the first phone comes in between."""
    machine = needs_machine()
    wrong, said = [], {}
    for path in ("README.md", "docs/install.md"):
        for line, expected, _, packaged in guide.commands(path):
            if not packaged or line.startswith("./scripts/package"):
                continue  # it was built before
            if path == "README.md" and line.startswith("apt install"):
                continue  # and is in
            done = machine.run("sh", "-c", f"cd /{PLACE} && {line}")
            said[line.partition(" #")[0].strip()] = done.stdout + done.stderr
            if done.returncode != expected:
                wrong.append(f"{line}\nexit {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    tap.none(wrong)


def apt_says_what_to_type_next():
    machine = needs_machine()
    text = machine.good("apt", "install", "-y",
                        f"/{PLACE}/build/package/"
                        + os.path.basename(package("dialtone")))
    holds(text, "dialtone device add", "dialtone capf install",
          "/usr/share/doc/dialtone/guide.md")
    same(machine.property("dialtoned", "ActiveState"), "active")
    holds(machine.property("dialtoned", "StatusText"), "registered")


def the_unit_is_as_safe_as_the_manual_says():
    machine = needs_machine()
    text = machine.good("systemd-analyze", "security", "dialtoned",
                        "--no-pager")
    level = float(re.search(r"exposure level for \S+: ([\d.]+)",
                            text).group(1))
    assert level <= 1.5, text
    with open(os.path.join(SOURCE, "docs", "install.md"),
              encoding="utf-8") as f:
        holds(f.read(), f"says {level:.1f}")


class Crowd:
    """A phone that is registered, and callers whom nobody may refuse."""

    def __enter__(self):
        machine = needs_machine()
        machine.run("dialtone", "device", "add", OTHER)
        machine.good("dialtone", "capf", "install", OTHER, "--mode", "null",
                     "--replace")
        self.phone = Phone(OTHER)
        self.callers = Callers(SIP)
        try:
            wait_registered(1)
            self.callers.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.callers.enough()
        put_down(self.phone.process)

    def all_is_well_after(self, *words):
        machine = needs_machine()
        before = machine.property("dialtoned", "MainPID")
        machine.good(*words)
        wait_until("another process", lambda: machine.property(
            "dialtoned", "MainPID") not in ("0", before), 60)
        served = self.callers.connected
        wait_registered(1)
        wait_until("callers to come",
                   lambda: self.callers.connected > served)
        same(self.callers.failed, [], words)


def no_restart_refuses_a_phone():
    with Crowd() as crowd:
        crowd.all_is_well_after("systemctl", "restart", "dialtoned")
        crowd.all_is_well_after("systemctl", "kill", "-s", "KILL",
                                "dialtoned")
        tap.remark(f"{crowd.callers.connected} connections, none refused")


def a_reload_is_told_and_keeps_the_process():
    machine = needs_machine()
    before = machine.property("dialtoned", "MainPID")
    since = machine.good("date", "+%F %T").strip()
    machine.good("systemctl", "reload", "dialtoned")
    wait_until("it to look", lambda: " asked=yes " in machine.good(
        "journalctl", "-b", "-u", "dialtoned", "--since", since))
    same(machine.property("dialtoned", "MainPID"), before)
    same(machine.property("dialtoned", "ActiveState"), "active")


def apt_upgrades_under_phones():
    machine = needs_machine()
    newer = higher(package("dialtone"))
    shutil.copy(newer, os.path.join(ROOT, PLACE))
    with Crowd() as crowd:
        crowd.all_is_well_after("apt", "install", "-y", f"/{PLACE}/"
                                + os.path.basename(newer))
        holds(machine.good("dialtone", "device", "list"), OTHER)


def a_way_back_by_accident_is_refused():
    machine = needs_machine()
    words = ("dpkg", "-i", f"/{PLACE}/build/package/"
             + os.path.basename(package("dialtone")))
    done = machine.run(*words)
    assert done.returncode != 0, done.stdout
    holds(done.stderr, "is older than", "DIALTONE_DOWNGRADE=yes")
    holds(machine.good("dpkg-query", "-W", "dialtone"), "+1")
    same(machine.property("dialtoned", "ActiveState"), "active")
    machine.good("env", "DIALTONE_DOWNGRADE=yes", *words)


def a_log_in_a_file_is_rotated():
    machine = needs_machine()
    folder = "/etc/systemd/system/dialtoned.service.d"
    machine.good("sh", "-c", f"mkdir {folder} && printf '%s\\n' '[Service]' "
                 "'StandardError=append:/var/log/dialtone/dialtoned.log' "
                 f">{folder}/log.conf && systemctl daemon-reload && "
                 "systemctl restart dialtoned")
    log = os.path.join(ROOT, "var/log/dialtone/dialtoned.log")
    wait_until("a line in it", lambda: os.path.getsize(log) > 0)
    machine.good("logrotate", "-f", "/etc/logrotate.d/dialtone")
    assert os.path.getsize(log + ".1") > 0
    machine.good("systemctl", "reload", "dialtoned")
    wait_until("a line after it", lambda: os.path.getsize(log) > 0)
    machine.good("sh", "-c", f"rm -r {folder} && systemctl daemon-reload")


def a_purge_leaves_nothing_but_the_user():
    machine = needs_machine()
    machine.good("apt", "purge", "-y", "dialtone", "dialtone-bench")
    left = machine.good("find", "/", "-xdev", "-name", "*dialtone*", "-not",
                        "-path", f"/{PLACE}*", "-not", "-path", "/tmp/*")
    same(left.split(), [])
    same(machine.run("systemctl", "is-active", "dialtoned").stdout.strip(),
         "inactive")


if __name__ == "__main__":
    sys.exit(tap.run(
        they_are_built,
        their_version_is_the_projects,
        lintian_finds_no_error,
        they_install_in_a_clean_debian,
        a_phone_gets_its_lsc_and_registers_with_the_packaged_defaults,
        an_upgrade_refuses_no_phone_its_connection,
        removed_it_leaves_configuration_and_state,
        purged_it_leaves_its_user_alone,
        it_boots_systemd,
        apt_says_what_to_type_next,
        each_line_of_the_guides_does_what_it_says,
        the_unit_is_as_safe_as_the_manual_says,
        no_restart_refuses_a_phone,
        a_reload_is_told_and_keeps_the_process,
        apt_upgrades_under_phones,
        a_way_back_by_accident_is_refused,
        a_log_in_a_file_is_rotated,
        a_purge_leaves_nothing_but_the_user))
