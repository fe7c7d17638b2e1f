/* SPDX-License-Identifier: Apache-2.0 */
/* Every command: its words, its function, what it changes, its help. */
#include "registrar/ctl/commands.h"

#include <stdlib.h>
#include <string.h>

#include "certs/lab.h"
#include "registrar/ctl/wrap.h"
#include "registrar/memory.h"

/* ---- what several of them take ---- */

#define WHO                                                             \
	"NAME... | --csv FILE | --model GLOB --subnet NET --issuer CA " \
	"--expires-before DATE"
#define ORDER                                                                 \
	" [--mode M] [--rate N/min] [--completes-by TIME] [--no-reset] "      \
	"[--replace] [--digits N] [--string-until TIME] [--null-until TIME] " \
	"[--strings-to FILE]"

#define LEAF(symbol, option, file, ca) option " "

static const char store[] = "  --store  callmanager (default) or capf\n";
static const char capf_order[] =
	"  --csv FILE            one device a row: its first column, or the "
	"one called\n"
	"                        \"name\" or \"Device Name\"\n"
	"  --model, --subnet, --issuer, --expires-before\n"
	"                        those of the inventory that fit all of these: "
	"subnet of\n"
	"                        the last known address, issuer (CN, SHA-256 "
	"or file) and\n"
	"                        end of the LSC\n"
	"  --mode string|null|lsc|mic  how they prove who they are (as their "
	"profile says)\n"
	"  --rate N/min          so many are told to come in a minute\n"
	"  --completes-by TIME   2026-11-26T18:00:00Z, or 2h from now on\n"
	"  --no-reset            they are not told: they come when they "
	"restart\n"
	"  --replace             what is pending for them gives way\n"
	"  --digits N            length of the authentication strings\n"
	"  --string-until TIME, --null-until TIME  until when they may come "
	"so\n"
	"  --strings-to FILE     the list for the installers (mode 0600), not "
	"on the screen\n"
	"exit status: 3 when nothing but operations that are pending was in "
	"the way\n";

static const char device_words[] =
	"NAME [--protocol any|sccp|sip] [--model M] [--description TEXT] "
	"[--profile PROFILE] [--mic yes|no] [--line NUMBER[,LABEL[,OWNER]]]... "
	"[--dial NUMBER[,LABEL[,blf]]]... [--softkeys standard|KEY[,KEY]...] "
	"[--digest-user USER --digest-password-stdin]";

static const char profile_words[] =
	"NAME [--mode non-secure|authenticated|encrypted] "
	"[--transport tcp+udp|tcp|udp|tls] [--description TEXT] "
	"[--sip-phone-port N] [--nonce-seconds N] [--digest yes|no] "
	"[--exclude-digest-credentials yes|no] [--encrypted-config yes|no] "
	"[--oauth yes|no] [--authentication-mode M] [--key-order K] "
	"[--rsa-bits N] [--ec-bits N]";

static const char export_words[] =
	"--for 802.1x|asa|ios|pem|hashed-dir [--out DIR] "
	"[--store callmanager|capf|DIR] [--with FILE]...";

static const char export_more[] =
	"  --for    who is to judge phones' certificates with the CAs\n"
	"  --out    the folder to make (./dialtone-WHO); an earlier export is\n"
	"           replaced, any other folder is refused\n"
	"  --store  whose CAs: those the registrar has in force "
	"(callmanager),\n"
	"           those of its CAPF-trust, or those in a folder\n"
	"  --with   issuers of those CAs, to make their chains whole\n";

/* ---- the table ---- */

