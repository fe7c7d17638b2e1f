/* SPDX-License-Identifier: Apache-2.0 */
/* The places of a worker's connections: what a reference leads to. */
#include "registrar/slots.h"

#include <stdlib.h>

#include "registrar/memory.h"

struct conn_ref slots_take(
	struct slots *s, uint32_t worker, const struct slot *holds)
{
	if (!s->free) {
		struct slot *fresh =
			memory_grow((void **)&s->all, &s->n, sizeof(*fresh));
		*fresh = (struct slot){0};
		s->free = (uint32_t)s->n;
	}
	uint32_t number = s->free;
	struct slot *slot = &s->all[number - 1];
	uint32_t used = slot->used + 1;
	s->free = slot->next_free;
	*slot = *holds;
	slot->used = used;
	return (struct conn_ref){worker, (uint64_t)used << 32 | number};
}

struct slot *slots_find(struct slots *s, struct conn_ref ref)
{
	uint32_t number = (uint32_t)ref.id;
	if (number == 0 || number > s->n)
		return NULL;
	struct slot *slot = &s->all[number - 1];
	bool taken = slot->conn || slot->flow;
	return taken && slot->used == ref.id >> 32 ? slot : NULL;
}

void slots_give(struct slots *s, struct conn_ref ref)
{
	struct slot *slot = slots_find(s, ref);
	slot->conn = NULL;
	slot->flow = NULL;
	slot->next_free = s->free;
	s->free = (uint32_t)ref.id;
}

void slots_deinit(struct slots *s)
{
	free(s->all);
	*s = (struct slots){0};
}
