/* SPDX-License-Identifier: Apache-2.0 */
/* A store of trust as `dialtone trust` finds, loads and describes it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certs/rule.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"
#include "registrar/memory.h"
#include "registrar/reload.h"
#include "trust/crl.h"
#include "trust/waiver.h"

enum { DAY_S = 86400 };

static const struct {
	const char *name, *title;
} stores[] = {
#define X(symbol, name, title, option) {name, title},
	TRUST_STORE_LIST(X)
#undef X
};

/* ---- the policy ---- */

static bool is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* As trust.anchors has it, row by row. */
static void policy_from(const json_t *all, struct trust_policy *policy)
{
	const json_t *list = json_object_get(all, "policy");
	size_t i, n = json_array_size(list);
	json_t *o;
	struct trust_anchor_policy *rows = memory_zero((n + 1) * sizeof(*rows));
	json_array_foreach((json_t *)list, i, o)
	{
		const char *kind = ctl_text(o, "issues");
		const char *allows = ctl_text(o, "allows");
		rows[i].name = ctl_text(o, "name");
		rows[i].kind = strcmp(kind, "LSC") == 0	  ? CERT_KIND_LSC
			       : strcmp(kind, "MIC") == 0 ? CERT_KIND_MIC
							  : CERT_KIND_UNKNOWN;
#define X(symbol, bit, key)      \
	if (strstr(allows, key)) \
		rows[i].allows |= (bit);
		TRUST_WAIVER_LIST(X)
#undef X
		rows[i].enrol_only = is_true(o, "enrolOnly");
		rows[i].retiring = is_true(o, "retiring");
		rows[i].allow_not_critical = is_true(o, "allowNotCritical");
		rows[i].grace_s = ctl_number(o, "expiredGraceDays") * DAY_S;
	}
	policy->auth_level = (int)ctl_number(all, "authLevel");
	policy->anchors = rows;
	policy->n_anchors = n;
}

/* ---- the folder ---- */

static bool is_store(size_t i, const char *which)
{
	return strcasecmp(stores[i].name, which) == 0 ||
	       strcasecmp(stores[i].title, which) == 0;
}

/* What the registrar says of it, borrowed; NULL: it has none. */
static json_t *store_of(json_t *said, size_t i)
{
	return i == STORE_CALLMANAGER ? said
				      : json_object_get(said, stores[i].name);
}

/* That of the registrar's stores whose folder it is, or NULL. */
static json_t *store_at(json_t *said, const char *folder)
{
	char *real = realpath(folder, NULL);
	json_t *found = NULL;
	for (size_t i = 0; real && i < TRUST_STORES && !found; i++)
		if (strcmp(ctl_text(store_of(said, i), "folder"), real) == 0)
			found = store_of(said, i);
	free(real);
	return found;
}

/* One of the registrar's own. */
static int open_store(const struct ctl *ctl, size_t i, struct ctl_trust *t)
{
	int status = ctl_get(ctl, "/v1/trust", &t->said, NULL);
	if (status != CTL_OK)
		return status;
	t->folder = memory_dup(ctl_text(store_of(t->said, i), "folder"));
	if (*t->folder)
		return CTL_OK;
	say("the registrar at %s has no %s: its configuration "
	    "names no trust.%s",
		ctl->url, stores[i].title, stores[i].name);
	say_next("man dialtoned.json");
	return CTL_FAILED;
}

int ctl_trust_open(
	const struct ctl *ctl, const char *which, struct ctl_trust *t)
{
	int status = CTL_OK;
	size_t i = 0;
	*t = (struct ctl_trust){.policy = trust_policy_default};
	while (i < TRUST_STORES && !is_store(i, which ? which : stores[0].name))
		i++;
	if (i < TRUST_STORES) {
		status = open_store(ctl, i, t);
	} else {
		t->folder = memory_dup(which);
		t->said = ctl_look(ctl, "/v1/trust");
	}
	if (status != CTL_OK)
		return status;
	t->store = store_at(t->said, t->folder);
	if (t->said)
		policy_from(t->said, &t->policy);
	else
		say("no registrar answers at %s: this is judged "
		    "without what its trust.anchors allow, at auth level "
		    "%d",
			ctl->url, t->policy.auth_level);
	return CTL_OK;
}

void ctl_trust_close(struct ctl_trust *t)
{
	if (t->policy.anchors != trust_policy_default.anchors)
		free((void *)t->policy.anchors);
	json_decref(t->said);
	free(t->folder);
	*t = (struct ctl_trust){0};
}

struct trust_load ctl_trust_load(const struct ctl_trust *t)
{
	return (struct trust_load){
		.dir = t->folder,
		.generation =
			t->store ? (uint64_t)ctl_number(t->store, "generation")
				 : 1,
		.now = time(NULL),
		.policy = &t->policy,
		.explicit_order = true,
	};
}

int ctl_trust_read(const struct ctl_trust *t, struct trust_snapshot **out)
{
	struct diag d;
	struct trust_load load = ctl_trust_load(t);
	if (trust_snapshot_load(&load, out, &d) == 0)
		return CTL_OK;
	say_next("dialtone trust lint '%s'", t->folder);
	return ctl_trust_complain(&d);
}

/* ---- refusals ---- */

static const struct {
	const char *name, *meaning, *cure;
} crl_rules[] = {
#define X(symbol, name, meaning, cure) {name, meaning, cure},
	TRUST_CRL_RULE_LIST(X)
#undef X
};

json_t *ctl_trust_refusal_json(const struct diag *d)
{
	json_t *o = json_pack("{ss}", "why", d->text);
	enum cert_rule rule = cert_rule_find(d->rule);
	const char *meaning = cert_rule_meaning(rule);
	const char *cure = cert_rule_cure(rule);
	for (size_t i = 0; i < TRUST_CRL_RULES; i++)
		if (strcmp(crl_rules[i].name, d->rule) == 0) {
			meaning = crl_rules[i].meaning;
			cure = crl_rules[i].cure;
		}
	if (*d->rule)
		json_object_set_new(o, "rule", json_string(d->rule));
	if (*meaning)
		json_object_set_new(o, "meaning", json_string(meaning));
	if (*cure)
		json_object_set_new(o, "cure", json_string(cure));
	return o;
}

int ctl_trust_complain(const struct diag *d)
{
	say("%s%s%s%s", d->text, *d->rule ? " (rule " : "", d->rule,
		*d->rule ? ")" : "");
	return CTL_FAILED;
}

/* ---- words ---- */

int ctl_trust_words(const struct ctl *ctl, int argc, char **argv,
	const char **store, const char **word)
{
	bool wrong = false;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
			*store = argv[++i];
		else if (word && !*word && argv[i][0] != '-')
			*word = argv[i];
		else
			wrong = true;
	}
	return wrong ? ctl_misused(ctl) : CTL_OK;
}

void ctl_trust_take(
	int *argc, char **argv, const char *option, const char **value)
{
	int kept = 0;
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], option) == 0 && i + 1 < *argc)
			*value = argv[++i];
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
}
