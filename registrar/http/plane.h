/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one listening socket: its clients, their limits, the answers. */
#ifndef REGISTRAR_HTTP_PLANE_H
#define REGISTRAR_HTTP_PLANE_H

#include <jansson.h>

/* A request has no body: one that brings some is refused at its headers. */
struct plane_request {
	const char *method; /* "GET", "POST"; HEAD is asked as "GET" */
	const char *path;
	int fd; /* the client's socket */
};

/* What is said. Either JSON, or a text of some type; both are taken. */
struct plane_answer {
	unsigned status;
	const char *allow; /* with 405: the methods there are */
	json_t *json;
	char *text; /* malloc'ed */
	const char *type;
};

/* Called on the plane's thread, one request at a time. */
typedef void (*plane_answer_fn)(void *self, const struct plane_request *request,
	struct plane_answer *out);

/*
 * Serves a socket that listens, TCP or Unix, on two threads of its own; takes
 * it over also when that fails: -EIO.
 */
struct plane;
int plane_new(int fd, plane_answer_fn answer, void *self, struct plane **out);
void plane_free(struct plane *p);

/* An answer that says no, as application/problem+json (RFC 9457). */
void plane_problem(struct plane_answer *out, unsigned status, const char *title,
	const char *detail);
/* No such method here; `allow` names those there are. */
void plane_not_allowed(
	struct plane_answer *out, const char *allow, const char *detail);

#endif
