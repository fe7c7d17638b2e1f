# SPDX-License-Identifier: Apache-2.0
"""What SIP phones do beside registering: digest, orders, coming back."""
import hashlib
import re
import sys

import sip
from clients import Phones, call, credential_words, tcp
from daemon import Daemon
from harness import fact, holds, same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"
made = 0


def config(**changes):
    """A state folder of its own each time."""
    global made
    made += 1
    return LAB.config(state={"folder": f"sip-life-{made}"},
                      admin={"socket": "sip-life.sock"}, **changes)


def add_passwords(daemon, **profile):
    daemon.order("/v1/profiles/passwords", "PUT",
                 {"mode": "non-secure", "digest": True, **profile})
    daemon.order(f"/v1/devices/{DEVICE}", "PUT", {
        "profile": "passwords",
        "digest": {"user": "anna", "password": "geheim"}})


def plain(daemon, *words):
    return call(daemon, "sip", "--device", DEVICE, *words, transport="tcp")


def digest_lets_in_who_knows_the_password():
    with Daemon(config(sip={"realm": "lab.test"})) as daemon:
        add_passwords(daemon)
        known = "--username", "anna", "--password"
        good = plain(daemon, *known, "geheim").outcome("registered")
        holds(good.console, "challenged, algorithm SHA-256")
        plain(daemon).outcome("rejected")
        holds(plain(daemon, *known, "geraten").outcome("rejected").console,
              "401 Unauthorized")
        failure = daemon.wait_failure("digest-wrong", device=DEVICE)
        same(failure["reason"]["name"], "authenticationError")
        holds(failure["cure"], DEVICE, "realm lab.test")
        same([line for line in daemon.log.lines if "geheim" in line], [])


def answer_of(challenge, password, count):
    """The header that answers it."""
    def md(*parts):
        return hashlib.sha256(":".join(parts).encode()).hexdigest()
    nonce = re.search('nonce="([^"]*)"', challenge).group(1)
    uri, nc = f"sip:{sip.NODE}", f"{count:08x}"
    response = md(md("anna", "lab.test", password), nonce, nc, "c", "auth",
                  md("REGISTER", uri))
    return (f'Authorization: Digest username="anna",realm="lab.test",'
            f'nonce="{nonce}",uri="{uri}",algorithm=SHA-256,qop=auth,'
            f'cnonce="c",nc={nc},response="{response}"')


def what_was_overheard_is_never_good_again():
    """Not even once a wrong password came in between."""
    with Daemon(config(sip={"realm": "lab.test"})) as daemon:
        add_passwords(daemon)
        with tcp(daemon.port("sip", "tcp")) as connection:
            talk = sip.Talk(connection, DEVICE, transport="tcp")

            def register(*headers):
                return talk.ask(talk.request(
                    "REGISTER", "Contact: " + talk.contact(), *headers))
            challenge = register().headers["www-authenticate"][0]
            good = answer_of(challenge, "geheim", 1)
            same(register(good).status, 200)
            same(register(good).status, 401)
            same(register(answer_of(challenge, "x", 2)).status, 401)
            same(register(good).status, 401)
            same(register(answer_of(challenge, "geheim", 3)).status, 200)


def ordered(order, action, back, reason):
    """Told, obeyed, and back with the reason in its own words."""
    with Daemon(config()) as daemon, \
            Phones(daemon, "sip", *credential_words(LAB.phone(DEVICE))) \
            as phones:
        daemon.wait_phone(DEVICE, "registered")
        mark = daemon.mark()
        same(daemon.order(f"/v1/phones/{DEVICE}/{order}"),
             {"device": DEVICE, "told": order})
        answered = daemon.wait_event("ordered", mark, device=DEVICE)
        same((answered.fields["order"], answered.fields["status"]),
             (action, "200"))
        if reason:
            gone = daemon.wait_event("unregistered", mark, device=DEVICE)
            same(gone.fields["reason"], reason)
            daemon.wait_event("registered", mark, device=DEVICE)
        phone = daemon.wait_phone(DEVICE, "registered")
        report = phones.leave().outcome("registered")
    same(phone["cameBackBecause"], back)
    holds(report.console, f"the server asked for a {action}")
    same("registered again" in report.console, bool(reason))


def facts():
    yield digest_lets_in_who_knows_the_password
    yield what_was_overheard_is_never_good_again
    for row in (("reset", "reset",
                 "cisco-alarm 22 reset-reset: it was ordered to reset",
                 "callManagerReset(9)"),
                ("restart", "restart",
                 "cisco-alarm 23 reset-restart: it was ordered to restart",
                 "callManagerForcedRestart(22)"),
                ("apply", "apply-config",
                 "cisco-alarm 25 initialized: it was switched on", None)):
        yield fact(f"{row[0]} is obeyed", ordered, *row)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
