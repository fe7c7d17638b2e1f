/* SPDX-License-Identifier: Apache-2.0 */
/* The Cisco manufacturing CAs that are known by their fingerprints. */
#include "trust/cisco.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *sha256;
	const char *name;
} known[] = {
#define X(sha256, name) {sha256, name},
	TRUST_CISCO_LIST(X)
#undef X
};

const char *trust_cisco_name(const char *sha256)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(sha256, known[i].sha256))
			return known[i].name;
	return NULL;
}
