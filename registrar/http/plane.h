/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one listening socket: its clients, their limits, the answers. */
#ifndef REGISTRAR_HTTP_PLANE_H
#define REGISTRAR_HTTP_PLANE_H

#include <jansson.h>

struct plane_request {
	const char *method; /* "GET", "POST"; HEAD is asked as "GET" */
	const char *path;   /* without what follows a question mark */
	int fd;		    /* the client's socket */
	const char *type;   /* of the body, without parameters; "" */
	char *body;	    /* body[n] is a NUL; the handler may change it */
	size_t n;
	void *client; /* plane's own */
};

/* What follows "key=" behind the question mark, or NULL. */
const char *plane_query(const struct plane_request *request, const char *key);

enum { PLANE_ALLOW_MAX = 47 };

/* What is said. Either JSON, or a text of some type; both are taken. */
struct plane_answer {
	unsigned status;
	char allow[PLANE_ALLOW_MAX + 1]; /* with 405: the methods there are */
	json_t *json;
	char *text; /* malloc'ed */
	const char *type;
	const char *policy; /* Content-Security-Policy, or NULL */
};

/* Called on the plane's thread, one request at a time. */
struct plane_handler {
	void (*answer)(void *self, const struct plane_request *request,
		struct plane_answer *out);
	/* The longest body such a request may have. 0, and NULL for every
	 * one: it has none, and one that brings some is refused at its
	 * headers. */
	size_t (*body_max)(void *self, const char *method, const char *path);
	void *self;
};

/*
 * Serves a socket that listens, TCP or Unix, on two threads of its own; takes
 * it over also when that fails: -EIO.
 */
struct plane;
int plane_new(int fd, const struct plane_handler *handler, struct plane **out);
void plane_free(struct plane *p);

/* An answer that says no, as application/problem+json (RFC 9457). */
void plane_problem(struct plane_answer *out, unsigned status, const char *title,
	const char *detail);
/* No such method here; `allow` names those there are. */
void plane_not_allowed(
	struct plane_answer *out, const char *allow, const char *detail);

#endif
