# SPDX-License-Identifier: Apache-2.0
"""bench/compare: its arithmetic, and little storms against what is here."""
import json
import os
import subprocess
import sys

SOURCE = os.environ["DIALTONE_SOURCE"]
BUILD = os.environ["DIALTONE_BUILD"]
sys.path[1:1] = [os.path.join(SOURCE, "tests", "lint"),
                 os.path.join(SOURCE, "bench", "lib")]

import counts  # noqa: E402  (lives there)
import figures  # noqa: E402
import processes  # noqa: E402
import servers  # noqa: E402
import storms  # noqa: E402
import tap  # noqa: E402

RUN_S = 170
ROWS = {row.name: row for row in figures.ROWS}


def same(found, expected, what="value"):
    assert found == expected, f"{what}: {found!r}, expected {expected!r}"


def raises(function, *arguments):
    """Why there is no figure; None: there is one."""
    try:
        function(*arguments)
    except storms.NoRow as why:
        return str(why)
    return None


# ---- arithmetic ----

def a_pace_has_the_same_count_whatever_it_costs():
    for server_us in (50, 97, 333, 1000, 4321, 100000):
        rate, seconds = figures.pace(5040, server_us, 200)
        same(rate * seconds, 5040, f"arrivals at {server_us} µs")


def a_pace_leaves_both_cores_idle_time():
    same(figures.pace(5040, 1000, 10), (560, 9), "the server is the slower")
    same(figures.pace(5040, 10, 1000), (720, 7), "the storm is the slower")


def a_pace_slower_than_one_a_second_is_one():
    same(figures.pace(10, 5e6, 1), (1, 10))


def the_lowest_or_the_median_round_counts():
    same(figures.choose([3, 1, 2, 9], "lowest"), 1)
    same(figures.choose([3, 1, 20], "median"), 3)


def the_best_peer_is_the_cheapest_that_has_a_figure():
    cells = {"dialtoned": 10, "reference": 5, "nginx": 40, "HAProxy": 30,
             "Kamailio": "never resumes"}
    peers = ["nginx", "HAProxy", "Kamailio"]
    same(figures.best_peer(cells, peers), ("HAProxy", 30))
    same(figures.best_peer(cells, ["Kamailio"]), None)


def a_goal_is_a_share_of_the_best_peer():
    row = ROWS["id"]._replace(share=0.35)
    same(figures.verdict(row, 35, ("nginx", 100)), (0.35, True))
    same(figures.verdict(row, 36, ("nginx", 100)), (0.36, False))
    same(figures.verdict(row, 36, None), (None, None))


def a_goal_of_its_own_needs_no_peer():
    same(figures.verdict(ROWS["calls"]._replace(most=17), 17, None),
         (None, True))
    same(figures.verdict(ROWS["calls"]._replace(most=17), 18, ("nginx", 18)),
         (1, False))


def two_runs_leave_the_cost_of_a_registration():
    start, each = 1e9, 358000
    same(figures.per_registration(start + 60 * each, start + 120 * each, 60),
         each)


def ten_percent_are_no_drift():
    same(figures.drift(110, 100), "same")
    same(figures.drift(111, 100), "grown")
    same(figures.drift(90, 100), "same")
    same(figures.drift(89, 100), "shrunk")


def the_table_says_figures_ratios_and_why_there_is_none():
    results = [(ROWS["id"]._replace(share=0.35),
                {"dialtoned": 99.6, "nginx": 288.4,
                 "Kamailio": "never resumes"})]
    same(figures.table(results, ["dialtoned", "nginx", "HAProxy", "Kamailio"],
                       ["nginx", "HAProxy", "Kamailio"]).splitlines()[2],
         "| TLS 1.2 session id, µs | 100 | 288 | – | never resumes | "
         "0.35 × nginx | ≤ 0.35 × | met |")


STRACE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 41.20    0.016424          12      1288        37 read
 29.61    0.011805          17       672           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.039864           9      1960        37 total
