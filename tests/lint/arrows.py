# SPDX-License-Identifier: Apache-2.0
"""The rooms and the only arrows between them: includes, and libraries' symbols.

usage: arrows.py LIBRARY=PATH...  (the static libraries of protocols/)

The compiler that makes the fake objects comes in the environment as CC.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import tap
import tree

SOURCE = os.environ["DIALTONE_SOURCE"]

# A room (the longest prefix of the path wins) → whose headers it may include.
ARROWS = {
    "protocols/": ["protocols/bytes.h", "protocols/moment.h"],
    "protocols/tls/": ["protocols/bytes.h", "protocols/moment.h",
                       "protocols/tls/"],
    "protocols/sip/": ["protocols/bytes.h", "protocols/moment.h",
                       "protocols/sip/"],
    "protocols/sccp/": ["protocols/bytes.h", "protocols/moment.h",
                        "protocols/sccp/"],
    "protocols/capf/": ["protocols/bytes.h", "protocols/moment.h",
                        "protocols/capf/"],
    "protocols/tcpip/": ["protocols/bytes.h", "protocols/tcpip/"],
    "protocols/console/": ["protocols/console/"],
    "certs/": ["certs/"],
    "trust/": ["certs/", "trust/"],
    "registrar/": ["protocols/", "certs/", "trust/", "registrar/"],
    "bench/": ["protocols/", "certs/", "bench/"],
    "tests/": [""],
}

# Headers of libraries → where alone they may be included. "" is everywhere,
# a folder ends in a slash. What is not listed here may be included nowhere
# but in tests/.
PURE = [
    "assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "strings.h",
]
WORLD = ["certs/", "trust/", "registrar/", "bench/"]
LIBRARIES = {
    **{header: [""] for header in PURE},
    "stdio.h": [""],  # snprintf; the symbols tell it from printf
    "time.h": [""],  # struct tm, timegm; the symbols tell them from time
    "arpa/inet.h": [*WORLD, "protocols/sip/"],  # inet_pton
    "dirent.h": WORLD,
    "fcntl.h": WORLD,
    "fnmatch.h": ["registrar/"],
    "fts.h": ["certs/"],
    "getopt.h": ["registrar/", "bench/"],
    "glob.h": ["registrar/"],
    "ifaddrs.h": ["registrar/"],
    "malloc.h": ["registrar/memory.c", "registrar/tls/pool.c"],
    "math.h": ["bench/"],
    "net/if.h": ["registrar/"],
    "netdb.h": ["registrar/", "bench/"],
    "netinet/in.h": ["registrar/", "bench/"],
    "netinet/tcp.h": ["registrar/", "bench/"],
    "pthread.h": ["registrar/", "bench/"],
    "pwd.h": ["registrar/"],
    "grp.h": ["registrar/"],
    "signal.h": ["trust/folder.c", "registrar/", "bench/"],
    "stdatomic.h": ["trust/", "registrar/", "bench/"],
    "linux/magic.h": ["trust/folder.c"],
    "linux/openat2.h": ["trust/folder.c"],
    "sys/epoll.h": ["bench/reference.c"],
    "sys/file.h": ["registrar/"],
    "sys/prctl.h": ["registrar/"],
    "sys/queue.h": ["registrar/"],
    "sys/random.h": ["registrar/", "bench/"],
    "sys/resource.h": ["registrar/", "bench/"],
    "sys/ioctl.h": ["registrar/", "bench/"],
    "sys/mman.h": ["registrar/"],
    "sys/socket.h": ["registrar/", "bench/"],
    "sys/stat.h": WORLD,
    "sys/syscall.h": ["trust/folder.c"],  # openat2
    "sys/time.h": ["registrar/", "bench/"],
    "sys/types.h": WORLD,
    "sys/uio.h": ["registrar/", "bench/"],
    "sys/un.h": ["registrar/"],
    "sys/wait.h": ["registrar/", "bench/"],
    "sys/vfs.h": ["trust/folder.c"],
    "syslog.h": ["registrar/"],
    "unistd.h": WORLD,
    "curl/": ["registrar/ctl/", "registrar/capf/est.c",
              "registrar/capf/est_call.h", "registrar/main.c"],
    "libsmartcols.h": ["registrar/ctl/print.c"],
    "jansson.h": ["registrar/", "bench/"],
    "microhttpd.h": ["registrar/"],
    "pcap/pcap.h": ["registrar/explain/"],
    "osipparser2/": ["protocols/sip/message.c"],
    "sqlite3.h": ["registrar/store/"],
    "systemd/sd-daemon.h": ["registrar/notify.c"],
    "uv.h": ["registrar/", "bench/"],
    "openssl/": ["certs/", "trust/", "protocols/tls/", "registrar/",
                 "bench/"],
    "openssl/ssl.h": ["protocols/tls/", "registrar/tls/", "bench/"],
}

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def longest(table, name):
    """The value of the longest key that name is or starts with."""
    keys = [key for key in table
            if name == key or (key.endswith("/") and name.startswith(key))]
    return table[max(keys, key=len)] if keys else None


def covered(name, places):
    return any(name == p or p == "" or (p.endswith("/") and name.startswith(p))
               for p in places)


def refusal(name, kind, header):
    """Why the file may not include the header, or None."""
    room = longest(ARROWS, name)
    if room is None:
        return "the file is in no room"
    if kind == '"':
        return None if covered(header, room) else "no arrow leads there"
    if name.startswith("tests/"):
        return None
    places = longest(LIBRARIES, header)
    if places is None:
        return "the header is not in the table of tests/lint/arrows.py"
    return None if covered(name, places) else "not in this room"


def bad_includes(top):
    for name in tree.files(top, ".c", ".h"):
        for number, line in enumerate(tree.read(top, name).splitlines(), 1):
            include = INCLUDE.match(line)
            why = include and refusal(name, *include.groups())
            if why:
                yield f"{name}:{number}: {line.strip()}: {why}"


# What a protocol library may ask of libc: nothing that reaches the world.
LIBC = re.compile(r"""(?x)
    malloc | calloc | realloc | reallocarray | free | abort | qsort | bsearch
  | __assert_fail | __stack_chk_fail | __errno_location | __explicit_bzero_chk
  | __ctype_(b|tolower|toupper)_loc | tolower | toupper
  | is(al(num|pha)|blank|cntrl|x?digit|graph|lower|print|punct|space|upper)
  | (__)?(mem|str)[a-z]+(_chk)? | __rawmemchr | rawmemchr | explicit_bzero
  | (__)?v?snprintf(_chk)? | __isoc(99|23)_v?sscanf
  | __isoc23_strto[a-z]+ | timegm | gmtime_r | inet_pton | inet_ntop
  | _GLOBAL_OFFSET_TABLE_
  | __(asan|ubsan|tsan|sanitizer)_\w+ | __sancov_\w+ | __start_\w+ | __stop_\w+
  | __gcov_\w+
