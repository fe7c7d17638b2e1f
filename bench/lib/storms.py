# SPDX-License-Identifier: Apache-2.0
"""dialtone-storm against one of the servers, and what it found."""
import json
import subprocess

import figures
import processes

LIMIT_S = 900
PATIENCE_S = 30  # others may want the machine, too
RETRIES = 3  # of a phone that is to stay
PROBE = 120  # arrivals in a second, to learn what one costs


class NoRow(Exception):
    """Why a server has no figure in a row."""


def words(place, running, row, rate, seconds, phones, *more, lab=None):
    return [place.program("bench", "dialtone-storm"), "--quiet", "--json", "-",
            "--protocol", running.server.protocol,
            "--server", f"127.0.0.1:{running.port}",
            "--server-pid", running.pid, "--lab", lab or place.lab,
            "--device", "SEP020000000001", "--resume", row.resume,
            "--tls", row.tls, "--rate", rate, "--seconds", seconds,
            "--phones", phones, "--patience", PATIENCE_S, *more]


def read(out):
    try:
        return json.loads(out)
    except ValueError:
        raise NoRow("the storm did not report") from None


def call(core, storm):
    """Runs one; its report."""
    process = processes.start(storm, core, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        out, _ = process.communicate(timeout=LIMIT_S)
    finally:
        processes.stop(process)
    return read(out)


def check(report, row):
    """Raises NoRow unless all came in, and as the row says."""
    arrivals, shaken = report["arrivals"], report["handshakes"]
    if report["server"]["gone"]:
        raise NoRow("ended")
    if arrivals["registered"] < 0.99 * arrivals["planned"]:
        why = report["reasons"][0]["reason"] if report["reasons"] else "?"
        raise NoRow(f"{arrivals['registered']} of {arrivals['planned']} "
                    f"registered: {why}")
    resumed = shaken["resumed"] / max(1, shaken["resumed"] + shaken["full"])
    if row.resume == "full" and resumed > 0:
        raise NoRow(f"resumed {resumed:.0%}")
    if row.resume != "full" and resumed == 0:
        raise NoRow("never resumes")
    if row.resume != "full" and resumed < figures.RESUMED_LEAST:
        raise NoRow(f"resumes {resumed:.0%}")
    return report


def costs(report):
    """µs of CPU of a registration: the server's, the storm's."""
    registered = report["arrivals"]["registered"]
    return (1e6 * report["server"]["cpu_s"] / registered,
            1e6 * report["tool"]["cpu_s"] / registered)


def verifies(place, running, row, core):
    """Raises NoRow if a certificate of a foreign CA is let in."""
    report = call(core, words(place, running, row._replace(resume="full"), 2, 1,
                              2, lab=place.foreign))
    if report["arrivals"]["registered"] or not report["arrivals"]["failed"]:
        raise NoRow("does not verify")


def probe(place, running, row, core, phones):
    """What a registration about costs, as costs()."""
    return costs(check(call(core, words(place, running, row, PROBE, 1,
                                        phones)), row))


def measure(place, running, row, core, pace, phones):
    """One storm: µs of CPU, busy share, p50 and p99 in ms."""
    report = check(call(core, words(place, running, row, *pace, phones)), row)
    latency = report["latency_ms"]["all"]
    return {"us": costs(report)[0],
            "busy": report["server"]["cpu_s"] / report["tool"]["seconds"],
            "storm_us": costs(report)[1], "p50": latency["p50"],
            "p99": latency["p99"], "doubt": report["doubt"]}


def hold(place, running, row, core, pace, phones, hold_s):
    """Bytes of the server's memory while they are registered and silent."""
    # Half as fast: it is not the coming that is measured.
    rate = max(1, pace[0] // 2)
    storm = words(place, running, row, rate, -(-phones // rate), phones,
                  "--hold", hold_s, "--retry", RETRIES)
    process = processes.start(storm, core, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        processes.wait_until(
            f"{phones} phones", lambda: process.poll() is not None or
            processes.connections(running.port) >= phones, LIMIT_S)
        # The last handshakes end, buffers of the busy time go back.
        try:
            process.wait(hold_s / 2)
        except subprocess.TimeoutExpired:
            pass
        used = processes.pss(running.pid)
        out, _ = process.communicate(timeout=LIMIT_S)
    finally:
        processes.stop(process)
    report = check(read(out), row)
    if report["arrivals"]["dropped"]:
        raise NoRow("dropped phones")
    return used
