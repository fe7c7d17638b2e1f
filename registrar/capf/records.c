/* SPDX-License-Identifier: Apache-2.0 */
/* What CAPF keeps: the names of what became of an LSC. */
#include "registrar/capf/records.h"

#include <assert.h>
#include <strings.h>

static const char *const names[] = {
#define X(symbol, name) name,
	CAPF_ISSUED_LIST(X)
#undef X
};

const char *capf_issued_name(enum capf_issued_state state)
{
	assert(state < CAPF_ISSUED_STATES);
	return names[state];
}

int capf_issued_find(const char *name)
{
	for (int i = 0; i < CAPF_ISSUED_STATES; i++)
		if (strcasecmp(names[i], name) == 0)
			return i;
	return -1;
}