const struct ctl_command ctl_commands[] = {
	{"status", NULL, ctl_status, false, "", "how the registrar is", NULL},
	{"phones", NULL, ctl_phones, false, "", "every phone it knows", NULL},
	{"phone", "reset", ctl_phone_reset, true, "NAME", "it starts anew",
		NULL},
	{"phone", "restart", ctl_phone_restart, true, "NAME",
		"it registers anew", NULL},
	{"phone", "apply", ctl_phone_apply, true, "NAME",
		"it reads its configuration again", NULL},
	{"phone", "history", ctl_phone_history, false, "NAME",
		"what happened to it lately", NULL},
	{"phone", "cert", ctl_phone_cert, false, "NAME [--pem | --text]",
		"its certificates, and who believes them",
		"  --pem   the certificates themselves\n"
		"  --text  as openssl x509 -text shows them\n"},
	{"phone", NULL, ctl_phone, false, "NAME",
		"one phone, and why it was refused", NULL},
	{"explain", NULL, ctl_explain, false,
		"NAME | --log FILE [NAME] | --pcap FILE [NAME]",
		"why a phone is not registered, and the cure",
		"  NAME    a device, as its phone calls itself\n"
		"  --log   a phone's console log: what its lines mean\n"
		"  --pcap  a capture (pcap, pcapng): its TLS handshakes, those "
		"of NAME\n"
		"          alone if it is given\n"},
	{"failures", NULL, ctl_failures, false, "",
		"the last refusals: what was shown, which rule, the cure",
		NULL},
	{"trust", "list", ctl_trust_list, false, "[--store callmanager|capf]",
		"the anchors in force, and how many devices hang on each",
		store},
	{"trust", "show", ctl_trust_show, false,
		"FILE|SHA256 [--store callmanager|capf|DIR]",
		"all that is known of one CA",
		"  FILE     its name in the store's folder\n"
		"  SHA256   its fingerprint, or the first digits of it (8 at "
		"least)\n"
		"  --store  callmanager (default), capf, or a folder\n"},
	{"trust", "add", ctl_trust_add, true,
		"FILE [--store callmanager|capf|DIR] [--as NAME]",
		"a CA into a store, judged before it is there",
		"  FILE     one CA certificate or several, PEM or DER\n"
		"  --store  callmanager (default), capf, or a folder\n"
		"  --as     its file's name there; default: as CUCM names it, "
		"by the first\n"
		"           one's common name and serial number\n"
		"  It is judged first, as the registrar would judge the folder "
		"with it.\n"
		"exit status: 0 in force, or written where no registrar looks; "
		"1 refused;\n"
		"3 the same CA, or another file of that name, is there "
		"already\n"},
	{"trust", "status", ctl_trust_status, false,
		"[--store callmanager|capf]",
		"is what the folders say in force?",
		"  --store  of one alone\n"
		"exit status: 1 while anything is refused\n"},
	{"trust", "reload", ctl_trust_reload, true, "",
		"read the folders now; files may have lost certificates",
		"  What it would change: dialtone trust diff DIR, with the "
		"folder itself.\n"},
	{"trust", "check", ctl_trust_check, false,
		"CERT [--store callmanager|capf|DIR]",
		"would this phone be let in, and if not, why",
		"  CERT     the phone's certificate (PEM or DER), its chain "
		"behind it\n"
		"  --store  judge with this store of the registrar's, or with "
		"a folder;\n"
		"           default: callmanager, and whether it may register "
		"then\n"
		"exit status: 0 it would be let in, 1 it would not\n"},
	{"trust", "lint", ctl_trust_lint, false,
		"[DIR | --store callmanager|capf|DIR]",
		"what would be refused, and what to look at",
		"  every file that would be refused, with the rule and the "
		"cure, and what\n"
		"  is worth knowing of the others; a folder needs no registrar "
		"that runs\n"
		"exit status: 0 nothing would be refused, 1 something would\n"},
	{"trust", "remove", ctl_trust_remove, true,
		"FILE... [--store S] [--force]",
		"CAs out of a store, unless it locks phones out",
		"  FILE     its name in the store's folder; a CA's list of "
		"revoked\n"
		"           certificates goes with it: name both\n"
		"  --store  callmanager (default) or capf\n"
		"  --force  remove it even if somebody is locked out\n"
		"exit status: 3 phones hang on it\n"},
	{"trust", "diff", ctl_trust_diff, false, "DIR [--store S]",
		"what this folder instead would change",
		"  DIR      the folder that might take the store's place\n"
		"  --store  callmanager (default) or capf\n"
		"exit status: 3 it would lock phones out\n"},
	{"trust", "expiry", ctl_trust_expiry, false, "",
		"what ends in which month", NULL},
	{"trust", "retiring", ctl_trust_retiring, false, "",
		"the devices that still hang on a retiring CA", NULL},
	{"trust", "export", ctl_trust_export, true, export_words,
		"the CAs as others need them", export_more},
	{"device", "list", ctl_device_list, false,
		"[--name GLOB] [--profile P] [--protocol P] [--number N]",
		"the inventory", NULL},
	{"device", "show", ctl_device_show, false, "NAME", "all about one",
		NULL},
	{"device", "add", ctl_device_add, true, device_words, "a new one",
		NULL},
	{"device", "set", ctl_device_set, true,
		"NAME and options of device add [--no-lines] [--no-dials] "
		"[--no-digest]",
		"change one; what is not named stays",
		"  --line and --dial give all of them anew\n"},
	{"device", "remove", ctl_device_remove, true, "NAME", "take one out",
		NULL},
	{"device", "import", ctl_device_import, true, "FILE [--replace]",
		"a CSV file, all of it or none",
		"  --replace  whatever is not in the file is removed\n"},
	{"device", "export", ctl_device_export, true, "[FILE]", "as CSV", NULL},
	{"profile", "list", ctl_profile_list, false, "",
		"the security profiles", NULL},
	{"profile", "show", ctl_profile_show, false, "NAME", "all about one",
		NULL},
	{"profile", "add", ctl_profile_add, true, profile_words, "a new one",
		NULL},
	{"profile", "set", ctl_profile_set, true,
		"NAME and options of profile add",
		"change one; what is not named stays", NULL},
	{"profile", "remove", ctl_profile_remove, true, "NAME",
		"take one out, once none follows it", NULL},
	{"capf", "install", ctl_capf_install, true, WHO ORDER,
		"they get a new LSC", capf_order},
	{"capf", "delete", ctl_capf_delete, true, WHO ORDER,
		"they give their LSC back", capf_order},
	{"capf", "troubleshoot", ctl_capf_troubleshoot, true, WHO ORDER,
		"their certificates are fetched", capf_order},
	{"capf", "cancel", ctl_capf_cancel, true, "NAME...",
		"what is pending for them is not done", NULL},
	{"capf", "list", ctl_capf_list, false, "[--pending | --failed]",
		"the last operation of each device", NULL},
	{"capf", "show", ctl_capf_show, false, "NAME",
		"its operation, and why not", NULL},
	{"capf", "stale", ctl_capf_stale, false, "",
		"the LSCs that were issued and perhaps never arrived", NULL},
	{"capf", "ledger", ctl_capf_ledger, false,
		"[--device NAME] [--state S] [--issuer I] [--expires-before "
		"D]",
		"every LSC that was issued",
		"  --state  stale, installed, replaced or deleted\n"},
	{"capf", "audit", ctl_capf_audit, false, "[--from N | --check]",
		"every issue and refusal, chained",
		"  --from   the link to begin with\n"
		"  --check  does the chain hold?\n"},
	{"capf", "csr", ctl_capf_csr, true,
		"list | export [--out DIR] [--all | NAME...] | import FILE...",
		"keys that wait for a CA outside, and its certificates",
		"  export  writes the requests that were not exported yet, all "
		"that wait\n"
		"          (--all), or those of some devices, and README.txt\n"
		"  --out   a folder, which is made if need be (default: here)\n"
		"  import  takes the certificates of a CA outside: PEM or DER, "
		"one or many\n"},
	{"capf", "clock", ctl_capf_clock, true, "[--accept]",
		"may our clock date LSCs, as far as the ledger knows?",
		"  --accept  it is right, and was ahead when the newest LSCs "
		"were issued:\n"
		"            issuing goes on\n"
		"exit status: 1 it may not\n"},
	{"capf", "status", ctl_capf_status, false, "",
		"who issues, what is pending, what holds it up",
		"exit status: 1 while nothing is issued\n"},
	{"auto-registration", "open", ctl_auto_open, true,
		"--until 2026-11-26T18:00:00Z | --for 2h [--allow-plain]",
		"add who is unknown, until then",
		"  --allow-plain  those that come without TLS, too\n"},
	{"auto-registration", "close", ctl_auto_close, true, "", "add nobody",
		NULL},
	{"auto-registration", "show", ctl_auto_show, false, "", "is it open?",
		NULL},
	{"ticket-keys", "show", ctl_ticket_keys_show, false, "",
		"the keys that seal session tickets, by name", NULL},
	{"ticket-keys", "rotate", ctl_ticket_keys_rotate, true, "",
		"a new ticket key now", NULL},
	{"ticket-keys", "revoke-all", ctl_ticket_keys_revoke_all, true, "",
		"no phone resumes before a full handshake", NULL},
	{"rollover", "start", ctl_rollover_start, true, "",
		"a new CAPF root, trusted beside the old one, signs", NULL},
	{"rollover", "issue", ctl_rollover_issue, true,
		"[--rate N] [--no-reset] [--watch]",
		"queue every phone of the old root",
		"  --rate      phones that are told in a minute; else all at "
		"once\n"
		"  --no-reset  none is told: each comes when it starts by "
		"itself\n"
		"  --watch     stay, and count them down\n"},
	{"rollover", "status", ctl_rollover_status, false, "[--watch]",
		"who still hangs on the old root, and since when unseen",
		"  --watch  stay, and count them down until none is left\n"},
	{"rollover", "export", ctl_rollover_export, true, export_words,
		"the CAs with both roots, as others need them", export_more},
	{"rollover", "finish", ctl_rollover_finish, true,
		"[--unseen | --force]",
		"the old root goes, unless a live phone hangs on it",
		"  --unseen  phones whose certificate was not seen have none "
		"of "
		"the old root\n"
		"  --force   also while phones hang on the old root\n"
		"exit status: 3 phones hang on it\n"},
	{"rollover", "cancel", ctl_rollover_cancel, true, "",
		"undo a start that was cut short", NULL},
	{"lab", "init", ctl_lab_init, true, "DIR [--host NAME] [--free-ports]",
		"make a PKI to try things with",
		"  makes CAs, server certificates, CallManager-trust, "
		"CAPF-trust, CAPF's\n"
		"  root and a dialtoned.json for loopback in DIR\n"
		"  --host        name in the server certificates (localhost)\n"
		"  --free-ports  let the system choose every port\n"},
	{"lab", "phone", ctl_lab_phone, true,
		"DIR NAME [--leaf KIND] [--key KEY] [--model MODEL] [--days N]",
		"make a phone's certificate",
		"  makes DIR/phones/NAME/KIND.pem and .key; the registrar "
		"knows NAME once\n"
		"  you say: dialtone device add NAME\n"
		"  --leaf " CERT_LAB_LEAF_LIST(
			LEAF) "(lsc)\n"
			      "  --key  rsa2048|rsa1024|rsa3072|p256|p384 "
			      "(rsa2048)\n"},
	{"lab", "revoke", ctl_lab_revoke, true, "DIR NAME [--leaf KIND]",
		"put it on its CA's list of revoked ones",
		"  puts DIR/phones/NAME/KIND.pem on its CA's list of revoked "
		"certificates\n"
		"  in DIR/CallManager-trust; tell dialtoned: dialtone trust "
		"reload\n"},
};
const size_t ctl_commands_n = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

