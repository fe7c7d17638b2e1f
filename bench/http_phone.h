/* SPDX-License-Identifier: Apache-2.0 */
/* A phone that asks for / once: for servers that answer nothing but HTTP. */
#ifndef BENCH_HTTP_PHONE_H
#define BENCH_HTTP_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"

/*
 * What a general-purpose TLS server is measured with beside a registrar: the
 * connection and the handshake are a phone's, its REGISTER is one GET, and
 * status 200 means registered (RFC 9112). Answers need a Content-Length.
 */
enum http_phone_state {
	HTTP_PHONE_ASKING,
	HTTP_PHONE_UP,
	HTTP_PHONE_LEAVING,
	HTTP_PHONE_OVER,
};

enum http_phone_event_type {
	HTTP_PHONE_REGISTERED,
	HTTP_PHONE_REJECTED, /* value: status */
	HTTP_PHONE_UNREGISTERED,
	HTTP_PHONE_FAILED, /* text: what is wrong with the answer */
};

struct http_phone_event {
	enum http_phone_event_type type;
	uint32_t value;
	const char *text; /* static */
};

struct http_phone {
	struct bytes_queue in;
	struct bytes_queue out;
	enum http_phone_state state;
};

/* The engine contract, without a clock: it never waits for anything that its
 * host does not limit. start() queues the GET; unregister() says nothing. */
void http_phone_init(struct http_phone *p);
void http_phone_deinit(struct http_phone *p);
void http_phone_start(
	struct http_phone *p, const char *host, const char *device);
void http_phone_unregister(struct http_phone *p);
void http_phone_feed(struct http_phone *p, const void *data, size_t n);
bool http_phone_next(struct http_phone *p, struct http_phone_event *event);
const uint8_t *http_phone_out(const struct http_phone *p, size_t *n);
void http_phone_sent(struct http_phone *p, size_t n);

#endif
