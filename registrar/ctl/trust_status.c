/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust status, trust reload: is what the folders say in force? */
#include <stdio.h>
#include <string.h>

#include "registrar/ctl/ctl.h"

static const char usage[] =
	"usage: dialtone trust status [--store callmanager|capf]\n"
	"  says what is in force, and what on the disk is not, since when and\n"
	"  why; exit status 1 while anything is refused\n";

static const char callmanager[] = "callmanager", capf[] = "capf";

static const struct ctl_column fields[] = {
	{"store", "store"},
	{"  folder", "folder"},
	{"  not watched", "notWatched"},
	{"  anchors", "anchors"},
	{"  generation", "generation"},
	{"  fingerprint", "fingerprint"},
	{"  in force since", "loaded"},
	{"  refused since", "reloadRefused.since"},
	{"    tried again", "reloadRefused.retries"},
	{"    last", "reloadRefused.last"},
	{"    rule", "reloadRefused.rule"},
	{"    file", "reloadRefused.file"},
	{"    line", "reloadRefused.line"},
	{"    because", "reloadRefused.why"},
	{"    cure", "reloadRefused.cure"},
};

/* Prints one store; is anything of it refused? */
static bool show_store(const struct ctl *ctl, const json_t *store)
{
	if (!ctl->json)
		ctl_print_fields(
			store, fields, sizeof(fields) / sizeof(fields[0]));
	return json_object_get(store, "reloadRefused") != NULL;
}

/* Of that name, or both (NULL). */
static int show(const struct ctl *ctl, const char *which, json_t *trust)
{
	json_t *second = json_object_get(trust, capf);
	bool both = !which, refused = false;
	if (!both && strcmp(which, capf) == 0 && !second) {
		fputs("dialtone: the registrar has no CAPF-trust: its "
		      "configuration names no trust.capf\n",
			stderr);
		return CTL_FAILED;
	}
	if (both || strcmp(which, callmanager) == 0)
		refused |= show_store(ctl, trust);
	if (second && (both || strcmp(which, capf) == 0))
		refused |= show_store(ctl, second);
	if (ctl->json)
		ctl_print_json(
			!both && strcmp(which, capf) == 0 ? second : trust);
	return refused ? CTL_FAILED : CTL_OK;
}

int ctl_trust_status(const struct ctl *ctl, int argc, char **argv)
{
	json_t *trust;
	const char *which = argc == 2 ? argv[1] : NULL;
	bool right =
		argc == 2 && strcmp(argv[0], "--store") == 0 &&
		(strcmp(which, callmanager) == 0 || strcmp(which, capf) == 0);
	if (argc > 0 && !right) {
		fputs(usage, stderr);
		return CTL_USAGE;
	}
	int status = ctl_get(ctl, "/v1/trust", &trust, NULL);
	if (status == CTL_OK)
		status = show(ctl, which, trust);
	json_decref(trust);
	return status;
}

int ctl_trust_reload(const struct ctl *ctl, int argc, char **argv)
{
	json_t *trust;
	if (argc > 0) {
		fprintf(stderr, "dialtone: unexpected word %s\n", argv[0]);
		return CTL_USAGE;
	}
	int status = ctl_admin(ctl, "POST", "/v1/trust/reload", &trust);
	if (status == CTL_OK)
		status = show(ctl, NULL, trust);
	json_decref(trust);
	return status;
}
