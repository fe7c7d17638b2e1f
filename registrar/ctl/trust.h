/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `dialtone trust` share: a store, and how it is judged. */
#ifndef REGISTRAR_CTL_TRUST_H
#define REGISTRAR_CTL_TRUST_H

#include "registrar/ctl/ctl.h"
#include "trust/snapshot.h"

/* A folder of trust, and the policy that the registrar has. */
struct ctl_trust {
	json_t *said;  /* what the registrar says of its trust; NULL: none
			* answers */
	json_t *store; /* of that, if the folder is one of its own; borrowed */
	char *folder;
	struct trust_policy policy;
};

/*
 * which: "callmanager" (or NULL), "capf", or a folder. The first two need a
 * registrar that says where they are. Says on stderr why not, or with what
 * policy a folder is judged while no registrar answers. An exit status; close
 * it in either case.
 */
int ctl_trust_open(
	const struct ctl *ctl, const char *which, struct ctl_trust *t);
void ctl_trust_close(struct ctl_trust *t);

/* How the loader would read it; to be added to. */
struct trust_load ctl_trust_load(const struct ctl_trust *t);
/* Loads it; or says why not, and CTL_FAILED. */
int ctl_trust_read(const struct ctl_trust *t, struct trust_snapshot **out);

/* "FILE:LINE: why", the rule, what it means and its cure, on stderr;
 * CTL_FAILED. */
int ctl_trust_complain(const struct diag *d);

/* What is known of an anchor without a registrar, as /v1/trust has it. */
json_t *ctl_trust_anchor_json(const struct trust_anchor *a);

/* The same as JSON. */
json_t *ctl_trust_refusal_json(const struct diag *d);

/* Words with at most one "--store S", and (word not NULL) one word besides.
 * CTL_OK or CTL_USAGE. */
int ctl_trust_words(const struct ctl *ctl, int argc, char **argv,
	const char **store, const char **word);
/* Takes "--as NAME" out of the words, wherever it stands. */
void ctl_trust_take(
	int *argc, char **argv, const char *option, const char **value);

#endif
