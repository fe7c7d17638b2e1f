# SPDX-License-Identifier: Apache-2.0
"""The inventory as an admin writes it: devices, profiles, CSV files."""
import os
import re
import socket
import sys

from admin import LAB, Admin, config, state_folder
from daemon import Daemon
from harness import DEADLINE_S, SOURCE, holds, same, tap

DEVICE = "SEP0200000000D1"


# ---- devices ----

def a_device_lives_and_changes_and_goes():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "add", DEVICE, "--protocol", "sip", "--model",
                  "CP-8861", "--description", "Grüß Gott, \"hall\"",
                  "--mic", "yes", "--line", "1001,Hall,anna", "--line", "1002",
                  "--dial", "*98,Voice mail", "--dial", "1003,Door,blf")
        shown = admin.json("device", "show", DEVICE.lower())
        same(shown, {
            "name": DEVICE, "protocol": "sip", "model": "CP-8861",
            "description": "Grüß Gott, \"hall\"", "profile": "encrypted",
            "mic": True, "source": "inventory", "softkeys": "standard",
            "lines": [{"number": "1001", "label": "Hall", "owner": "anna"},
                      {"number": "1002", "label": "", "owner": ""}],
            "dials": [{"number": "*98", "label": "Voice mail", "type": ""},
                      {"number": "1003", "label": "Door", "type": "blf"}]})
        admin.say("device", "set", DEVICE, "--profile", "non-secure")
        same(admin.json("device", "show", DEVICE),
             {**shown, "profile": "non-secure"}, "only what is named")
        admin.say("device", "set", DEVICE, "--no-lines", "--mic", "no",
                  "--softkeys", "redial,park")
        shown.update(profile="non-secure", lines=[], mic=False,
                     softkeys="redial,park")
        same(admin.json("device", "show", DEVICE), shown)
        same(admin.json("device", "list"), {"devices": [shown]})
        holds(admin.say("device", "list"), DEVICE, "non-secure")
        holds(admin.say("device", "show", DEVICE), "softkeys", "redial,park",
              "speed dial 2: 1003 \"Door\" (blf)")
        same(daemon.get("/v1/status")["inventory"], {"devices": 1})
        admin.say("device", "remove", DEVICE)
        holds(admin.refused("device", "show", DEVICE), DEVICE, "no")
        same([line.fields["order"].split()[0]
              for line in daemon.events("admin", outcome="done")],
             ["PUT", "PATCH", "PATCH", "DELETE"])


def refusals_name_field_and_rule():
    rows = [
        (["add", DEVICE], "is there already"),
        (["set", "SEP02000000FFFF", "--mic", "no"], "there is no"),
        (["remove", "SEP02000000FFFF"], "there is no"),
        (["show", "SEP/1"], "there are GET"),
        (["add", "SEP 1"], "name: must be 1 to 63"),
        (["add", 64 * "S"], "name: must be 1 to 63"),
        (["set", DEVICE, "--protocol", "h323"], "protocol: must be"),
        (["set", DEVICE, "--profile", "none"], "profile: \"none\" is no"),
        (["set", DEVICE, "--description", 128 * "x"], "description: is 128"),
        (["set", DEVICE, "--description", "a\tb"], "description: holds"),
        (["set", DEVICE, "--model", 32 * "m"], "model: is 32"),
        (["set", DEVICE, "--line", "10 01"], "line1: must be"),
        (["set", DEVICE, "--line", ""], "line1: must be"),
        (["set", DEVICE, "--line", "1", "--line", "1"], "line2: is the same"),
        (["set", DEVICE, "--line", "1," + 40 * "l"], "line1_label: is 40"),
        (["set", DEVICE, "--line", "1,a," + 64 * "o"], "line1_owner: is 64"),
        (["set", DEVICE, "--dial", "1,a,lamp"], "dial1_type: must be blf"),
        (["set", DEVICE, *43 * ["--line", "1"]], "lines: has 43"),
        (["set", DEVICE, *200 * ["--dial", "1,a"]], "dials: has 200"),
        (["set", DEVICE, "--softkeys", "redial,foo,hold"],
         "softkeys: \"foo\" is none: there are redial,newcall,hold,"),
        (["set", DEVICE, "--softkeys", "redial,"], "softkeys: \"\" is none"),
        (["set", DEVICE, "--softkeys", "redial,standard"],
         "softkeys: \"standard\" is none"),
        (["set", DEVICE, "--softkeys", 42 * "ü" + "x"],
         "gpickup; or standard, all of them"),
        (["set", DEVICE, "--softkeys", 64 * "ü"], "softkeys: is 128"),
        (["set", DEVICE, "--digest-user", "a:b"], "digest_user: must not"),
        (["set", DEVICE, "--digest-user", "a"], "digest_password: is missing"),
    ]
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "add", DEVICE)
        before = admin.json("device", "list")
        for words, why in rows:
            said = admin.refused("device", *words)
            assert why in said, f"{words}: {said}"
        same(admin.json("device", "list"), before)
        for words in (["add"], ["set", DEVICE], ["remove"], ["show"],
                      ["list", "x"], ["import"], ["export", "a", "b"],
                      ["set", DEVICE, "--mic", "maybe"],
                      ["set", DEVICE, "--nonsense", "1"],
                      ["set", DEVICE, "--model"]):
            admin.refused("device", *words, code=2)


