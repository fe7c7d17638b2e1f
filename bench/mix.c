/* SPDX-License-Identifier: Apache-2.0 */
/* A mix of kinds by percent: "rsa2048=80,p256=20", and which phone is what. */
#include "bench/mix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE = 100, KNOWN_MAX = 120 };

/* Index of the word that text begins with, up to '=' or its end; -1. */
static int find(const char *text, const char *const *words)
{
	size_t n = strcspn(text, "=");
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0)
			return i;
	return -1;
}

/* One "rsa2048=80"; NULL when it is none, else what stands behind it. */
static const char *parse_share(
	const char *text, const char *const *words, struct mix *m)
{
	char *end;
	int i = find(text, words);
	const char *number = text + strcspn(text, "=") + 1;
	if (i < 0 || text[strcspn(text, "=")] == '\0' || m->percent[i] ||
		*number < '0' || *number > '9')
		return NULL;
	unsigned long percent = strtoul(number, &end, 10);
	if (percent > WHOLE)
		return NULL;
	m->percent[i] = (unsigned)percent;
	return end;
}

static bool parse_shares(
	const char *text, const char *const *words, struct mix *m)
{
	unsigned sum = 0;
	const char *rest = parse_share(text, words, m);
	while (rest && *rest == ',')
		rest = parse_share(rest + 1, words, m);
	for (int i = 0; i < MIX_MAX; i++)
		sum += m->percent[i];
	return rest && *rest == '\0' && sum == WHOLE;
}

int mix_parse(const char *option, const char *text, const char *const *words,
	struct mix *out, struct diag *d)
{
	char known[KNOWN_MAX] = "";
	*out = (struct mix){{0}};
	int only = strchr(text, '=') ? -1 : find(text, words);
	if (only >= 0)
		out->percent[only] = WHOLE;
	if (only >= 0 || parse_shares(text, words, out))
		return 0;
	for (size_t i = 0, n = 0; words[i] && n < sizeof(known); i++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
			i ? ", " : "", words[i]);
	return diag_set(d, -EINVAL,
		"--%s: '%.80s' is not like %s=80,%s=20, together 100, nor one "
		"of %s",
		option, text, words[0], words[1], known);
}

unsigned mix_pick(const struct mix *m, unsigned i, unsigned step)
{
	/* A step without a factor of 100 visits each rank once a hundred. */
	unsigned rank = i % WHOLE * step % WHOLE, kind = 0;
	while (kind < MIX_MAX - 1 && rank >= m->percent[kind])
		rank -= m->percent[kind++];
	return kind;
}
