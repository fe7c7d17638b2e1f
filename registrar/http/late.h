/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that take long: made beside the plane's thread, which serves others
 * meanwhile. */
#ifndef REGISTRAR_HTTP_LATE_H
#define REGISTRAR_HTTP_LATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "registrar/http/plane.h"

enum { LATE_THREADS = 4 };

/* One of a client's, zeroed before. */
struct late {
	struct late *next;
	struct MHD_Connection *client;
	struct plane_request request; /* and what it points to: the client's */
	struct plane_answer answer;
	bool there; /* the answer; the plane's thread may look when asked */
};

/* Those of one plane. */
struct lates {
	const struct plane_handler *handler;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t news;
	struct late *first, **end; /* that wait */
	size_t idle, n;		   /* threads */
	pthread_t threads[LATE_THREADS];
	bool ending;
};

void lates_init(struct lates *all, const struct plane_handler *handler);
/* The one that is being made is waited for; others are not begun any more: what
 * they are answered says so. None comes afterwards. */
void lates_end(struct lates *all);
void lates_deinit(struct lates *all);

/* Has the handler answer l->request. The client is suspended until then, and
 * its request comes once more; `l` stays until that is over. */
void late_begin(struct lates *all, struct late *l);
/* Nobody takes its answer any more. */
void late_deinit(struct late *l);

#endif
