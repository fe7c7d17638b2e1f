# SPDX-License-Identifier: Apache-2.0
"""Processes of this machine from outside: cores, families, memory, their end."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

STOP_S = 20
POLL_S = 0.05


def end_in_order():
    """SIGTERM, too, stops what was started before it ends this program."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def cores():
    """(for the server, for the storm); the same one where there is one."""
    have = sorted(os.sched_getaffinity(0))
    return have[0], have[-1]


def start(words, core, **options):
    """A child that stays on one core, with what it forks."""
    # meson test fills memory as it is allocated: that would be counted, too.
    options.setdefault("env", {name: value for name, value in
                               os.environ.items()
                               if not name.startswith("MALLOC_")})
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.Popen(
        [str(word) for word in words],
        preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)


def _children(pid):
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children",
                      encoding="ascii") as f:
                found += map(int, f.read().split())
    except OSError:
        pass  # it has ended
    return found


def family(pid):
    """The process and all that descend from it, the ancestors first."""
    found = [pid]
    for one in found:  # grows while we go
        found += _children(one)
    return found


def pss(pid):
    """Bytes of memory of the family, what is shared counted once."""
    total = 0
    for one in family(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as f:
            total += int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M)[1])
    return 1024 * total


def connections(port):
    """Established ones of the server at 127.0.0.1:port."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        return sum(f" 0100007F:{port:04X} " in line[:21] and line[34:36] == "01"
                   for line in f)


def free_port():
    """For servers that cannot be told to take any."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, check, seconds):
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(POLL_S)


def answers(port):
    """Does somebody listen there?"""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def stop(process, pid=None):
    """Ends a child of ours; pid: whom to ask, if it is a wrapper of that."""
    if process.poll() is None:
        os.kill(pid or process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for one in reversed(family(process.pid)):
            os.kill(one, signal.SIGKILL)
        process.wait()


def processor():
    """What /proc/cpuinfo calls the first one, and its flags."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        text = f.read().split("\n\n")[0]
    fields = dict(re.findall(r"^(\S[^\t\n]*)\t*: (.*)$", text, re.M))
    return fields.get("model name", "?"), fields.get("flags", "").split()
