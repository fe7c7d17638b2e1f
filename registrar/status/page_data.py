#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a C file of page.html, and the policy that its script runs by.

usage: page_data.py page.html page_data.c
"""
import base64
import hashlib
import re
import sys

POLICY = ("default-src 'none'", "script-src {script}", "style-src {style}",
          "connect-src 'self'", "img-src data:", "base-uri 'none'",
          "form-action 'none'", "frame-ancestors 'none'",
          "require-trusted-types-for 'script'", "trusted-types 'none'")
BYTES_A_LINE = 12


def hashed(html, tag):
    """The only element of that name, as a policy names what may run."""
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
    if len(found) != 1 or html.count(f"<{tag}") != 1:
        sys.exit(f"page.html: one bare <{tag}> is wanted, no more, no less")
    digest = hashlib.sha256(found[0].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def c_bytes(data):
    for at in range(0, len(data), BYTES_A_LINE):
        yield "\t" + " ".join(f"{b - 256 if b > 127 else b}," for b in
                              data[at:at + BYTES_A_LINE])


def main(source, target):
    with open(source, encoding="utf-8", newline="") as f:
        html = f.read()
    policy = "; ".join(POLICY).format(script=hashed(html, "script"),
                                      style=hashed(html, "style"))
    data = html.encode() + b"\0"
    with open(target, "w", encoding="ascii") as f:
        f.write("/* Made by page_data.py. */\n"
                '#include "registrar/status/page_data.h"\n\n'
                f'const char page_data_policy[] = "{policy}";\n'
                "const char page_data_html[] = {\n")
        f.write("\n".join(c_bytes(data)))
        f.write("\n};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