def the_api_refuses_bad_bodies():
    path = f"/v1/devices/{DEVICE}"
    rows = [
        ({}, "text/plain", 415), ("{", "application/json", 400),
        ("[]", "application/json", 400), ("", "application/json", 400),
        ('{"mic":true,"mic":false}', "application/json", 400),
        ('{"mic":"yes"}', "application/json", 400),
        ('{"nonsense":1}', "application/json", 400),
        ('{"softkeys":["redial"]}', "application/json", 400),
        ('{"name":"SEP1"}', "application/json", 400),
        ('{"model":"a\\u0000b"}', "application/json", 400),
        ('{"lines":{}}', "application/json", 400),
        ('{"lines":["1"]}', "application/json", 400),
        ('{"lines":[{"number":1}]}', "application/json", 400),
        ('{"lines":[{"number":"1","x":"1"}]}', "application/json", 400),
        ('{"digest":{"user":"a","pass":"b"}}', "application/json", 400),
        ('"' + 70000 * "x" + '"', "application/json", 413),
        (f'{{"lines":{5000 * "["}{5000 * "]"}}}', "application/json", 400),
    ]
    with Daemon(config()) as daemon:
        for method in ("PUT", "PATCH"):
            for body, kind, status in rows:
                said = daemon.ask_admin(path, method, str(body), kind)
                same(said[0], status, f"{method} {str(body)[:60]}: {said[1]}")
        same(daemon.ask_admin(path, "PUT")[0], 415)
        same(daemon.ask_admin(path, "POST", {})[0], 413)
        same(daemon.ask_admin(path, "POST")[0], 405)
        same(daemon.ask_admin("/v1/devices/a/b")[0], 404)
        same(daemon.ask_admin("/v1/devices?limit=0")[0], 400)
        same(daemon.get("/v1/status")["inventory"], {"devices": 0})
        what = {"mic": True, "softkeys": "hold", "lines": [{"number": "1"}]}
        daemon.order(path, "PUT", what)
        same(daemon.order(path, "PATCH", {"softkeys": None})["softkeys"],
             "standard")
        daemon.order(path, "PATCH", {"softkeys": "park,hold"})
        same(daemon.order(path, "PATCH", {"mic": None})["mic"], False)
        shown = daemon.order(path, "GET")
        same(daemon.order(path, "PUT", shown), shown, "what is shown is taken")
        anew = daemon.order(path, "PUT", {})
        same((anew["lines"], anew["softkeys"]), ([], "standard"),
             "all of it anew")


def what_the_file_says_stays():
    fixed = {DEVICE: {"mic": True, "profile": "non-secure"}}
    path = config(devices=fixed)
    with Daemon(path) as daemon:
        admin = Admin(daemon)
        same(admin.json("device", "show", DEVICE)["source"], "config")
        for words in (["set", DEVICE, "--mic", "no"], ["remove", DEVICE],
                      ["import", *admin.import_text(f"name\n{DEVICE}\n")]):
            holds(admin.refused("device", *words), os.path.basename(path))
        admin.say("device", "import",
                  *admin.import_text("name\nSEP1\n", "--replace"))
        same([d["name"] for d in admin.json("device", "list")["devices"]],
             [DEVICE, "SEP1"])
        assert DEVICE not in admin.say("device", "export")


