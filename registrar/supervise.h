/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a service manager how we are: alive, and one line of what we do. */
#ifndef REGISTRAR_SUPERVISE_H
#define REGISTRAR_SUPERVISE_H

#include <uv.h>

#include "registrar/server.h"

enum { SUPERVISE_LINE_MAX = 255 };

/* A timer of the main loop. A sign of life leaves it only while this loop and
 * those of all workers turn. */
struct supervise {
	uv_timer_t timer;
	struct server *server;
	char said[SUPERVISE_LINE_MAX + 1]; /* the last STATUS= */
};

/* READY=1 goes out now. */
void supervise_start(
	struct supervise *s, uv_loop_t *loop, struct server *server);
/* STOPPING=1; the loop is to run once more before *s goes. */
void supervise_stop(struct supervise *s);

#endif
