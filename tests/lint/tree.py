# SPDX-License-Identifier: Apache-2.0
"""Which files make up the project, and what they say."""
import os
import subprocess

NOT_OURS = ("build", ".git", "__pycache__", "dialtone-lab")


def _git_files(top):
    """What git tracks or would track; None where git cannot tell."""
    try:
        out = subprocess.run(
            ["git", "-C", top, "ls-files", "-co", "--exclude-standard", "-z"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [os.fsdecode(name) for name in out.stdout.split(b"\0") if name]


def _walked_files(top):
    for folder, inner, names in os.walk(top):
        inner[:] = [d for d in inner if not d.startswith(NOT_OURS)]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), top)


def files(top, *suffixes):
    """Sorted paths below top, of these suffixes (none given: all)."""
    names = _git_files(top)
    if names is None:
        names = _walked_files(top)
    found = sorted(name for name in names
                   if os.path.isfile(os.path.join(top, name))
                   and (not suffixes or name.endswith(suffixes)))
    assert found, f"no {' '.join(suffixes)} file below {top}"
    return found


def read(top, name):
    with open(os.path.join(top, name), "rb") as f:
        return f.read().decode("utf-8", errors="replace")


def is_fuzz_input(name):
    return name.startswith("tests/fuzz/corpus/")


def is_script(top, name):
    with open(os.path.join(top, name), "rb") as f:
        return f.read(2) == b"#!"
