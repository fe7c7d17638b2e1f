/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up SCCP message ids. */
#include "protocols/sccp/ids.h"

static const struct row {
	uint32_t id;
	const char *name;
	enum sccp_way way;
	uint8_t body_min;
} rows[] = {
#define X(symbol, id, name, way, body) {(id), name, SCCP_##way, (body)},
	SCCP_ID_LIST(X)
#undef X
};

static const struct row *find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

const char *sccp_id_name(uint32_t id)
{
	const struct row *row = find(id);
	return row ? row->name : "unknown";
}

bool sccp_id_known(uint32_t id, enum sccp_way way)
{
	const struct row *row = find(id);
	return row && row->way == way;
}

size_t sccp_id_body_min(uint32_t id)
{
	const struct row *row = find(id);
	return row ? row->body_min : 0;
}
