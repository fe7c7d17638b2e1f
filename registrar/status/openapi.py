#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a C file of openapi.json, without what only people need in it.

usage: openapi.py openapi.json openapi.c
"""
import json
import sys

BYTES_A_LINE = 12


def main(source, target):
    with open(source, encoding="utf-8") as f:
        data = json.dumps(json.load(f), separators=(",", ":")).encode("ascii")
    data += b"\0"
    with open(target, "w", encoding="ascii") as f:
        f.write("/* Made by openapi.py. */\n"
                '#include "registrar/status/openapi.h"\n\n'
                "const char openapi_json[] = {\n")
        for at in range(0, len(data), BYTES_A_LINE):
            f.write("\t" + " ".join(
                f"{b}," for b in data[at:at + BYTES_A_LINE]) + "\n")
        f.write("};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
