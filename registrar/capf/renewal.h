/* SPDX-License-Identifier: Apache-2.0 */
/* LSCs are renewed by themselves, before they end. */
#ifndef REGISTRAR_CAPF_RENEWAL_H
#define REGISTRAR_CAPF_RENEWAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/capf/desk.h"

/*
 * Unix seconds from which on this LSC is to be renewed: in the last third of
 * its life, each at a point of its own in the first half of that, so that what
 * was issued in one night is not renewed in one night.
 */
int64_t capf_renewal_due(const struct capf_issued *i);
/* Would a new one, issued now, end later by at least a tenth of its life? It
 * would not where the root itself (0: not known) is about to end. */
bool capf_renewal_gains(const struct capf_issued *i,
	const struct config *config, int64_t root_end, int64_t now);
/* Do the hours of the configuration, local time, allow it at this moment? */
bool capf_renewal_hour(const struct config *config, int64_t now);

/*
 * Queues those that are due, at most capf.renew_per_min of them: to be called
 * once a minute. Left out: devices for which something is pending, those whose
 * renewal ended badly within a day, and those that the inventory does not have.
 * Answers how many.
 */
size_t capf_renewal_run(struct capf_desk *desk,
	const struct capf_desk_world *world, int64_t now);

#endif