/* ---- finding ---- */

const struct ctl_command *ctl_command_find(int argc, char **argv, int *taken)
{
	for (size_t i = 0; i < ctl_commands_n; i++) {
		const struct ctl_command *c = &ctl_commands[i];
		if (argc < 1 || strcmp(argv[0], c->noun) != 0)
			continue;
		*taken = c->verb ? 2 : 1;
		if (!c->verb || (argc > 1 && strcmp(argv[1], c->verb) == 0))
			return c;
	}
	return NULL;
}

/* ---- telling ---- */

void ctl_command_usage(FILE *to, const struct ctl_command *c)
{
	char *head = memory_format("usage: dialtone %s%s%s ", c->noun,
		c->verb ? " " : "", c->verb ? c->verb : "");
	wrap_to(to, head, c->words);
	free(head);
	wrap_to(to, "  ", c->help);
	if (c->changes)
		fputs("  --dry-run: only says what would come of it\n", to);
	if (c->more)
		fputs(c->more, to);
}

void ctl_command_list(FILE *to, const char *noun)
{
	for (size_t i = 0; i < ctl_commands_n; i++) {
		const struct ctl_command *c = &ctl_commands[i];
		if (!noun || strcmp(noun, c->noun) == 0)
			fprintf(to, "  %-17s %-12s %s\n", c->noun,
				c->verb ? c->verb : "", c->help);
	}
}

json_t *ctl_command_json(void)
{
	json_t *list = json_array();
	for (size_t i = 0; i < ctl_commands_n; i++) {
		const struct ctl_command *c = &ctl_commands[i];
		json_array_append_new(list,
			json_pack("{ss ss* sb ss ss ss*}", "noun", c->noun,
				"verb", c->verb, "changes", c->changes, "words",
				c->words, "help", c->help, "more", c->more));
	}
	return json_pack("{so}", "commands", list);
}
