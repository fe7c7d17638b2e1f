/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone: the admin's command. One table: words, function, help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"
#include "registrar/version.h"

static const struct {
	const char *noun;
	const char *verb; /* NULL: the noun alone */
	int (*run)(const struct ctl *ctl, int argc, char **argv);
	const char *help;
} commands[] = {
	{"status", NULL, ctl_status, "how the registrar is"},
	{"phones", NULL, ctl_phones, "every phone it knows"},
	{"phone", "reset", ctl_phone_reset, "NAME: it starts anew"},
	{"phone", "restart", ctl_phone_restart, "NAME: it registers anew"},
	{"phone", "apply", ctl_phone_apply,
		"NAME: it reads its configuration again"},
	{"phone", "history", ctl_phone_history,
		"NAME: what happened to it lately"},
	{"phone", "cert", ctl_phone_cert,
		"NAME [--pem | --text]: its certificates, and who believes "
		"them"},
	{"phone", NULL, ctl_phone, "NAME: one phone, and why it was refused"},
	{"explain", NULL, ctl_explain,
		"NAME, --log FILE or --pcap FILE: why not, and the cure"},
	{"failures", NULL, ctl_failures,
		"the last refusals: what was shown, which rule, the cure"},
	{"trust", "list", ctl_trust_list, "the anchors in force"},
	{"trust", "show", ctl_trust_show, "FILE or SHA256: all about one"},
	{"trust", "add", ctl_trust_add,
		"FILE: a CA into a store, judged before it is there"},
	{"trust", "status", ctl_trust_status,
		"[--store callmanager|capf]: is what the folders say in "
		"force?"},
	{"trust", "reload", ctl_trust_reload,
		"read the folders now; files may have lost certificates"},
	{"trust", "check", ctl_trust_check,
		"CERT: would this phone be let in, and if not, why"},
	{"trust", "lint", ctl_trust_lint,
		"[DIR]: what would be refused, and what to look at"},
	{"trust", "remove", ctl_trust_remove,
		"FILE... [--store S] [--dry-run] [--force]: unless it locks "
		"out"},
	{"trust", "diff", ctl_trust_diff,
		"DIR [--store S]: what this folder instead would change"},
	{"trust", "expiry", ctl_trust_expiry, "what ends in which month"},
	{"trust", "retiring", ctl_trust_retiring,
		"the devices that still hang on a retiring CA"},
	{"trust", "export", ctl_trust_export,
		"--for WHO: the CAs as others need them"},
	{"device", "list", ctl_device_list,
		"[--name GLOB] [--profile P] [--protocol P] [--number N]"},
	{"device", "show", ctl_device_show, "NAME: all about it"},
	{"device", "add", ctl_device_add, "NAME and what it is: a new one"},
	{"device", "set", ctl_device_set, "NAME and what is to change"},
	{"device", "remove", ctl_device_remove, "NAME"},
	{"device", "import", ctl_device_import,
		"FILE [--dry-run] [--replace]: a CSV file, all of it or none"},
	{"device", "export", ctl_device_export, "[FILE]: as CSV"},
	{"profile", "list", ctl_profile_list, "the security profiles"},
	{"profile", "show", ctl_profile_show, "NAME"},
	{"profile", "add", ctl_profile_add, "NAME and what it asks"},
	{"profile", "set", ctl_profile_set, "NAME and what is to change"},
	{"profile", "remove", ctl_profile_remove, "NAME, once none follows it"},
	{"capf", "install", ctl_capf_install,
		"WHO [--mode M] [--rate N/min] ...: they get a new LSC"},
	{"capf", "delete", ctl_capf_delete, "WHO: they give their LSC back"},
	{"capf", "troubleshoot", ctl_capf_troubleshoot,
		"WHO: their certificates are fetched"},
	{"capf", "cancel", ctl_capf_cancel,
		"NAME...: what is pending for them is not done"},
	{"capf", "list", ctl_capf_list,
		"[--pending | --failed]: the last operation of each device"},
	{"capf", "show", ctl_capf_show, "NAME: its operation, and why not"},
	{"capf", "stale", ctl_capf_stale,
		"the LSCs that were issued and perhaps never arrived"},
	{"capf", "ledger", ctl_capf_ledger,
		"[--device NAME] [--state S] [--issuer I] [--expires-before "
		"D]"},
	{"capf", "audit", ctl_capf_audit,
		"[--from N | --check]: every issue and refusal, chained"},
	{"capf", "csr", ctl_capf_csr,
		"list | export [--out DIR] [NAME...] | import FILE...: a CA "
		"outside"},
	{"capf", "status", ctl_capf_status,
		"who issues, what is pending, what holds it up"},
	{"auto-registration", "open", ctl_auto_open,
		"--until TIME | --for 2h [--allow-plain]: add who is unknown"},
	{"auto-registration", "close", ctl_auto_close, "add nobody"},
	{"auto-registration", "show", ctl_auto_show, "is it open?"},
	{"ticket-keys", "show", ctl_ticket_keys_show,
		"the keys that seal session tickets, by name"},
	{"ticket-keys", "rotate", ctl_ticket_keys_rotate,
		"a new ticket key now"},
	{"ticket-keys", "revoke-all", ctl_ticket_keys_revoke_all,
		"no phone resumes before a full handshake"},
	{"rollover", "start", ctl_rollover_start,
		"a new CAPF root, trusted beside the old one, signs"},
	{"rollover", "issue", ctl_rollover_issue,
		"[--rate N] [--no-reset]: queue every phone of the old root"},
	{"rollover", "status", ctl_rollover_status,
		"who still hangs on the old root, and since when unseen"},
	{"rollover", "export", ctl_rollover_export,
		"--for WHO: the CAs with both roots, as others need them"},
	{"rollover", "finish", ctl_rollover_finish,
		"[--force]: the old root goes, unless a live phone hangs on "
		"it"},
	{"rollover", "cancel", ctl_rollover_cancel,
		"undo a start that was cut short"},
	{"lab", "init", ctl_lab_init, "DIR: make a PKI to try things with"},
	{"lab", "phone", ctl_lab_phone, "DIR NAME: make a phone's certificate"},
	{"lab", "revoke", ctl_lab_revoke,
		"DIR NAME: put it on its CA's list of revoked ones"},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *to)
{
	fputs("usage: dialtone [--url URL] [--socket PATH] [--json] COMMAND\n"
	      "  --url     the registrar's status address (" CTL_DEFAULT_URL
	      ", or $DIALTONE_URL)\n"
	      "  --socket  its admin socket, for what changes something (asked "
	      "of\n"
	      "            status, or $DIALTONE_SOCKET)\n"
	      "  --json    answer for programs\n"
	      "commands:\n",
		to);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-17s %-10s %s\n", commands[i].noun,
			commands[i].verb ? commands[i].verb : "",
			commands[i].help);
}

