/* SPDX-License-Identifier: Apache-2.0 */
/* CUCM's reason codes: two spaces that look alike and differ. */
#include "registrar/reason.h"

#include <assert.h>

const char *reason_failure_name(enum reason_failure code)
{
	switch (code) {
#define X(symbol, number, name)       \
	case REASON_FAILURE_##symbol: \
		return name;
		REASON_FAILURE_LIST(X)
#undef X
	}
	assert(!"a code that is not in the table");
	return "";
}

const char *reason_unreg_name(enum reason_unreg code)
{
	switch (code) {
#define X(symbol, number, name)     \
	case REASON_UNREG_##symbol: \
		return name;
		REASON_UNREG_LIST(X)
#undef X
	}
	assert(!"a code that is not in the table");
	return "";
}
