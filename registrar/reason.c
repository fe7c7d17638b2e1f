/* SPDX-License-Identifier: Apache-2.0 */
/* CUCM's codes: spaces that look alike and differ. */
#include "registrar/reason.h"

#include <assert.h>
#include <stddef.h>

struct row {
	int code;
	const char *name;
};

#define X(symbol, code, name) {code, name},
static const struct row failures[] = {REASON_FAILURE_LIST(X)};
static const struct row unregs[] = {REASON_UNREG_LIST(X)};
static const struct row statuses[] = {REASON_STATUS_LIST(X)};
static const struct row tls[] = {REASON_TLS_LIST(X)};
#undef X

static const struct {
	const struct row *rows;
	size_t n;
} tables[REASON_SPACES] = {
#define TABLE(rows)                                    \
	{                                              \
		rows, sizeof(rows) / sizeof((rows)[0]) \
	}
	[REASON_SPACE_FAILURE] = TABLE(failures),
	[REASON_SPACE_UNREG] = TABLE(unregs),
	[REASON_SPACE_STATUS] = TABLE(statuses),
	[REASON_SPACE_TLS] = TABLE(tls),
#undef TABLE
};

static const char *const spaces[] = {
#define X(symbol, name) name,
	REASON_SPACE_LIST(X)
#undef X
};

const char *reason_space_name(enum reason_space space)
{
	return spaces[space];
}

const char *reason_name(enum reason_space space, int code)
{
	for (size_t i = 0; i < tables[space].n; i++)
		if (tables[space].rows[i].code == code)
			return tables[space].rows[i].name;
	return NULL;
}

const char *reason_failure_name(enum reason_failure code)
{
	const char *name = reason_name(REASON_SPACE_FAILURE, (int)code);
	assert(name); /* our own codes are in the table */
	return name;
}

const char *reason_unreg_name(enum reason_unreg code)
{
	const char *name = reason_name(REASON_SPACE_UNREG, (int)code);
	assert(name);
	return name;
}
