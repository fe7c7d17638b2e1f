/* SPDX-License-Identifier: Apache-2.0 */
/* When each device was last refused: sorted, for who asks of many. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/failures.h"
#include "registrar/memory.h"
#include "registrar/text.h"

struct row {
	char device[CERT_DEVICE_MAX + 1];
	int64_t last_ms;
};

struct failures_index {
	size_t n;
	struct row rows[];
};

static int by_device(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return strcasecmp(x->device, y->device);
}

/* Of each device the newest. */
static void keep_newest(struct failures_index *index)
{
	size_t kept = 0;
	for (size_t i = 0; i < index->n; i++) {
		struct row *last = kept ? &index->rows[kept - 1] : NULL;
		if (!last || by_device(last, &index->rows[i]) != 0)
			index->rows[kept++] = index->rows[i];
		else if (last->last_ms < index->rows[i].last_ms)
			last->last_ms = index->rows[i].last_ms;
	}
	index->n = kept;
}

struct failures_index *failures_index_new(struct failures *f)
{
	size_t n;
	struct failure *list = failures_list(f, &n);
	struct failures_index *index =
		memory_zero(sizeof(*index) + n * sizeof(index->rows[0]));
	for (size_t i = 0; i < n; i++) {
		bool refused = list[i].stage == FAILURE_TLS ||
			       list[i].stage == FAILURE_REGISTRATION;
		if (!list[i].device[0] || !refused)
			continue;
		struct row *row = &index->rows[index->n++];
		text_copy(row->device, sizeof(row->device), list[i].device);
		row->last_ms = list[i].last_ms;
	}
	free(list);
	qsort(index->rows, index->n, sizeof(index->rows[0]), by_device);
	keep_newest(index);
	return index;
}

void failures_index_free(struct failures_index *index)
{
	free(index);
}

int64_t failures_index_last_ms(
	const struct failures_index *index, const char *device)
{
	struct row key = {.last_ms = 0};
	text_copy(key.device, sizeof(key.device), device);
	const struct row *found = bsearch(
		&key, index->rows, index->n, sizeof(index->rows[0]), by_device);
	return found ? found->last_ms : 0;
}
