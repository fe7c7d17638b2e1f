/* SPDX-License-Identifier: Apache-2.0 */
/* Is the phone that asks CAPF for something the one it says it is? */
#ifndef REGISTRAR_CAPF_AUTHENTICATE_H
#define REGISTRAR_CAPF_AUTHENTICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/capf/server.h"
#include "registrar/capf/records.h"
#include "registrar/config.h"
#include "trust/snapshot.h"

/* Which certificates the phone is known to have. */
struct capf_known {
	bool lsc; /* that has not expired */
	bool mic;
	char how[128]; /* we know of the LSC; "" */
};

struct capf_examination {
	const struct config *config;
	const struct trust_snapshot *trust;   /* CAPF-trust; NULL: none */
	const struct capf_server_event *said; /* AUTH */
	uint32_t session;
	int64_t now;
	struct capf_known known;
};

/*
 * Holds what it said against the pending operation o and its mode (specs capf
 * 6). NOTHING: it is that phone; detail says by what. Else why not, and detail
 * names what came, the rule, a CA that is missing, and the cure. Of o it
 * changes what a wrong authentication string changes: the count and, once it is
 * void, hash and state.
 */
enum capf_why capf_authenticate(const struct capf_examination *x,
	struct capf_operation *o, char detail[CAPF_DETAIL_MAX + 1]);

#endif
