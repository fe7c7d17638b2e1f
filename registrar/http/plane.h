/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one listening socket: its clients, their limits, the answers. */
#ifndef REGISTRAR_HTTP_PLANE_H
#define REGISTRAR_HTTP_PLANE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "registrar/http/problem.h"

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

/* That header of the request, or NULL. */
const char *plane_header(const struct plane_request *request, const char *name);
/* The client has already what this ETag names (If-None-Match). */
bool plane_has(const struct plane_request *request, const char *etag);

enum { PLANE_PARAMETERS_MAX = 16, PLANE_QUERY_MAX = 1024 };
/* One of those behind the question mark, decoded. */
struct plane_parameter {
	const char *name, *value; /* never NULL */
};
/* All of them; how many, or -E2BIG: more, or more bytes, than that; -EILSEQ:
 * one has a NUL in it. They live as long as the request. */
int plane_parameters(const struct plane_request *request,
	struct plane_parameter list[PLANE_PARAMETERS_MAX]);

enum { PLANE_ALLOW_MAX = 47, PLANE_ETAG_MAX = 63 };

/* A text in pieces that are the handler's until done() is called. */
struct plane_pieces {
	struct plane_piece {
		const char *p;
		size_t n;
	} * list; /* malloc'ed, taken */
	size_t n;
	void (*done)(void *self);
	void *self;
};

/* A text without an end. A handler has at most PLANE_SOURCES_MAX open, which
 * take no other client's place. */
enum { PLANE_SOURCES_MAX = 16 };
struct plane_source {
	/* Copies at most n bytes; 0: nothing now, plane_wake() will tell of
	 * more; -1: it is over. On the plane's thread. */
	ssize_t (*read)(void *self, char *to, size_t n);
	void (*close)(void *self); /* always, once */
	void *self;
};

/* What is said: JSON, a text of some type, pieces or a source of one; it is
 * taken. */
struct plane_answer {
	unsigned status;
	char allow[PLANE_ALLOW_MAX + 1]; /* with 405: the methods there are */
	json_t *json;
	char *text; /* malloc'ed */
	struct plane_pieces pieces;
	struct plane_source source;
	const char *type;
	const char *policy; /* Content-Security-Policy; NULL: nothing may run */
	unsigned retry_s;   /* Retry-After; 0: none */
	bool closes;	    /* the client is to open another connection */
	/* Names what is answered, quotes and all; "": the plane takes the
	 * SHA-256 of it where its handler says so. 304 needs nothing else. */
	char etag[PLANE_ETAG_MAX + 1];
};

/* Called on the plane's thread, one request at a time; but for those that take
 * long. */
struct plane_handler {
	void (*answer)(void *self, const struct plane_request *request,
		struct plane_answer *out);
	/* The longest body such a request may have. 0, and NULL for every
	 * one: it has none, and one that brings some is refused at its
	 * headers. */
	size_t (*body_max)(void *self, const char *method, const char *path);
	/* Its answer takes longer than others should wait: it is made on a
	 * thread of its own, a few at a time. NULL: none does. */
	bool (*takes_long)(void *self, const struct plane_request *request);
	/* Clients may keep what they got and ask with its ETag. Else nobody
	 * is to keep anything. */
	bool etags;
	/* Names and addresses, besides loopback's and the socket's own, that
	 * may stand in Host; another is answered 421. NULL: any may. */
	const char *hosts;
	void *self;
};

/*
 * Serves a socket that listens, TCP or Unix, on two threads of its own; takes
 * it over also when that fails: -EIO.
 */
struct plane;
int plane_new(int fd, const struct plane_handler *handler, struct plane **out);
void plane_free(struct plane *p);
/* Sources that had nothing are asked again. From any thread. */
void plane_wake(struct plane *p);

/* An answer that says no, as application/problem+json (RFC 9457). */
void plane_problem(
	struct plane_answer *out, enum problem problem, const char *detail);
/* To that no: the command to type next, unless it names one. */
void plane_next(struct plane_answer *out, const char *command);
/* No such method here; `allow` names those there are. */
void plane_not_allowed(
	struct plane_answer *out, const char *allow, const char *detail);

#endif
