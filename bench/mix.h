/* SPDX-License-Identifier: Apache-2.0 */
/* A mix of kinds by percent: "rsa2048=80,p256=20", and which phone is what. */
#ifndef BENCH_MIX_H
#define BENCH_MIX_H

#include <stddef.h>

#include "certs/diag.h"

enum { MIX_MAX = 8 };

struct mix {
	unsigned percent[MIX_MAX]; /* by the index of its word; 100 together */
};

/* "WORD" alone, or "WORD=PERCENT" with commas between, 100 together; each of
 * `words` (at most MIX_MAX, NULL behind the last) once at most.
 * 0, or -EINVAL with d set, which names the option. */
int mix_parse(const char *option, const char *text, const char *const *words,
	struct mix *out, struct diag *d);

/* Which word the i-th phone gets: any hundred phones in a row have exactly
 * the percentages, and never all of one kind first. Mixes with different
 * `step`, odd and no multiple of 5, do not go in step. */
unsigned mix_pick(const struct mix *m, unsigned i, unsigned step);

#endif
