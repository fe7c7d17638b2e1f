/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a connection's socket: what it does not take at once waits. */
#ifndef REGISTRAR_NET_CONN_OUT_H
#define REGISTRAR_NET_CONN_OUT_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* Zeroed: nothing waits. */
struct conn_out {
	struct parcel *waiting; /* in flight, or NULL; most never have one */
};

/* What waited has gone, or was lost with the socket; `to` is as it was. */
typedef void (*conn_out_fn)(uv_stream_t *to, int status);

/* Sends n bytes, while nothing waits; answers how many of them the caller has
 * to think of no more, or an error of uv's. Afterwards something may wait:
 * then `written` will be called, at the latest when `to` is closed. */
int conn_out_send(struct conn_out *o, uv_stream_t *to, const uint8_t *data,
	size_t n, conn_out_fn written);
void conn_out_deinit(struct conn_out *o);

#endif
