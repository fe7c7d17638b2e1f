/* SPDX-License-Identifier: Apache-2.0 */
/* How many of CAPF's records stand how, for who asks again and again. */
#ifndef REGISTRAR_CAPF_COUNTS_H
#define REGISTRAR_CAPF_COUNTS_H

#include <pthread.h>

#include "registrar/capf/desk.h"

/* The last count, and until when it is good. */
struct capf_counts {
	pthread_mutex_t lock;
	struct capf_store_counts last; /* zero: they cannot be read */
	double until;		       /* monotonic seconds */
};

void capf_counts_init(struct capf_counts *c);
void capf_counts_deinit(struct capf_counts *c);
/* The desk waits while its records are counted: so a count is good for fifty
 * times as long as it took. Thread-safe. */
struct capf_store_counts capf_counts_look(
	struct capf_counts *c, struct capf_desk *desk);

#endif
