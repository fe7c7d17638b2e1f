/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a TCP connection, as far as the other side reads them. */
#include "bench/tcp_line.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that may wait in the socket before the server counts as deaf. */
enum { UNSENT_MAX = 256 * 1024 };

struct parcel {
	uv_write_t request;
	char data[];
};

static void on_written(uv_write_t *request, int status)
{
	/* A broken connection is told by the reading side, which may still
	 * have the alert that says why it broke. */
	free(request->data);
}

bool tcp_line_send(uv_tcp_t *tcp, const uint8_t *data, size_t n)
{
	uv_stream_t *stream = (uv_stream_t *)tcp;
	if (uv_stream_get_write_queue_size(stream) > UNSENT_MAX)
		return false;
	uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)n);
	int sent = uv_try_write(stream, &buffer, 1);
	if (sent == (int)n)
		return true;
	if (sent > 0) {
		data += sent;
		n -= (size_t)sent;
	}
	struct parcel *p = malloc(sizeof(*p) + n);
	if (!p)
		abort();
	memcpy(p->data, data, n);
	p->request.data = p;
	buffer = uv_buf_init(p->data, (unsigned)n);
	if (uv_write(&p->request, stream, &buffer, 1, on_written) < 0)
		free(p);
	return true;
}