"""


def what_strace_counts_is_read():
    same(dict(counts.read_calls(STRACE)), {"read": 1288, "epoll_wait": 672})


def report(registered=100, full=0, resumed=100, gone=False):
    return {"arrivals": {"planned": 100, "registered": registered},
            "handshakes": {"full": full, "resumed": resumed},
            "reasons": [{"reason": "alert: unknown CA", "count": 9}],
            "server": {"gone": gone}}


def a_row_that_is_none_says_why():
    row = ROWS["id"]
    same(raises(storms.check, report(), row), None)
    same(raises(storms.check, report(full=100, resumed=0), row),
         "never resumes")
    same(raises(storms.check, report(full=50, resumed=50), row),
         "resumes 50%")
    same(raises(storms.check, report(registered=91), row),
         "91 of 100 registered: alert: unknown CA")
    same(raises(storms.check, report(gone=True), row), "ended")
    same(raises(storms.check, report(full=99, resumed=1), ROWS["full"]),
         "resumed 1%")


# ---- what it measures with ----

def a_family_is_a_process_and_all_below_it():
    process = processes.start(
        ["sh", "-c", "(sleep 60 & echo; wait) & read x; kill $!; wait"],
        processes.cores()[0], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        found = processes.family(process.pid)
        same(len(found), 3, "sh, its subshell, its sleep")
        same(found[0], process.pid)
        assert processes.pss(process.pid) > 4096, "memory of three"
    finally:
        for pid in reversed(processes.family(process.pid)):
            os.kill(pid, 15)
        process.communicate()


def compare(*words):
    done = subprocess.run(
        [os.path.join(SOURCE, "bench", "compare"), "--build", BUILD, "--quick",
         *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout, done.stderr


def dialtoned_and_the_reference_resume_and_hold():
    out, said = compare("--servers", "dialtoned,reference", "--rows",
                        "id,idle", "--json", "-")
    rows = json.loads(out)["rows"]
    for name in ("dialtoned", "reference"):
        assert rows["id"]["cells"][name] > 0, f"id, {name}: {said}"
        # A few phones may take less than a process gives back meanwhile.
        idle = rows["idle"]["cells"][name]
        assert isinstance(idle, (int, float)) and idle, f"{name}: {said}"
        same(len(rows["id"]["more"][name]["rounds"]), 1, "rounds")


def every_peer_that_is_here_verifies_and_serves():
    here = [server for server in servers.ALL
            if server.peer and not server.missing()]
    if not here:
        raise tap.Skip("neither nginx nor HAProxy nor Kamailio is installed")
    out, said = compare("--rows", "full", "--servers", ",".join(
        ["dialtoned", *(server.name for server in here)]))
    line = next(line for line in out.splitlines()
                if line.startswith("| TLS 1.2 full, µs"))
    cells = [cell.strip() for cell in line.split("|")[2:3 + len(here)]]
    tap.none(f"{line}\n{said}" for cell in cells
             if not cell.replace(",", "").isdigit())


def a_server_that_lets_strangers_in_has_no_row():
    class Careless(servers.Reference):
        """A reference whose CA is the strangers'."""

        def words(self, place, folder, port, row):
            stranger = os.path.join(place.foreign, "ca", "capf.pem")
            words = super().words(place, folder, port, row)
            return [stranger if word == place.ca else word for word in words]

    with servers.new_place(BUILD) as place:
        row, cores = ROWS["full"], processes.cores()
        for server, expected in ((Careless(), "does not verify"),
                                 (servers.Reference(), None)):
            with server.running(place, row, cores[0]) as running:
                same(raises(storms.verifies, place, running, row, cores[1]),
                     expected, type(server).__name__)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_pace_has_the_same_count_whatever_it_costs,
        a_pace_leaves_both_cores_idle_time,
        a_pace_slower_than_one_a_second_is_one,
        the_lowest_or_the_median_round_counts,
        the_best_peer_is_the_cheapest_that_has_a_figure,
        a_goal_is_a_share_of_the_best_peer,
        a_goal_of_its_own_needs_no_peer,
        two_runs_leave_the_cost_of_a_registration,
        ten_percent_are_no_drift,
        the_table_says_figures_ratios_and_why_there_is_none,
        what_strace_counts_is_read,
        a_row_that_is_none_says_why,
        a_family_is_a_process_and_all_below_it,
        dialtoned_and_the_reference_resume_and_hold,
        every_peer_that_is_here_verifies_and_serves,
        a_server_that_lets_strangers_in_has_no_row))
