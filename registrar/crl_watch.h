/* SPDX-License-Identifier: Apache-2.0 */
/* Says once what each list of revoked certificates has come to. */
#ifndef REGISTRAR_CRL_WATCH_H
#define REGISTRAR_CRL_WATCH_H

#include <time.h>

#include <pthread.h>

#include "trust/revocation.h"

/* All zero but for the lock at first. */
struct crl_watch {
	pthread_mutex_t lock; /* a reload and the main loop may meet */
	uint64_t generation;  /* of the snapshot that was looked at */
	enum trust_crl_state told[TRUST_CRLS_MAX];
};

/* Logs the lists of a generation when it sees that first; and each that ends
 * within a day, has ended, or is an orphan, once when that begins. Answers how
 * many it warned of. */
size_t crl_watch_look(
	struct crl_watch *w, const struct trust_snapshot *trust, time_t now);

#endif
