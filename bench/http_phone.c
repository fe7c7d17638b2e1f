/* SPDX-License-Identifier: Apache-2.0 */
/* A phone that asks for / once: for servers that answer nothing but HTTP. */
#include "bench/http_phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_MAX = 16 * 1024, REQUEST_MAX = 512, STATUS_OK = 200 };

void http_phone_init(struct http_phone *p)
{
	memset(p, 0, sizeof(*p));
	/* One byte more than an answer may have: the last one tells. */
	bytes_queue_init(&p->in, ANSWER_MAX + 1);
	bytes_queue_init(&p->out, REQUEST_MAX);
}

void http_phone_deinit(struct http_phone *p)
{
	bytes_queue_deinit(&p->in);
	bytes_queue_deinit(&p->out);
}

void http_phone_start(
	struct http_phone *p, const char *host, const char *device)
{
	char text[REQUEST_MAX];
	int n = snprintf(text, sizeof(text),
		"GET / HTTP/1.1\r\nHost: %.200s\r\nUser-Agent: "
		"dialtone-storm/%.100s\r\n\r\n",
		host, device);
	bytes_queue_put(&p->out, text, (size_t)n);
	p->state = HTTP_PHONE_ASKING;
}

void http_phone_unregister(struct http_phone *p)
{
	p->state = HTTP_PHONE_LEAVING;
}

void http_phone_feed(struct http_phone *p, const void *data, size_t n)
{
	size_t room = ANSWER_MAX + 1 - bytes_queue_len(&p->in);
	bytes_queue_put(&p->in, data, n < room ? n : room);
}

/* What stands behind "name:" in a head that ends in a line end. */
static const char *header(const char *head, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = strstr(head, "\r\n"); line;
		line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1;
	}
	return NULL;
}

static bool say(struct http_phone *p, struct http_phone_event *event,
	enum http_phone_event_type type, const char *text)
{
	p->state =
		type == HTTP_PHONE_REGISTERED ? HTTP_PHONE_UP : HTTP_PHONE_OVER;
	*event = (struct http_phone_event){.type = type, .text = text};
	return true;
}

/* An answer whose head has come; false: its body has not. */
static bool judge(struct http_phone *p, struct http_phone_event *event,
	const char *head, size_t body)
{
	static const char version[] = "HTTP/1.1 ";
	const char *length = header(head, "Content-Length");
	if (strncmp(head, version, sizeof(version) - 1) != 0)
		return say(p, event, HTTP_PHONE_FAILED,
			"the answer is not HTTP/1.1");
	unsigned long status = strtoul(head + sizeof(version) - 1, NULL, 10);
	if (!length)
		return say(p, event, HTTP_PHONE_FAILED,
			"the answer has no Content-Length");
	if (strtoul(length, NULL, 10) > body)
		return false;
	bytes_queue_drop(&p->in, bytes_queue_len(&p->in));
	say(p, event,
		status == STATUS_OK ? HTTP_PHONE_REGISTERED
				    : HTTP_PHONE_REJECTED,
		"");
	event->value = (uint32_t)status;
	return true;
}

bool http_phone_next(struct http_phone *p, struct http_phone_event *event)
{
	static const char end[] = "\r\n\r\n";
	size_t n;
	if (p->state == HTTP_PHONE_LEAVING)
		return say(p, event, HTTP_PHONE_UNREGISTERED, "");
	const char *text = (const char *)bytes_queue_peek(&p->in, &n);
	if (p->state != HTTP_PHONE_ASKING || !text)
		return false;
	const char *rest = memmem(text, n, end, sizeof(end) - 1);
	if (rest) {
		char head[ANSWER_MAX + 1];
		size_t length = (size_t)(rest - text) + 2;
		memcpy(head, text, length);
		head[length] = '\0';
		if (judge(p, event, head, n - length - 2))
			return true;
	}
	if (n > ANSWER_MAX)
		return say(p, event, HTTP_PHONE_FAILED,
			"the answer is longer than 16 KB");
	return false;
}

const uint8_t *http_phone_out(const struct http_phone *p, size_t *n)
{
	return bytes_queue_peek(&p->out, n);
}

void http_phone_sent(struct http_phone *p, size_t n)
{
	bytes_queue_drop(&p->out, n);
}