def without_a_folder_nothing_changes():
    with Daemon(config(state=None)) as daemon:
        admin = Admin(daemon)
        same(admin.json("device", "list"), {"devices": []})
        for words in (["device", "add", DEVICE], ["profile", "add", "x"],
                      ["device", "import", *admin.import_text("name\nS\n")],
                      ["auto-registration", "open", "--for", "1h"]):
            holds(admin.refused(*words), "state.folder")


def lists_come_in_pages_and_by_filter():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        rows = "".join(f"SEP{n:04},{'sip' if n % 2 else 'sccp'},{n + 1000}\n"
                       for n in range(2500))
        admin.say("device", "import",
                  *admin.import_text("name,protocol,line1\n" + rows))
        first = daemon.order("/v1/devices", "GET")
        same((len(first["devices"]), first["total"], first["next"]),
             (1000, 2500, "SEP0999"))
        same([d["name"] for d in admin.json("device", "list")["devices"]],
             [f"SEP{n:04}" for n in range(2500)])
        for words, count in ((["--protocol", "sip"], 1250),
                             (["--name", "sep001*"], 10),
                             (["--number", "1007"], 1),
                             (["--profile", "non-secure"], 0)):
            same(len(admin.json("device", "list", *words)["devices"]), count,
                 f"{words}")


# ---- digest ----

def a_password_is_kept_nowhere():
    where = config()
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        admin.say("device", "add", DEVICE, "--digest-user", "anna",
                  "--digest-password-stdin", stdin=None,
                  input="correct horse\n")
        shown = admin.json("device", "show", DEVICE)
        same(shown["digest"], {"user": "anna"})
        holds(admin.say("device", "export"), ",anna,")
        admin.say("device", "set", DEVICE, "--digest-user", "anna")
        holds(admin.refused("device", "set", DEVICE, "--digest-user", "bob"),
              "digest_password")
        # What was exported is taken: the same user keeps its secret.
        admin.say("device", "export", LAB.path("out.csv"))
        same(admin.json("device", "import", LAB.path("out.csv")),
             {"added": 0, "changed": 0, "unchanged": 1, "removed": 0,
              "dryRun": False})
        admin.refused("device", "set", DEVICE, "--digest-password-stdin",
                      code=2)
        assert "correct horse" not in "\n".join(daemon.log.lines)
    folder = state_folder()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            assert b"correct horse" not in f.read(), name


# ---- CSV ----

HEADER = ("name,protocol,model,description,profile,mic,softkeys,digest_user,"
          "line1,line1_label,line1_owner,line2,line2_label,line2_owner,"
          "dial1,dial1_label,dial1_type\r\n")
WHOLE = HEADER + (
    'SEP1,sip,CP-8861,"Hall, ""big""",encrypted,yes,"redial,hold",,'
    '1001,Hall,anna,1002,,,*98,"Voice, mail",blf\r\n'
    'SEP2,any,, odd ,non-secure,no,standard,,,,,,,,,,\r\n'
    'SEP3,sccp,,Grüße,authenticated,no,standard,,3,,,,,,,,\r\n').replace(
        ", odd ,", ',\" odd \",')


def what_is_exported_imports_to_the_same():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        same(admin.json("device", "import", *admin.import_text(WHOLE)),
             {"added": 3, "changed": 0, "unchanged": 0, "removed": 0,
              "dryRun": False})
        before = admin.json("device", "list")
        path = LAB.path("export.csv")
        admin.say("device", "export", path)
        with open(path, encoding="utf-8", newline="") as f:
            same(f.read(), WHOLE)
        same(admin.json("device", "import", path)["unchanged"], 3)
        for n in (1, 2, 3):
            admin.say("device", "remove", f"SEP{n}")
        admin.say("device", "import", path)
        same(admin.json("device", "list"), before)


