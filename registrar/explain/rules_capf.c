/* SPDX-License-Identifier: Apache-2.0 */
/* What CAPF refuses a phone for: what it means, and what to type next. */
#include "registrar/explain/rules.h"

#define LOOK "dialtone capf show NAME shows what came.\n"

#define NEW_STRING                                                        \
	"dialtone capf install NAME --mode string --replace shows a new " \
	"string.\n"                                                       \
	"Or let it come without one: dialtone capf install NAME --mode "  \
	"null --replace (for a day at most), or --mode mic, if it has a " \
	"MIC whose CA is in CAPF-trust."

#define BY_ANOTHER_WAY                                                       \
	"Or let it prove itself another way: dialtone capf install NAME "    \
	"--mode string --replace, and somebody types the string at the "     \
	"phone; or --mode null, within a network that is yours alone: then " \
	"its name is its only proof, for a day at most."

#define ITS_CERTIFICATES                                                     \
	"dialtone phone cert NAME shows the certificates that are known of " \
	"it, and what CAPF-trust says of them.\n"

#define WAIT "Nothing has to be done: the phone tries again by itself.\n"

#define OLD_PHONE                                                        \
	LOOK "Look at the network on the way to the phone, and at its "  \
	     "console: dialtone explain --log FILE NAME\n"               \
	     "If it goes on: give the phone other firmware, or look at " \
	     "who comes under this name."

#define NO_PHONE                                                             \
	"Find out who sends this from that address: no phone's CAPF client " \
	"does. It has got nothing."