""")
OSIP = re.compile(r"osip_\w+|parser_init|__osip_\w+")
OPENSSL = re.compile(r"(SSL|BIO|BUF|X509|ERR|OPENSSL|CRYPTO|EVP|TLS|ASN1|OBJ"
                     r"|PEM|OCSP|i2d|d2i)_\w+")
# OpenSSL and osip reach the world too; and strftime and friends know locales.
WORLDLY = re.compile(r"""(?x)
    BIO_(new|s)_(file|fp|fd|socket|connect|accept|dgram|datagram|log)\w*
  | BIO_(read|write|append|rw)_filename | BIO_(connect|bind|listen|socket)
  | SSL_set_(r|w)?fd | SSL_CTX_(use|load)_\w*(file|dir|store)\w*
  | SSL_CTX_set_default_verify\w* | SSL_load_client_CA_file
  | X509_(LOOKUP|STORE_load)\w*(file|dir|path|locations)\w*
  | PEM_(read|write)_(?!bio)\w+ | ERR_print_errors_fp | X509_print\w*_fp
  | X509_time_adj\w* | X509_gmtime_adj | X509_cmp_current_time
  | (i2d|d2i)_\w+_fp | osip_trace(?!_initialize_func)\w*
  | osip_gettimeofday | osip_build_random_number | osip_clrspace_file
  | strerror\w* | strdupa