def the_widest_device_imports_too():
    lines = [{"number": f"{n}", "label": "l", "owner": "o"}
             for n in range(42)]
    dials = [{"number": f"{n}", "label": "d", "type": "blf"}
             for n in range(199)]
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        shown = daemon.order(f"/v1/devices/{DEVICE}", "PUT",
                             {"lines": lines, "dials": dials})
        same((shown["lines"], shown["dials"]), (lines, dials))
        path = LAB.path("wide.csv")
        admin.say("device", "export", path)
        admin.say("device", "remove", DEVICE)
        same(admin.json("device", "import", path)["added"], 1)
        same(admin.json("device", "show", DEVICE), shown)


def the_manual_tells_every_column():
    """Those of its table, all of them, are the columns that there are."""
    with open(os.path.join(SOURCE, "docs", "devices.md"),
              encoding="utf-8") as f:
        rows = re.findall(r"^\| (`.*?) \| ", f.read(), re.M)
    told = [re.findall(r"`(\w+)`", row) for row in rows]
    ends = [name for row in told for name in row]
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "import", *admin.import_text(
            ",".join(ends) + "\nSEP1" + "," * (len(ends) - 1) + "\n"))
        found = admin.refused("device", "import",
                              *admin.import_text("name,nonsense\n"))
        exported = admin.say("device", "export").splitlines()[0].split(",")
    holds(found, *(f"{name}," for name in ends
                   if not re.search("line|dial", name)))
    first = {row[0] for row in told} | {"line1_label", "line1_owner"}
    same(set(exported) - first, set(), "columns that are exported, not told")
    assert {"line42", "dial199"} <= set(ends), ends


def columns_that_are_not_there_change_nothing():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "import", *admin.import_text(WHOLE))
        before = admin.json("device", "show", "SEP1")
        text = "profile,NAME\nnon-secure,sep1\n"
        admin.say("device", "import", *admin.import_text(text))
        same(admin.json("device", "show", "SEP1"),
             {**before, "name": "sep1", "profile": "non-secure"})
        admin.say("device", "import",
                  *admin.import_text("name,line1\nSEP1,77\n"))
        same([line["number"] for line in
              admin.json("device", "show", "SEP1")["lines"]], ["77"])


def a_dry_run_tells_and_does_nothing():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("device", "import", *admin.import_text(WHOLE))
        before = admin.json("device", "list")
        text = "name,mic\nSEP1,no\nSEP2,no\nSEP9,no\n"
        words = ["device", "import", *admin.import_text(text, "--replace")]
        would = admin.json(*words, "--dry-run")
        same(would, {"added": 1, "changed": 1, "unchanged": 1, "removed": 1,
                     "dryRun": True})
        same(admin.json("device", "list"), before)
        same(admin.json(*words), {**would, "dryRun": False})
        same([d["name"] for d in admin.json("device", "list")["devices"]],
             ["SEP1", "SEP2", "SEP9"])
        same(len(daemon.events("admin")), 2, "a dry run is no change")


