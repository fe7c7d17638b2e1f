# SPDX-License-Identifier: Apache-2.0
"""Plays scripts/lib/count.py tests of a real meson that end in every way."""
import json
import os
import subprocess
import sys
import tempfile

import tap

SOURCE = os.environ["DIALTONE_SOURCE"]
COUNT = os.path.join(SOURCE, "scripts", "lib", "count.py")

# name, protocol, what sh runs, (passed, failed, skipped)
ENDINGS = [
    ("good", "exitcode", "exit 0", (1, 0, 0)),
    ("bad", "exitcode", "exit 3", (0, 1, 0)),
    ("no_tool", "exitcode", "echo no tool; exit 77", (0, 0, 1)),
    ("segv", "exitcode", "kill -SEGV $$", (0, 1, 0)),
    ("slow", "exitcode", "echo hi; exec sleep 60", (0, 1, 0)),
    ("tap_good", "tap", "printf '1..2\\nok 1 - a\\nok 2 - b\\n'", (2, 0, 0)),
    ("tap_bad", "tap",
     "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n'; exit 1", (1, 1, 0)),
    ("tap_skip", "tap",
     "printf '1..2\\nok 1 - a\\nok 2 - b # SKIP no tool\\n'", (1, 0, 1)),
    ("tap_skip_cmocka", "tap",
     "printf '1..2\\nok 1 - a\\n# no data\\nnot ok 2 # SKIP b\\n'", (1, 0, 1)),
    ("tap_skip_all", "tap", "echo '1..0 # SKIP no tool'", (0, 0, 1)),
    ("tap_todo", "tap", "printf '1..1\\nnot ok 1 - a # todo b\\n'", (0, 1, 0)),
    ("tap_segv", "tap",
     "printf '1..3\\nok 1 - a\\nok 2 - b\\n'; kill -SEGV $$", (2, 1, 0)),
    ("tap_bad_segv", "tap",
     "printf '1..3\\nok 1 - a\\nnot ok 2 - b\\n'; kill -SEGV $$", (1, 2, 0)),
    ("tap_segv_at_exit", "tap",
     "printf '1..1\\nok 1 - a\\n'; kill -SEGV $$", (1, 1, 0)),
    ("tap_leak_at_exit", "tap", "printf '1..1\\nok 1 - a\\n'; exit 23",
     (1, 1, 0)),
    ("tap_slow", "tap", "printf '1..2\\nok 1 - a\\n'; exec sleep 60",
     (1, 1, 0)),
    ("tap_short", "tap", "printf '1..3\\nok 1 - a\\n'", (1, 1, 0)),
    ("tap_no_plan", "tap", "echo 'ok 1 - a'", (1, 1, 0)),
    ("tap_silent", "tap", "exit 0", (0, 1, 0)),
    ("tap_bail", "tap", "printf '1..1\\nBail out! no disk\\n'", (0, 1, 0)),
    ("tap_order", "tap", "printf '1..2\\nok 2 - a\\nok 1 - b\\n'", (2, 1, 0)),
    ("tap_control", "tap",
     "printf '1..1\\nok 1 - a\\n# \\033[1m\\001\\n'", (1, 0, 0)),
]


def count(*arguments):
    done = subprocess.run([sys.executable, COUNT, *arguments],
                          stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    return done.returncode, lines[-1], lines


def in_words(passed, failed, skipped):
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def build(folder, endings):
    with open(os.path.join(folder, "meson.build"), "w", encoding="utf-8") as f:
        f.write("project('count')\nsh = find_program('sh')\n")
        for name, protocol, script, _ in endings:
            f.write(f"test('{name}', sh, args: ['-c', {quoted(script)}],"
                    f" protocol: '{protocol}', timeout: 1, suite: 's')\n")
    out = os.path.join(folder, "build")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["meson", "setup", out, folder], check=True, **quiet)
    subprocess.run(["meson", "test", "-C", out], check=False, **quiet)
    return out


def every_ending_counts_as_the_table_says():
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, ENDINGS)
        log = os.path.join(out, "meson-logs", "testlog.json")
        with open(log, encoding="utf-8") as f:
            entries = f.readlines()
        assert len(entries) == len(ENDINGS), f"{len(entries)} log entries"
        findings = [one_ending(out, log, entry) for entry in entries]
        tap.none(filter(None, findings))


def one_ending(out, log, entry):
    with open(log, "w", encoding="utf-8") as f:
        f.write(entry)
    name = json.loads(entry)["name"].split(" / ")[-1]
    wanted = in_words(*next(e[3] for e in ENDINGS if e[0] == name))
    _, got, _ = count(f"one={out}")
    return "" if got == wanted else f"{name}: {got}; wanted {wanted}"


