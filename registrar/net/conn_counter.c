/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts of its connections and flows. */
#include "registrar/net/conn_counter.h"

void conn_counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

uint64_t conn_counter_get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}