static int dispatch(const struct ctl *ctl, int argc, char **argv)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (argc < 1 || strcmp(argv[0], commands[i].noun) != 0)
			continue;
		if (!commands[i].verb)
			return commands[i].run(ctl, argc - 1, argv + 1);
		if (argc > 1 && strcmp(argv[1], commands[i].verb) == 0)
			return commands[i].run(ctl, argc - 2, argv + 2);
	}
	usage(stderr);
	return CTL_USAGE;
}

/* Takes --json out, wherever it stands: people add it at the end. */
static int take_json(int argc, char **argv, struct ctl *ctl)
{
	int kept = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ctl->json = true;
		else
			argv[kept++] = argv[i];
	}
	return kept;
}

int main(int argc, char **argv)
{
	const char *url = getenv("DIALTONE_URL");
	const char *socket = getenv("DIALTONE_SOCKET");
	struct ctl ctl = {.url = url && *url ? url : CTL_DEFAULT_URL,
		.socket = socket && *socket ? socket : NULL};
	int i = 1;
	argc = take_json(argc, argv, &ctl);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--url") == 0 && i + 1 < argc) {
			ctl.url = argv[++i];
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			ctl.socket = argv[++i];
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("dialtone " DIALTONE_VERSION);
			return CTL_OK;
		} else if (strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return CTL_OK;
		} else {
			usage(stderr);
			return CTL_USAGE;
		}
	}
	int status = dispatch(&ctl, argc - i, argv + i);
	return status == CTL_HELPED ? CTL_OK : status;
}
