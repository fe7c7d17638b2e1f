/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a connection's socket: what it does not take at once waits. */
#include "registrar/net/conn_out.h"

#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

struct parcel {
	uv_write_t request;
	conn_out_fn written;
	char data[];
};

static void on_written(uv_write_t *request, int status)
{
	struct conn_out *o = request->data;
	uv_stream_t *to = request->handle;
	conn_out_fn written = o->waiting->written;
	conn_out_deinit(o);
	written(to, status);
}

/* The loop sends it. */
static int send_later(struct conn_out *o, uv_stream_t *to, const uint8_t *data,
	size_t n, conn_out_fn written)
{
	struct parcel *p = memory_zero(sizeof(*p) + n);
	uv_buf_t buf = uv_buf_init(p->data, (unsigned)n);
	memcpy(p->data, data, n);
	p->written = written;
	p->request.data = o;
	o->waiting = p;
	int error = uv_write(&p->request, to, &buf, 1, on_written);
	if (error == 0)
		return (int)n;
	conn_out_deinit(o);
	return error;
}

int conn_out_send(struct conn_out *o, uv_stream_t *to, const uint8_t *data,
	size_t n, conn_out_fn written)
{
	uv_buf_t buf = uv_buf_init((char *)data, (unsigned)n);
	int sent = uv_try_write(to, &buf, 1);
	if (sent == 0 || sent == UV_EAGAIN)
		return send_later(o, to, data, n, written);
	return sent;
}

void conn_out_deinit(struct conn_out *o)
{
	free(o->waiting);
	o->waiting = NULL;
}
