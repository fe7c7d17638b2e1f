/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust status, trust reload: is what the folders say in force? */
#include <stdio.h>
#include <string.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"

static const char callmanager[] = "callmanager", capf[] = "capf";

static const struct ctl_column fields[] = {
	{"store", "store"},
	{"  folder", "folder"},
	{"  not watched", "notWatched"},
	{"  anchors", "anchors"},
	{"  revocation lists", "crls"},
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

static const struct ctl_column crl_columns[] = {
	{"REVOCATION LIST", "file"},
	{"STATE", "state"},
	{"ENTRIES", "entries"},
	{"NUMBER", "number"},
	{"NEXT UPDATE", "nextUpdate"},
	{"ISSUER", "issuer"},
};

/* Does that file hold other CAs, too? They would go with it. */
static bool is_shared(const json_t *anchors, const char *file)
{
	const json_t *a;
	size_t i, n = 0;
	json_array_foreach(anchors, i, a)
	{
		n += strcmp(ctl_text(a, "file"), file) == 0;
	}
	return n > 1;
}

/* How far a retiring anchor is. */
static void print_countdown(
	const char *store, const json_t *anchors, const json_t *anchor)
{
	const char *file = ctl_text(anchor, "file");
	long long devices = ctl_number(anchor, "devices");
	bool shared = is_shared(anchors, file);
	printf("  %s", file);
	if (shared)
		printf(" (%s)", ctl_text(anchor, "subject"));
	if (devices)
		printf(" retiring: %lld device%s still come%s with it\n",
			devices, devices == 1 ? "" : "s",
			devices == 1 ? "s" : "");
	else if (shared)
		puts(" retiring: no device needs it any more: take it out of "
		     "the file, which holds other CAs");
	else
		printf(" retiring: no device needs it any more: `dialtone "
		       "trust remove %s%s` can take it away\n",
			file,
			strcmp(store, "CAPF-trust") == 0 ? " --store capf"
							 : "");
}

static void print(const json_t *store)
{
	const json_t *crls = json_object_get(store, "crlList");
	const json_t *anchors = json_object_get(store, "list"), *a;
	size_t i;
	ctl_print_fields(store, fields, sizeof(fields) / sizeof(fields[0]));
	json_array_foreach(anchors, i, a)
	{
		if (json_is_true(json_object_get(a, "retiring")))
			print_countdown(ctl_text(store, "store"), anchors, a);
	}
	if (json_array_size(crls))
		ctl_print_table(crls, crl_columns,
			sizeof(crl_columns) / sizeof(crl_columns[0]));
}

/* Prints one store; is anything of it refused? */
static bool show_store(const struct ctl *ctl, const json_t *store)
{
	if (!ctl->json)
		print(store);
	return json_object_get(store, "reloadRefused") != NULL;
}

/* Of that name, or both (NULL). */
static int show(const struct ctl *ctl, const char *which, json_t *trust)
{
	json_t *second = json_object_get(trust, capf);
	bool first = !which || strcmp(which, callmanager) == 0;
	bool last = !which || !first, refused = false;
	if (!first && !second) {
		say("the registrar has no CAPF-trust: its "
		    "configuration names no trust.capf");
		say_next("man dialtoned.json");
		return CTL_FAILED;
	}
	if (first)
		refused |= show_store(ctl, trust);
	if (second && last)
		refused |= show_store(ctl, second);
	if (ctl->json)
		ctl_print_json(first ? trust : second);
	return refused ? CTL_FAILED : CTL_OK;
}

int ctl_trust_status(const struct ctl *ctl, int argc, char **argv)
{
	json_t *trust;
	const char *which = argc == 2 ? argv[1] : NULL;
	bool right =
		argc == 2 && strcmp(argv[0], "--store") == 0 &&
		(strcmp(which, callmanager) == 0 || strcmp(which, capf) == 0);
	if (argc > 0 && !right)
		return ctl_misused(ctl);
	int status = ctl_get(ctl, "/v1/trust", &trust, NULL);
	if (status == CTL_OK)
		status = show(ctl, which, trust);
	json_decref(trust);
	return status;
}

int ctl_trust_reload(const struct ctl *ctl, int argc, char **argv)
{
	json_t *trust = NULL;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_admin(ctl, "POST", "/v1/trust/reload", &trust);
	if (status == CTL_OK)
		status = show(ctl, NULL, trust);
	json_decref(trust);
	return status;
}