def a_bad_row_is_named_and_nothing_is_taken():
    rows = [
        ("", "1: name: is missing"),
        ("model\nx\n", "1: name: is missing"),
        ("name,name\na,b\n", "1: name: is there twice"),
        ("name,colour\na,b\n", "1: colour: is no column"),
        ("name,line43\na,1\n", "1: line43: is no column"),
        ("name;mic\na;no\n", "1: name;mic: is no column"),
        ("name,mic\nSEP1,no\nSEP2\n", "3: the row has 1"),
        ("name,mic\n\n\nSEP1,no\nSEP2,maybe\n", "5: mic: must be yes"),
        ("name,softkeys\nSEP1,hold;park\n", "2: softkeys: \"hold;park\""),
        ("name,mic\nSEP1,no\n\"SEP2,no\n", "3: field 1: the quotation"),
        ("name,mic\nSEP1,no\nSEP\0,no\n", "3: field 1: holds a control"),
        ("name,mic\nSEP1,no\nsep1,yes\n", "3: name: is the same as in line 2"),
        ("name,profile\nSEP1,none\n", "2: profile: \"none\" is no profile"),
        ("name,line1,line2\nSEP1,,2\n", "2: line1: is empty, but line2"),
        ("name,line1_label\nSEP1,hall\n", "2: line1: is empty"),
        ("name,dial1,dial1_label\nSEP1,,hall\n", "2: dial1: is empty"),
        ("name,dial1_type\nSEP1,blf\n", "2: dial1: is empty"),
        ("name,dial1,dial1_type\nSEP1,1,x\n", "2: dial1_type: must be blf"),
        ("name,dial1_owner\nSEP1,a\n", "1: dial1_owner: is no column"),
        ("name,digest_user\nSEP1,anna\n", "2: digest_password: is missing"),
        ("name,digest_password\nSEP1,pw\n", "2: digest_user: is missing"),
        ("name,description\nSEP1," + 1001 * "x" + "\n", "2: field 2: is long"),
        ("name,description\nSEP1,\xff\n", "2: description: holds"),
    ]
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        for text, why in rows:
            path = LAB.path("bad.csv")
            with open(path, "wb") as f:
                f.write(text.encode("latin-1"))
            said = admin.refused("device", "import", path)
            holds(said, f"{path}:{why}", "nothing of")
        text = "name,mic\n" + "".join(f"SEP{n},x\n" for n in range(50))
        said = admin.refused("device", "import", *admin.import_text(text))
        same(said.count(": mic: "), 10, "places told")
        same(daemon.get("/v1/status")["inventory"], {"devices": 0})
        status, said = daemon.ask_admin("/v1/devices/import", "POST",
                                        "name\nx\n", "text/plain")
        same(status, 415, said)
        holds(admin.refused("device", "import", LAB.path("nowhere.csv")),
              "nowhere.csv")


# ---- profiles ----

def a_profile_of_ones_own():
    where = config()
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        same([p["name"] for p in admin.json("profile", "list")["profiles"]],
             ["non-secure", "authenticated", "encrypted"])
        admin.say("profile", "add", "our phones", "--mode", "encrypted",
                  "--description", "Grüße", "--rsa-bits", "4096")
        shown = admin.json("profile", "show", "our phones")
        same(shown, {
            "name": "our phones", "description": "Grüße", "predefined": False,
            "mode": "encrypted", "transport": "tls", "sipPhonePort": 5060,
            "nonceSeconds": 600, "digest": False, "oauth": False,
            "excludeDigestCredentials": False, "encryptedConfig": False,
            "authenticationMode": "By Null String", "keyOrder": "RSA Only",
            "rsaBits": 4096, "ecBits": 0})
        admin.say("device", "add", DEVICE, "--profile", "our phones")
        holds(admin.refused("profile", "remove", "our phones"), DEVICE,
              "in use")
        admin.say("profile", "set", "our phones", "--mode", "non-secure",
                  "--digest", "yes")
        admin.say("profile", "add", "second")
    with Daemon(where) as daemon:
        admin = Admin(daemon)
        same(admin.json("profile", "show", "our phones"),
             {**shown, "mode": "non-secure", "transport": "tcp+udp",
              "digest": True})
        admin.say("device", "remove", DEVICE)
        admin.say("profile", "remove", "our phones")
        same([p["name"] for p in admin.json("profile", "list")["profiles"]],
             ["non-secure", "authenticated", "encrypted", "second"])