""")

MAY_ASK = {"tls": [LIBC, OPENSSL], "sip": [LIBC, OSIP], "sccp": [LIBC],
           "capf": [LIBC], "bytes": [LIBC], "tcpip": [LIBC],
           "console": [LIBC]}


def symbols(library, option):
    out = subprocess.run(["nm", option, "-P", library], check=True, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {line.split()[0] for line in out.stdout.splitlines()
            if len(line.split()) > 1}


def bad_symbols(libraries):
    """libraries: name → path. What they ask for that they may not have.

    Each has itself and bytes; the protocols do not know each other.
    """
    bytes_of = symbols(libraries["bytes"], "--defined-only")
    for name, path in libraries.items():
        own = bytes_of | symbols(path, "--defined-only")
        for symbol in sorted(symbols(path, "--undefined-only") - own):
            plain = symbol.split("@")[0]
            allowed = any(p.fullmatch(plain) for p in MAY_ASK[name])
            if WORLDLY.fullmatch(plain) or not allowed:
                yield f"lib{name} asks for {plain}"


def given_libraries():
    libraries = dict(a.split("=", 1) for a in sys.argv[1:])
    assert set(libraries) == set(MAY_ASK), f"libraries given: {libraries}"
    return libraries


def includes_obey_the_arrows():
    tap.none(bad_includes(SOURCE))


def protocol_libraries_ask_for_nothing_of_the_world():
    tap.none(bad_symbols(given_libraries()))


def the_libraries_looked_at_hold_code():
    for name, path in given_libraries().items():
        assert symbols(path, "--defined-only"), f"lib{name} is empty"


# One line each: a file and an include that the table must refuse.
FORBIDDEN = """
protocols/bytes.c "protocols/sip/frame.h"
protocols/sccp/frame.c "protocols/sip/frame.h"
protocols/sip/server.c "registrar/log.h"
protocols/tls/engine.c "trust/verdict.h"
protocols/capf/server.c <openssl/x509.h>
protocols/sccp/server.c <uv.h>
protocols/sccp/server.c <sys/socket.h>
protocols/sccp/server.c <unistd.h>
protocols/sip/server.c <osipparser2/osip_parser.h>
protocols/sip/server.c <openssl/evp.h>
certs/pem.c "trust/verdict.h"
certs/pem.c <openssl/ssl.h>
certs/pem.c <uv.h>
trust/verify.c "protocols/bytes.h"
trust/verify.c "registrar/log.h"
trust/verify.c <openssl/ssl.h>
registrar/net/conn.c <osipparser2/osip_parser.h>
registrar/status/json.c <openssl/ssl.h>
registrar/main.c "bench/handset.h"
registrar/main.c "tests/conversations/runner.h"
bench/handset.c "trust/verify.h"
bench/handset.c "registrar/log.h"
bench/handset.c <microhttpd.h>
registrar/main.c <sqlite3.h>
registrar/config.c <curl/curl.h>
nowhere/x.c "protocols/bytes.h"
"""
ALLOWED = """
protocols/sip/message.c <osipparser2/osip_parser.h>
protocols/sccp/frame.c "protocols/bytes.h"
trust/verify.c "certs/identity.h"
registrar/main.c "trust/verify.h"
registrar/tls/profile.c <openssl/ssl.h>
bench/handset.c "protocols/sip/phone.h"
tests/system/test_x.c "registrar/config.h"
"""


def pairs(text):
    return [line.split(None, 1) for line in text.strip().splitlines()]


def a_fake_forbidden_include_is_caught():
    for name, include in pairs(FORBIDDEN):
        with tempfile.TemporaryDirectory() as top:
            write(top, name, f"\n#  include {include}\n")
            found = list(bad_includes(top))
            assert len(found) == 1, f"{name} may include {include}"


def a_fake_allowed_include_is_not():
    for name, include in pairs(ALLOWED):
        with tempfile.TemporaryDirectory() as top:
            write(top, name, f"#include {include}\n")
            tap.none(bad_includes(top))


def write(top, name, text):
    path = os.path.join(top, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def fake_library(top, *calls):
    cc = shlex.split(os.environ.get("CC", "cc"))
    # Declared as nothing in particular: only the symbol's name counts.
    source = write(top, "fake.c", "".join(
        f"void {call}(void);\nvoid fake{n}(void);\n"
        f"void fake{n}(void) {{ {call}(); }}\n"
        for n, call in enumerate(calls)))
    made, library = os.path.join(top, "fake.o"), os.path.join(top, "fake.a")
    subprocess.run([*cc, "-w", "-fno-builtin", "-c", source, "-o", made],
                   check=True)
    subprocess.run(["ar", "rcT", library, made], check=True)
    return library


def a_fake_worldly_symbol_is_caught():
    calls = ["time", "clock_gettime", "gettimeofday", "rand", "random",
             "getrandom", "getentropy", "open", "open64", "read", "write",
             "socket", "recv", "send", "printf", "puts", "fputs", "fprintf",
             "__printf_chk", "fopen", "stdout", "syslog", "getenv", "isatty",
             "uv_now", "RAND_bytes", "BIO_new_file", "BIO_new_socket",
             "SSL_set_fd", "PEM_read_X509", "osip_trace_initialize",
             "pthread_create", "exit", "system", "localtime", "strerror"]
    with tempfile.TemporaryDirectory() as top:
        library = fake_library(top, *calls)
        found = set(bad_symbols({name: library for name in MAY_ASK}))
    tap.none(sorted({f"lib{name} asks for {call}" for name in MAY_ASK
                     for call in calls} - found))


def a_fake_pure_symbol_is_not():
    pure = ["memcpy", "__snprintf_chk", "malloc", "strncasecmp", "isalnum"]
    more = {"sip": ["osip_free"], "tls": ["SSL_read"]}
    with tempfile.TemporaryDirectory() as top:
        tap.none(bad_symbols({
            name: fake_library(os.path.join(top, name), *pure,
                               *more.get(name, []))
            for name in MAY_ASK}))


def one_protocol_asking_for_another_is_caught():
    with tempfile.TemporaryDirectory() as top:
        own = {name: fake_library(os.path.join(top, name), "memcpy")
               for name in MAY_ASK}
        own["sip"] = fake_library(os.path.join(top, "x"), "sccp_frame_next")
        found = list(bad_symbols(own))
        assert found == ["libsip asks for sccp_frame_next"], found


if __name__ == "__main__":
    sys.exit(tap.run(
        includes_obey_the_arrows,
        protocol_libraries_ask_for_nothing_of_the_world,
        the_libraries_looked_at_hold_code,
        a_fake_forbidden_include_is_caught,
        a_fake_allowed_include_is_not,
        a_fake_worldly_symbol_is_caught,
        a_fake_pure_symbol_is_not,
        one_protocol_asking_for_another_is_caught))
