/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without an end, which wait for news without a thread of theirs. */
#ifndef REGISTRAR_HTTP_STREAM_H
#define REGISTRAR_HTTP_STREAM_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "registrar/http/plane.h"

/* Those of one daemon. */
struct streams {
	pthread_mutex_t lock;
	struct stream *first;
	bool ending;
};

void streams_init(struct streams *all);
void streams_deinit(struct streams *all);
/* A response that reads the source, which it closes when it is destroyed;
 * NULL: it did at once. */
struct MHD_Response *streams_add(struct streams *all,
	struct MHD_Connection *client, const struct plane_source *source);
/* From any thread: who had nothing is asked again, or (end) all are over. */
void streams_wake(struct streams *all, bool end);

#endif
