# SPDX-License-Identifier: Apache-2.0
"""What is measured, against which goals, and the arithmetic of the table."""
import statistics
from collections import namedtuple

# unit: us, instructions, calls or bytes, each of one registration or phone.
# resume, tls: as dialtone-storm takes them. key: of the server. tickets: does
# the server give any. share: of the best peer, at most. most: in itself.
Row = namedtuple("Row", "name title unit resume tls key tickets share most")

ROWS = [
    Row("full", "TLS 1.2 full", "us", "full", "1.2", "rsa", False, 0.90, None),
    Row("full-ec", "TLS 1.2 full, P-256 server key", "us", "full", "1.2", "ec",
        False, 0.85, None),
    Row("id", "TLS 1.2 session id", "us", "id", "1.2", "rsa", False, 0.35,
        None),
    Row("ticket", "TLS 1.2 ticket", "us", "ticket", "1.2", "rsa", True, 0.35,
        None),
    Row("psk", "TLS 1.3 resumed (PSK)", "us", "psk", "1.3", "rsa", False, 0.60,
        None),
    Row("instructions", "session id: instructions", "instructions", "id",
        "1.2", "rsa", False, None, 450000),
    Row("calls", "session id: system calls", "calls", "id", "1.2", "rsa",
        False, None, 17),
    Row("idle", "idle phone: memory", "bytes", "full", "1.2", "rsa", False,
        None, 15000),
]

# Shares of a core: what a server is to be kept busy with, and the storm at
# most, so that neither waits for itself.
BUSY = 0.6
STORM_BUSY = 0.75

# A figure may grow by that much before the check fails, and shrink by that
# much before it is to be written down anew.
TOLERANCE = 0.10

# Fewer arrivals that resumed than that, and the row is no such row.
RESUMED_LEAST = 0.95


def pace(count, server_us, storm_us):
    """(rate, seconds), both whole, of about `count` arrivals.

    Every server gets the same count: it is a number that many divide. A rate
    below one a second is none.
    """
    rate = min(BUSY * 1e6 / server_us, STORM_BUSY * 1e6 / storm_us)
    for seconds in range(1, count + 1):
        if count % seconds == 0 and count // seconds <= rate:
            return count // seconds, seconds
    return 1, count


def choose(values, how):
    return min(values) if how == "lowest" else statistics.median(values)


def best_peer(cells, peers):
    """(name, value) of the cheapest one that has a value; None: none has."""
    have = [(cells[name], name) for name in peers
            if isinstance(cells.get(name), (int, float))]
    if not have:
        return None
    value, name = min(have)
    return name, value


def verdict(row, ours, best):
    """(share of the best peer or None, the goal met or None: unknown)."""
    share = ours / best[1] if best else None
    if row.most is not None:
        return share, ours <= row.most
    if share is None:
        return None, None
    return share, share <= row.share


def drift(now, baseline):
    """'grown', 'shrunk' or 'same'."""
    if now > baseline * (1 + TOLERANCE):
        return "grown"
    return "shrunk" if now < baseline * (1 - TOLERANCE) else "same"


def per_registration(once, twice, count):
    """From the cost of n and of 2 n of them: all else cancels out."""
    return (twice - once) / count


def text(row, value):
    if isinstance(value, str):
        return value
    if row.unit == "calls":
        return f"{value:.1f}"
    return f"{value:,.0f}"


def goal_text(row):
    if row.most is not None:
        return f"≤ {row.most:,}"
    return f"≤ {row.share:.2f} ×"


UNITS = {"us": "µs", "instructions": "", "calls": "", "bytes": "bytes"}


def heading(row):
    return f"{row.title}, {UNITS[row.unit]}" if UNITS[row.unit] else row.title


def markdown(header, lines):
    """A table; every line has as many cells as the header."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(map(str, line)) + " |"
                     for line in [header, rule, *lines])


def table(results, servers, peers):
    """results: pairs of a row and its cells by server (a number, or why there
    is none). The costs, beside the best peer and the goal."""
    lines = []
    for row, cells in results:
        best, ours = best_peer(cells, peers), cells.get("dialtoned")
        share, met = (verdict(row, ours, best)
                      if isinstance(ours, (int, float)) else (None, None))
        lines.append([
            heading(row),
            *(text(row, cells[name]) if name in cells else "–"
              for name in servers),
            f"{share:.2f} × {best[0]}" if share is not None else "–",
            goal_text(row),
            {True: "met", False: "not met", None: "–"}[met]])
    return markdown(
        ["per registration", *servers, "beside the best peer", "goal", ""],
        lines)


def latency_table(results, servers):
    """results: pairs of a row and (p50, p99) in ms by server."""
    return markdown(
        ["p50 / p99, ms", *servers],
        [[row.title, *("{:.1f} / {:.1f}".format(*cells[name])
                       if name in cells else "–" for name in servers)]
         for row, cells in results])
