/* SPDX-License-Identifier: Apache-2.0 */
/* Which numbers the inventory gives to somebody: number -> how many have it. */
#include <stdlib.h>
#include <string.h>

#include "registrar/inventory_inside.h"
#include "registrar/memory.h"

enum { BUCKETS_LEAST = 256 };

struct line_count {
	struct line_count *next;
	size_t n; /* lines of that number */
	char number[];
};

/* FNV-1a */
static size_t hash_of(const char *number, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)number[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

/* Where it is or would be; there are buckets. */
static struct line_count **place(
	const struct inventory_lines *l, const char *number, size_t n)
{
	struct line_count **at =
		&l->buckets[hash_of(number, n) & (l->n_buckets - 1)];
	while (*at && (strlen((*at)->number) != n ||
			      memcmp((*at)->number, number, n) != 0))
		at = &(*at)->next;
	return at;
}

static void grow(struct inventory_lines *l)
{
	struct line_count **old = l->buckets;
	size_t n = l->n_buckets;
	l->n_buckets = n ? 2 * n : BUCKETS_LEAST;
	l->buckets = memory_zero(l->n_buckets * sizeof(struct line_count *));
	for (size_t i = 0; i < n; i++)
		while (old[i]) {
			struct line_count *c = old[i];
			old[i] = c->next;
			c->next = NULL;
			*place(l, c->number, strlen(c->number)) = c;
		}
	free(old);
}

static void add(struct inventory_lines *l, const char *number)
{
	if (l->n == l->n_buckets)
		grow(l);
	size_t size = strlen(number) + 1;
	struct line_count **at = place(l, number, size - 1);
	if (!*at) {
		*at = memory_zero(sizeof(**at) + size);
		memcpy((*at)->number, number, size);
		l->n++;
	}
	(*at)->n++;
}

static void take_away(struct inventory_lines *l, const char *number)
{
	struct line_count **at = place(l, number, strlen(number));
	struct line_count *c = *at;
	if (--c->n > 0)
		return;
	*at = c->next;
	l->n--;
	free(c);
}

void inventory_lines_add(struct inventory_lines *l, const struct device *d)
{
	for (size_t i = 0; i < d->n_lines; i++)
		add(l, d->lines[i].number);
}

void inventory_lines_drop(struct inventory_lines *l, const struct device *d)
{
	for (size_t i = 0; i < d->n_lines; i++)
		take_away(l, d->lines[i].number);
}

void inventory_lines_deinit(struct inventory_lines *l)
{
	for (size_t i = 0; i < l->n_buckets; i++)
		while (l->buckets[i]) {
			struct line_count *c = l->buckets[i];
			l->buckets[i] = c->next;
			free(c);
		}
	free(l->buckets);
}

bool inventory_has_line(struct inventory *inv, const char *number, size_t n)
{
	pthread_rwlock_rdlock(&inv->lock);
	bool has = inv->lines.n && *place(&inv->lines, number, n);
	pthread_rwlock_unlock(&inv->lock);
	return has;
}
