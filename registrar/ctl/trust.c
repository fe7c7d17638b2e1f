/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust check: the very verdict that the handshake would give. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/pem.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/trust_store.h"
#include "registrar/memory.h"
#include "registrar/tls/alert.h"
#include "trust/snapshot.h"
#include "trust/verify.h"
#include "trust/waiver.h"

static const char usage[] =
	"usage: dialtone trust check FILE [--store DIR]\n"
	"  FILE        the phone's certificate, its chain behind it\n"
	"  --store     judge with this folder; default: the one that the\n"
	"              registrar has in force, with its policy\n";

/* Policy as the registrar has it: kind and allowances of each anchor by
 * fingerprint. */
static void policy_from(const json_t *trust, struct trust_policy *policy)
{
	const json_t *list = json_object_get(trust, "list");
	size_t i, n = json_array_size(list);
	json_t *a;
	struct trust_anchor_policy *anchors =
		memory_zero((n ? n : 1) * sizeof(*anchors));
	json_array_foreach((json_t *)list, i, a)
	{
		anchors[i].name = ctl_text(a, "sha256");
		anchors[i].kind = strcmp(ctl_text(a, "issues"), "LSC") == 0
					  ? CERT_KIND_LSC
					  : CERT_KIND_MIC;
		const char *allows = ctl_text(a, "allows");
#define X(symbol, bit, key)      \
	if (strstr(allows, key)) \
		anchors[i].allows |= (bit);
		TRUST_WAIVER_LIST(X)
#undef X
	}
	policy->auth_level = (int)ctl_number(trust, "authLevel");
	policy->anchors = anchors;
	policy->n_anchors = n;
}

/* The folder of the registrar that runs, loaded anew. */
static int load_in_force(
	const struct ctl *ctl, struct trust_snapshot **out, struct diag *d)
{
	json_t *trust;
	struct trust_policy policy = trust_policy_default;
	int status = ctl_get(ctl, "/v1/trust", &trust, NULL);
	if (status != CTL_OK)
		return status;
	policy_from(trust, &policy);
	const struct trust_load load = {
		.dir = ctl_text(trust, "folder"),
		.generation = (uint64_t)ctl_number(trust, "generation"),
		.now = time(NULL),
		.policy = &policy,
	};
	int error = trust_snapshot_load(&load, out, d);
	if (error < 0)
		fprintf(stderr, "dialtone: %s\n", d->text);
	else if (strcmp(ctl_text(trust, "fingerprint"),
			 trust_snapshot_fingerprint(*out)) != 0)
		fputs("dialtone: warning: the folder has changed since the "
		      "registrar read it; this is what it says now. Reload "
		      "with SIGHUP.\n",
			stderr);
	free((void *)policy.anchors);
	json_decref(trust);
	return error < 0 ? CTL_FAILED : CTL_OK;
}

int ctl_trust_load(
	const struct ctl *ctl, const char *store, struct trust_snapshot **out)
{
	struct diag d;
	if (!store || strcmp(store, "callmanager") == 0)
		return load_in_force(ctl, out, &d);
	const struct trust_load load = {
		.dir = store, .generation = 1, .now = time(NULL)};
	if (trust_snapshot_load(&load, out, &d) == 0)
		return CTL_OK;
	fprintf(stderr, "dialtone: %s\n", d.text);
	return CTL_FAILED;
}

static void set(json_t *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(o, key, json_string(text));
}

static json_t *describe(const struct trust_result *r, X509 *leaf)
{
	struct cert_identity id;
	char at[21], console[96];
	json_t *o = json_object();
	int alert = trust_verdict_alert(r->verdict);
	cert_identity_read(leaf, &id);
	set(o, "verdict", trust_verdict_name(r->verdict));
	set(o, "device", id.device);
	set(o, "subject", id.subject);
	set(o, "issuer", id.issuer);
	set(o, "serial", id.serial);
	if (id.times_ok) {
		cert_time_text(id.not_after, at);
		set(o, "notAfter", at);
	}
	if (r->anchor) {
		set(o, "kind", cert_kind_name(r->kind));
		set(o, "anchor", r->anchor->file);
		set(o, "waived", trust_waiver_text(r->waived));
	}
	set(o, "meaning", trust_verdict_text(r->verdict));
	set(o, "why", r->why);
	set(o, "missingCa", r->missing_ca);
	set(o, "cure", r->cure);
	if (!alert)
		return o;
	json_object_set_new(o, "alert", json_integer(alert));
	snprintf(console, sizeof(console), "SSL3 alert [read]:[fatal]:[%s]",
		alert_text(alert));
	set(o, "phoneConsole", console);
	return o;
}

static const struct ctl_column fields[] = {
	{"verdict", "verdict"},
	{"device", "device"},
	{"certificate", "subject"},
	{"  issuer", "issuer"},
	{"  serial", "serial"},
	{"  expires", "notAfter"},
	{"kind", "kind"},
	{"anchor", "anchor"},
	{"waived rules", "waived"},
	{"meaning", "meaning"},
	{"why", "why"},
	{"missing CA", "missingCa"},
	{"cure", "cure"},
	{"alert", "alert"},
	{"phone's console", "phoneConsole"},
};

static int judge(const struct ctl *ctl, const struct trust_snapshot *trust,
	const struct cert_list *list)
{
	struct trust_result result;
	STACK_OF(X509) *rest = sk_X509_new_null();
	for (size_t i = 1; rest && i < list->n; i++)
		sk_X509_push(rest, list->cert[i]);
	trust_verify(trust, list->cert[0], rest, time(NULL), &result);
	sk_X509_free(rest);
	json_t *o = describe(&result, list->cert[0]);
	if (ctl->json)
		ctl_print_json(o);
	else
		ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
	json_decref(o);
	return result.verdict == TRUST_OK ? CTL_OK : CTL_FAILED;
}

int ctl_trust_check(const struct ctl *ctl, int argc, char **argv)
{
	const char *file = NULL, *store = NULL;
	struct trust_snapshot *trust = NULL;
	struct cert_list list = {0};
	struct diag d;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--store") == 0 && i + 1 < argc) {
			store = argv[++i];
		} else if (!file && argv[i][0] != '-') {
			file = argv[i];
		} else {
			file = NULL;
			break;
		}
	}
	if (!file) {
		fputs(usage, stderr);
		return CTL_USAGE;
	}
	int status = ctl_trust_load(ctl, store, &trust);
	if (status == CTL_OK && cert_pem_read(file, &list, &d) < 0) {
		fprintf(stderr, "dialtone: %s\n", d.text);
		status = CTL_FAILED;
	}
	if (status == CTL_OK)
		status = judge(ctl, trust, &list);
	cert_list_deinit(&list);
	trust_snapshot_unref(trust);
	return status;
}