def bad_profiles_name_field_and_rule():
    rows = [
        (["add", "encrypted"], "predefined"),
        (["set", "non-secure", "--digest", "yes"], "predefined"),
        (["remove", "authenticated"], "predefined"),
        (["remove", "nothing"], "no profile"),
        (["add", "mine"], "is there already"),
        (["add", "a%b"], "name: must not"),
        (["add", 64 * "p"], "name: is 64"),
        (["add", "x", "--description", 51 * "ü"], "description: must have"),
        (["add", "x", "--description", "a<b"], "description: must not"),
        (["add", "x", "--mode", "secure"], "mode: must be one of"),
        (["add", "x", "--mode", "encrypted", "--transport", "tcp"],
         "transport: must be tls"),
        (["add", "x", "--transport", "tls"], "transport: must not be tls"),
        (["add", "x", "--sip-phone-port", "0"], "sipPhonePort: must"),
        (["add", "x", "--sip-phone-port", "65536"], "sipPhonePort: must"),
        (["add", "x", "--nonce-seconds", "1"], "nonceSeconds: must"),
        (["add", "x", "--rsa-bits", "2047"], "rsaBits: must"),
        (["add", "x", "--key-order", "EC Only"], "ecBits: is missing"),
        (["add", "x", "--ec-bits", "255"], "ecBits: must"),
        (["add", "x", "--oauth", "yes"], "oauth: is only"),
        (["add", "x", "--mode", "encrypted", "--oauth", "yes", "--digest",
          "yes"], "oauth: is only"),
        (["add", "x", "--authentication-mode", "none"],
         "authenticationMode: must be one of"),
    ]
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        admin.say("profile", "add", "mine", "--mode", "encrypted", "--oauth",
                  "yes", "--key-order", "EC Only", "--ec-bits", "384")
        for words, why in rows:
            said = admin.refused("profile", *words)
            assert why in said, f"{words}: {said}"
        same(len(admin.json("profile", "list")["profiles"]), 4)


# ---- bodies ----

def post(daemon, path, *headers):
    """A connection on which a POST has begun."""
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(6 * DEADLINE_S)
    one.connect(daemon.admin_socket)
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]
    one.sendall("\r\n".join(lines).encode())
    return one


def bodies_have_limits_whatever_they_say():
    kind = "Content-Type: text/csv"
    with Daemon(config()) as daemon:
        for length, status in (("67108865", 413), ("99999999999999", 413),
                               ("x", 400)):
            with post(daemon, "/v1/devices/import", kind,
                      f"Content-Length: {length}") as one:
                said = one.recv(1000).decode()
                assert said.startswith(f"HTTP/1.1 {status}"), said
        # Chunked: nobody knows how long, so it is cut off when it is.
        with post(daemon, "/v1/auto-registration",
                  "Content-Type: application/json",
                  "Transfer-Encoding: chunked") as one:
            try:
                for _ in range(100):
                    one.sendall(b"400\r\n" + 1024 * b" " + b"\r\n")
                assert one.recv(1000) == b"", "it was taken"
            except (BrokenPipeError, ConnectionResetError):
                pass
        # The longest there may be has room, to its last byte.
        longest = b"name\n".ljust(64 << 20, b"\n")
        with post(daemon, "/v1/devices/import", kind,
                  f"Content-Length: {len(longest)}") as one:
            one.sendall(longest)
            holds(one.recv(1000).decode(), "HTTP/1.1 200", "unchanged")
        # One long body after the other, not all at once.
        long, other = 33 << 20, 17 << 20
        with post(daemon, "/v1/devices/import", kind,
                  f"Content-Length: {long}") as first, \
                post(daemon, "/v1/devices/import", kind,
                     f"Content-Length: {other}") as second:
            first.sendall((long - 1) * b"\n")
            second.sendall(other * b"\n")
            said = second.recv(1000).decode()
            holds(said, "HTTP/1.1 503", "come later")
            same(daemon.ask_admin("/v1/devices/S1", "PUT", {})[0], 200)
            first.sendall(b"\n")
            holds(first.recv(1000).decode(), "HTTP/1.1 400", "name")
        rows = "".join(f"S{n}\n" for n in range(5))
        same(daemon.order("/v1/devices/import", "POST", "name\n" + rows,
                          "text/csv; charset=utf-8")["added"], 4)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_device_lives_and_changes_and_goes,
        refusals_name_field_and_rule,
        the_api_refuses_bad_bodies,
        what_the_file_says_stays,
        without_a_folder_nothing_changes,
        lists_come_in_pages_and_by_filter,
        a_password_is_kept_nowhere,
        what_is_exported_imports_to_the_same,
        the_widest_device_imports_too,
        the_manual_tells_every_column,
        columns_that_are_not_there_change_nothing,
        a_dry_run_tells_and_does_nothing,
        a_bad_row_is_named_and_nothing_is_taken,
        a_profile_of_ones_own,
        bad_profiles_name_field_and_rule,
        bodies_have_limits_whatever_they_say))
