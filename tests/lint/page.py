# SPDX-License-Identifier: Apache-2.0
"""The page of the status plane is held to what the C code is held to."""
import os
import re
import sys

import tap

SOURCE = os.environ["DIALTONE_SOURCE"]
PAGE = os.path.join("registrar", "status", "page.html")

BYTES_MAX = 60 * 1000
COLUMNS_MAX = 80
FUNCTION_LINES_MAX = 48

# What puts a text where markup, code or a policy's exception would be.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|"
    r"new Function|createContextualFragment|srcdoc|javascript:|"
    r"\son\w+=[\"']|\sstyle=|\bvar\b|[^=!]==[^=]|!=[^=]|console\.")
# Names of what is not fetched: an SVG's namespace.
NAMESPACES = ("http://www.w3.org/2000/svg",)
FUNCTION = re.compile(r"^\t*(async )?(function \w+|(async )?\w+\([^()]*\) \{$)|"
                      r"=> \{$")
STATEMENT = re.compile(r"^\t*(if|for|while|switch|catch)\b")


def whole():
    with open(os.path.join(SOURCE, PAGE), encoding="utf-8") as f:
        return f.read()


def script():
    """Its lines, and the number of the first."""
    lines = whole().splitlines()
    first = lines.index("<script>") + 1
    return lines[first:lines.index("</script>")], first + 1


def it_is_small():
    size = len(whole().encode())
    tap.remark(f"{size} bytes")
    assert size <= BYTES_MAX, f"{size} bytes, at most {BYTES_MAX}"


def no_line_is_too_long():
    tap.none(f"{PAGE}:{n}: {line}" for n, line in
             enumerate(whole().splitlines(), 1)
             if len(line.expandtabs(8)) > COLUMNS_MAX and
             'href="data:' not in line)


def no_text_becomes_markup_or_code():
    lines, first = script()
    tap.none(f"{PAGE}:{n}: {line.strip()}"
             for n, line in enumerate(lines, first) if FORBIDDEN.search(line))


def it_names_no_other_place():
    text = whole()
    for name in NAMESPACES:
        text = text.replace(name, "")
    tap.none(re.findall(r"(?:https?:)?//[\w.-]+\.\w+\S*|@import|url\(", text))


def functions(lines):
    """(where it begins, how many lines) of each, by their indentation."""
    for at, line in enumerate(lines):
        if not FUNCTION.search(line) or STATEMENT.match(line) or at == 0:
            continue
        indent = re.match(r"\t*", line).group()
        end = next((n for n in range(at + 1, len(lines))
                    if lines[n].startswith(indent + "}")), None)
        if end is not None:
            yield at, end - at + 1


def no_function_is_too_long():
    lines, first = script()
    found = list(functions(lines))
    tap.remark(f"{len(found)} functions, the longest of "
               f"{max(n for _, n in found)} lines")
    assert len(found) > 50, "functions are not recognised any more"
    tap.none(f"{PAGE}:{first + at}: {n} lines: {lines[at].strip()}"
             for at, n in found if n > FUNCTION_LINES_MAX)


def it_leaves_no_global_behind():
    lines, _ = script()
    code = [line for line in lines if line and not line.startswith("//")]
    assert code[:2] == ["(() => {", '"use strict";'], code[:2]
    assert code[-1] == "})();", code[-1]
    tap.none(line for line in code[1:-1] if line.startswith("})();"))


def what_is_wrong_is_found():
    for line in ("a.innerHTML = b;", "if (a == b)", "eval(x)",
                 '<b onclick="x">', "var a = 1;"):
        assert FORBIDDEN.search(line), line
    for line in ("if (a === b)", "a !== b", "const onion = 1;"):
        assert not FORBIDDEN.search(line), line
    long = ["function a() {", *["\tb();"] * FUNCTION_LINES_MAX, "}"]
    assert [n for _, n in functions(["", *long])] == [50]


if __name__ == "__main__":
    sys.exit(tap.run(it_is_small, no_line_is_too_long,
                     no_text_becomes_markup_or_code, it_names_no_other_place,
                     no_function_is_too_long, it_leaves_no_global_behind,
                     what_is_wrong_is_found))