static const struct explain_rule rules[] = {
	/* who it is */
	{"capf-no-string", "",
		"The phone is to come with an authentication string, and came "
		"without one. Phones come by themselves when they start; the "
		"string is typed by somebody who stands before it.",
		"At the phone: Settings > Security Configuration, unlock with "
		"**#, LSC > Update, type the string.\n" NEW_STRING},
	{"capf-wrong-string", "",
		"The authentication string that was typed at the phone is not "
		"the one that this phone was given. After some of these it is "
		"void (capf.string_tries).",
		"Type it again; each phone has a string of its own.\n"
		"If it is lost: " NEW_STRING},
	{"capf-string-locked", "",
		"The authentication string was wrong too often, and is void: "
		"else somebody could try all of them.",
		"Find out who tried: " LOOK NEW_STRING},
	{"capf-string-expired", "",
		"The phone's authentication string has expired "
		"(capf.string_hours).",
		NEW_STRING},
	{"capf-null-string-ended", "",
		"The time in which the phone might come by its name alone is "
		"over.",
		"dialtone capf install NAME --mode null --replace, and be sure "
		"that it restarts in that time: dialtone phone reset NAME\n"
		"Or let it prove itself: --mode mic, --mode lsc or --mode "
		"string."},
	{"capf-no-proof", "",
		"The phone is to come by its certificate, and sent none, or "
		"none with a proof that it has the key of it: it has no such "
		"certificate.",
		ITS_CERTIFICATES BY_ANOTHER_WAY},
	{"capf-bad-proof", "",
		"The phone sent a certificate, and what it signed is not of "
		"that certificate's key over its name: it is damaged, or "
		"somebody shows a certificate that is not his.",
		LOOK "If that is the phone's own address: have it try again, "
		     "dialtone phone reset NAME\n"
		     "If not: find out who that is. It has got "
		     "nothing.\n" BY_ANOTHER_WAY},
	{"capf-other-device", "",
		"The certificate that came is of another device than the one "
		"that wants an LSC. A MIC proves a Cisco phone, and only that "
		"one.",
		LOOK "If the phone was replaced: add the new one under its "
		     "own name, dialtone device add.\n"
		     "If not: find out whose certificate that is."},
	{"capf-not-trusted", "",
		"CAPF-trust does not believe the certificate that the phone "
		"came with: its CA is not there, it has expired, or it breaks "
		"a rule. Which one is above.",
		ITS_CERTIFICATES
		"If its CA is to be believed: dialtone trust add FILE --store "
		"capf\n" BY_ANOTHER_WAY},
	{"capf-precedence", "",
		"The phone has both certificates, or the one that the "
		"operation does not want: by precedence to the LSC a MIC "
		"passes only while the phone has no LSC, and the other way "
		"round.",
		ITS_CERTIFICATES
		"Say which one it shall come with: dialtone capf install NAME "
		"--mode mic --replace (or --mode lsc); its configuration file "
		"must name the same mode (capfAuthMode).\n"
		"Or have its LSC deleted first: dialtone capf delete NAME "
		"--replace"},
	{"capf-bad-sudi", "",
		"The phone sent SUDI data, which is bound to this very "
		"session, and it does not hold.",
		LOOK "Have it try again: dialtone phone reset "
		     "NAME\n" BY_ANOTHER_WAY},
	{"capf-no-capf-trust", "",
		"The phone is to come by its certificate, and there is no "
		"CAPF-trust that could judge it.",
		"Name a folder as trust.capf in the configuration, and start "
		"dialtoned anew; then dialtone trust add FILE --store "
		"capf\n" BY_ANOTHER_WAY},
	/* its key */
	{"capf-key-failed", "",
		"The phone could not make a key of the kind that its profile "
		"asks for.",
		"dialtone device show NAME names the profile; dialtone profile "
		"show PROFILE its keys. 7900 phones make RSA up to 2048 "
		"alone.\n"
		"Give it another: dialtone profile set PROFILE --rsa-bits "
		"2048, then dialtone capf install NAME --replace"},
	{"capf-key-late", "",
		"The phone did not send its key in time (capf.keygen_s): old "
		"ones need half an hour for a long one.",
		"Raise capf.keygen_s in the configuration, or ask for a "
		"shorter key: dialtone device show NAME, dialtone profile set "
		"PROFILE --rsa-bits 2048\n"
		"dialtone capf install NAME --replace"},
	{"capf-key-unfit", "",
		"The key that the phone sent is not one to be certified: of "
		"another kind or size than asked for, or so weak that its "
		"private half can be computed. Which of these is above.",
		LOOK "ROCA and close primes are faults of the phone's chip or "
		     "firmware: give it other firmware, or an EC key by its "
		     "profile.\n"
		     "Old phones' exponent 3 is allowed by "
		     "capf.allow_exponent_3 in the configuration."},
	{"capf-no-ec", "",
		"The phone's profile wants EC keys alone, and its firmware "
		"speaks CAPF version 2, which knows RSA alone.",
		"dialtone device set NAME --profile PROFILE, one that allows "
		"RSA (key order RSA only, or EC preferred)\n"
		"dialtone capf install NAME --replace"},
	/* the phone on its way */
	{"capf-phone-gone", "",
		"The phone's connection ended before CAPF was done with it: it "
		"was restarted, lost its network, or does not believe CAPF's "
		"certificate. What was issued is kept, and is delivered again "
		"to the same key.",
		WAIT "If it does not come again: dialtone phone reset NAME\n"
		     "A phone that closes before it says anything does not "
		     "trust CAPF: its CTL or ITL file must name CAPF's "
		     "root (dialtone capf status)."},
	{"capf-phone-silent", "",
		"The phone did not answer CAPF in time (capf.answer_ms).",
		WAIT "If it goes on: look at the network on the way to the "
		     "phone; an MTU that swallows long packets stops "
		     "certificates first."},
	{"capf-phone-protocol", "",
		"The phone broke a rule of CAPF's protocol. Which one is "
		"above.",
		OLD_PHONE},
	{"capf-phone-refused", "",
		"The phone was asked to store, delete or show a certificate "
		"and said that it could not.",
		LOOK "dialtone capf troubleshoot NAME shows what it has.\n"
		     "If it goes on: a factory reset at the phone clears its "
		     "store; then dialtone capf install NAME --replace"},
	/* the CA outside */
	{"capf-ca-unreachable", "",
		"The CA outside, which is to sign, did not answer "
		"(capf.est_url, capf.est_ms).",
		"Look whether its EST server is there, and whether capf.est_ca "
		"vouches for its certificate: dialtoned's log says which.\n"
		"The phone tries again by itself, and so may you: dialtone "
		"capf install NAME --replace"},
	{"capf-ca-refused", "",
		"The CA outside answered that it does not sign this.",
		LOOK "Its own log knows why: our certificate there "
		     "(capf.est_certificate), its rules for names and keys.\n"
		     "Then: dialtone capf install NAME --replace"},
	{"capf-ca-unfit", "",
		"The CA outside sent something that is not the certificate "
		"asked for: another key, another name, no client "
		"authentication, or dates that are over.",
		LOOK "Correct that CA's template. Nothing of it was given to "
		     "the phone.\n"
		     "Then: dialtone capf install NAME --replace"},
	{"capf-ca-waiting", "",
		"The phone's request waits until the CA outside has signed it. "
		"Nothing is wrong.",
		"dialtone capf csr list shows what waits. Of an offline CA: "
		"export and import carry it there and back. Over EST: have it "
		"approved at the CA, which is asked again by itself. The phone "
		"gets it when it comes again."},
	/* ours */
	{"capf-late", "",
		"The phone did not come, or was not done, by the time that was "
		"set for it.",
		"dialtone capf install NAME, with a later --completes-by or "
		"none; dialtone phone history NAME shows whether it is there "
		"at all."},
	{"capf-device-gone", "",
		"The device was removed from the inventory while an operation "
		"was pending for it.",
		"If it is still yours: dialtone device add NAME, then dialtone "
		"capf install NAME"},
	{"capf-clock", "",
		"The registrar's clock stands before its CAPF root, or before "
		"the newest LSC of the ledger by more than five minutes: it "
		"is wrong, and so would be every date in a certificate.",
		"dialtone capf clock\n"
		"Correct the clock (NTP). CAPF issues again by itself: "
		"dialtone capf status\n"
		"If it is right, and was ahead when that LSC was issued: "
		"dialtone capf clock --accept"},
	{"capf-root-not-trusted", "",
		"The root that signs LSCs is not in force in CallManager-trust "
		"or CAPF-trust: a phone with a new LSC would be locked out.",
		"dialtone capf status says which root, and where.\n"
		"Its certificate lies in capf.folder: dialtone trust add "
		"NAME.pem, or copy it into the trust folder. CAPF issues again "
		"by itself."},
	{"capf-not-written", "",
		"The ledger could not be written, so nothing was issued: what "
		"is not in it must not exist.",
		"dialtone capf status says what the disk said; make room in "
		"the state folder.\n"
		"The phone tries again by itself."},
	{"capf-cancelled", "",
		"An admin cancelled what was pending for the phone.",
		"If that was a mistake: dialtone capf install NAME"},
	/* the protocol (protocols/capf/rule.h) */
	{"capf-protocol", "", "What came to the CAPF port is no CAPF.",
		"CAPF's port is 3804; a phone that registers has another: 5061 "
		"(SIP), 2443 (SCCP).\n" NO_PHONE},
	{"capf-too-long", "", "A message was longer than any of CAPF's can be.",
		OLD_PHONE},
	{"capf-overrun", "",
		"An element of a message was longer than the message.",
		OLD_PHONE},
	{"capf-duplicate", "", "A message had the same element twice.",
		OLD_PHONE},
	{"capf-empty", "", "A message had a number without a digit.",
		OLD_PHONE},
	{"capf-width", "",
		"A message had a number of another width than its kind has.",
		OLD_PHONE},
	{"capf-text", "", "A text in a message did not end as texts must.",
		OLD_PHONE},
	{"capf-text-too-long", "", "A text in a message was too long.",
		OLD_PHONE},
	{"capf-device-name", "",
		"The device name that came is empty, too long, or holds a "
		"character other than letters, digits and ._-",
		"Set a proper device name on the phone.\n" NO_PHONE},
	{"capf-certificates", "",
		"The certificates in a message were not in CAPF's form.",
		OLD_PHONE},
	{"capf-unknown-command", "",
		"A command came that nobody knows to have a meaning.",
		OLD_PHONE},
	{"capf-wrong-side", "",
		"A command came that only a server sends: another server, or a "
		"test tool, is at the other end.",
		NO_PHONE},
	{"capf-wrong-session", "",
		"A message was of another session than this one: it was meant "
		"for another server, or is an old one, replayed.",
		OLD_PHONE},
	{"capf-order", "",
		"A command came that was not due: the phone and CAPF lost step "
		"with each other.",
		OLD_PHONE},
	{"capf-missing-element", "", "A command came without what it is about.",
		OLD_PHONE},
	{"capf-value", "", "A number came that has no meaning.", OLD_PHONE},
	{"capf-in-advance", "",
		"The phone sent more than one message before it was asked.",
		OLD_PHONE},
	{"capf-silent", "",
		"The phone did not answer CAPF in time (capf.answer_ms; for "
		"its key capf.keygen_s).",
		WAIT "If it goes on: look at the network on the way to the "
		     "phone."},
	{"capf-not-reading", "", "The phone did not read what CAPF sent it.",
		"Look at the network on the way to the phone."},
	{"capf-unknown-device", "",
		"A phone asks for an LSC, and there is no device of this name "
		"in the inventory: it gets none.",
		"If it is yours: dialtone device add NAME, then dialtone capf "
		"install NAME\n"
		"If the name is wrong: correct it at the phone."},
	{"capf-retry-later", "", "The CAPF at the other end has no time now.",
		"Wait: it is asked again."},
};

const struct explain_rule *explain_rules_capf(size_t *n)
{
	*n = sizeof(rules) / sizeof(rules[0]);
	return rules;
}