def sums_go_over_builds_and_what_never_came_to_a_test():
    endings = [e for e in ENDINGS if e[0] in ("tap_good", "tap_skip")]
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, endings)
        status, last, lines = count(f"a={out}", f"b={out}")
        assert (status, last) == (0, in_words(6, 0, 2)), (status, last)
        assert "SKIP a, b tap_skip: b: no tool" in lines, lines
        status, last, lines = count(
            "--failed", "x build: broke", "--skipped", "y: absent", f"a={out}")
        assert (status, last) == (1, in_words(3, 1, 2)), (status, last)
        assert "FAIL x build: broke" in lines, lines


def a_failure_is_said_with_what_the_test_printed():
    endings = [e for e in ENDINGS if e[0] in ("tap_bad", "bad")]
    with tempfile.TemporaryDirectory() as folder:
        status, _, lines = count(f"a={build(folder, endings)}")
        assert status == 1, status
        at = lines.index("FAIL a tap_bad: b")
        assert lines[at + 1:at + 3] == ["    1..2", "    not ok 2 - b"], lines
        assert "FAIL a bad: fail, exit status 3" in lines, lines


def what_was_cut_off_is_named_with_what_it_said_last():
    endings = [e for e in ENDINGS if e[0] in ("tap_slow", "tap_segv", "slow")]
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, endings)
        with open(os.path.join(out, "wanted-tests"), "w",
                  encoding="utf-8") as f:
            f.write("tap_slow\ntap_segv\nslow\nlater\n")
        _, last, lines = count(f"a={out}")
        assert last == in_words(3, 4, 0), last
        limit = "ran into its time limit after 1 s; it last said: "
        for said in (f"FAIL a tap_slow: the program: {limit}ok 1 - a",
                     f"FAIL a slow: {limit}hi",
                     "FAIL a tap_segv: the program: killed by signal 11; "
                     "it last said: ok 2 - b",
                     "FAIL a later: the program: it was never run"):
            assert lines.count(said) == 1, (said, lines)


def the_end_tells_each_failure_and_why_in_a_line():
    traceback = ("printf '1..2\\nnot ok 1 - a\\n# Traceback (most):\\n"
                 "#   File x\\n# OSError: no\\nnot ok 2 - b\\n# 1 != 2\\n"
                 "# t.c:6: error\\n# more\\n'; exit 1")
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, [("two", "tap", traceback, ()), ENDINGS[0]])
        _, last, lines = count("--failed", "x build: broke", f"a={out}")
        assert last == in_words(1, 3, 0), last
        assert lines[-6:-2] == [
            "What failed, in short:", "  FAIL x build: broke",
            "  FAIL a two: a: OSError: no",
            "  FAIL a two: b: 1 != 2 | t.c:6: error"], lines


def all_logs_of_a_build_are_read():
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, ENDINGS[:1])
        subprocess.run(["meson", "test", "-C", out, "--logbase",
                        "testlog-more"], check=True,
                       stdout=subprocess.DEVNULL)
        status, last, _ = count(f"a={out}")
        assert (status, last) == (0, in_words(2, 0, 0)), (status, last)


def many_skips_of_one_test_are_cut_short_but_counted():
    script = "echo 1..40; for i in $(seq 40); do echo ok $i - c$i '# SKIP x'; done"
    with tempfile.TemporaryDirectory() as folder:
        out = build(folder, [("many", "tap", script, ()), ENDINGS[0]])
        status, last, lines = count(f"a={out}")
        assert (status, last) == (0, in_words(1, 0, 40)), (status, last)
        assert "SKIP many: and 28 more like these" in lines, lines
        assert len(lines) < 20, lines


def a_build_without_a_test_log_is_a_failure():
    with tempfile.TemporaryDirectory() as folder:
        status, last, _ = count(f"gone={folder}")
        assert (status, last) == (1, in_words(0, 1, 0)), (status, last)


def a_run_that_passed_nothing_fails():
    status, last, _ = count("--skipped", "all of it")
    assert (status, last) == (1, in_words(0, 0, 1)), (status, last)


if __name__ == "__main__":
    sys.exit(tap.run(
        every_ending_counts_as_the_table_says,
        sums_go_over_builds_and_what_never_came_to_a_test,
        a_failure_is_said_with_what_the_test_printed,
        what_was_cut_off_is_named_with_what_it_said_last,
        the_end_tells_each_failure_and_why_in_a_line,
        all_logs_of_a_build_are_read,
        many_skips_of_one_test_are_cut_short_but_counted,
        a_build_without_a_test_log_is_a_failure,
        a_run_that_passed_nothing_fails))
