/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices hang on the root that is to go. */
#ifndef REGISTRAR_CAPF_ROLLOVER_COUNT_H
#define REGISTRAR_CAPF_ROLLOVER_COUNT_H

#include "registrar/capf/authority.h"
#include "registrar/capf/rollover.h"

/*
 * Fills the numbers and phones of *out: of all devices that are known by an
 * LSC of the one root or the other, or by none. What a phone showed last
 * counts for more than the ledger: one may have confirmed a new LSC and come
 * with its old one all the same. 0, or -errno with d.
 */
int rollover_count(struct server *s, const struct capf_root *old,
	const struct capf_root *new, struct rollover_view *out, struct diag *d);

#endif
