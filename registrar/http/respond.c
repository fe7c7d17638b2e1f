/* SPDX-License-Identifier: Apache-2.0 */
/* What was said becomes a response: its bytes, its headers, or 304. */
#include "registrar/http/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "registrar/memory.h"

enum { ETAG_BYTES = 16, PIECES_BLOCK = 32 * 1024 };

static void to_text(struct plane_answer *a)
{
	if (!a->json)
		return;
	a->text = json_dumps(a->json, JSON_COMPACT | JSON_ENSURE_ASCII);
	a->type = a->status < MHD_HTTP_MULTIPLE_CHOICES
			  ? "application/json"
			  : "application/problem+json";
	json_decref(a->json);
	a->json = NULL;
}

/* ---- names of what is said ---- */

static void name_text(struct plane_answer *a)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256((const uint8_t *)a->text, strlen(a->text), digest);
	a->etag[0] = '"';
	for (size_t i = 0; i < ETAG_BYTES; i++)
		snprintf(a->etag + 1 + 2 * i, 3, "%02x", digest[i]);
	a->etag[1 + 2 * ETAG_BYTES] = '"';
}

/* Two are the same whether weak or not (RFC 9110 13.1.2). */
static const char *strong(const char *etag)
{
	return strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
}

bool respond_knows(struct MHD_Connection *client, const char *etag)
{
	const char *list = MHD_lookup_connection_value(
		client, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *wanted = strong(etag);
	size_t n = strlen(wanted);
	if (!list)
		return false;
	while (*(list += strspn(list, ", \t"))) {
		const char *one = strong(list);
		if (*list == '*' || strncmp(one, wanted, n) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

/* ---- bytes ---- */

/* Where a client is among the pieces. */
struct walk {
	struct plane_pieces pieces;
	size_t i, at; /* byte `at` of piece i comes next */
};

/* libmicrohttpd asks from the first byte to the last, each once. */
static ssize_t next_bytes(void *self, uint64_t at, char *to, size_t most)
{
	struct walk *w = self;
	size_t done = 0;
	while (done < most && w->i < w->pieces.n) {
		const struct plane_piece *piece = &w->pieces.list[w->i];
		size_t left = piece->n - w->at;
		size_t n = left < most - done ? left : most - done;
		memcpy(to + done, piece->p + w->at, n);
		done += n;
		w->at += n;
		if (w->at == piece->n) {
			w->i++;
			w->at = 0;
		}
	}
	return done ? (ssize_t)done : MHD_CONTENT_READER_END_OF_STREAM;
}

static void end_walk(void *self)
{
	struct walk *w = self;
	w->pieces.done(w->pieces.self);
	free(w->pieces.list);
	free(w);
}

/* Not as an iovec: libmicrohttpd 0.9.75 copies that into the client's memory,
 * and aborts when it is too long for it. */
static struct MHD_Response *of_pieces(const struct plane_pieces *pieces)
{
	struct walk *w = memory_zero(sizeof(*w));
	uint64_t total = 0;
	w->pieces = *pieces;
	for (size_t i = 0; i < pieces->n; i++)
		total += pieces->list[i].n;
	struct MHD_Response *r = MHD_create_response_from_callback(
		total, PIECES_BLOCK, next_bytes, w, end_walk);
	if (!r)
		end_walk(w);
	return r;
}

/* There may be authentication strings in it. */
static struct MHD_Response *of_text(char *text)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer_with_free_callback(
			strlen(text), text, memory_wipe);
	if (!r)
		memory_wipe(text);
	return r;
}

static struct MHD_Response *body(struct streams *streams,
	struct MHD_Connection *client, struct plane_answer *a)
{
	static char nothing[1];
	if (a->source.read)
		return streams_add(streams, client, &a->source);
	if (a->pieces.done)
		return of_pieces(&a->pieces);
	if (a->text)
		return of_text(a->text);
	return MHD_create_response_from_buffer(
		0, nothing, MHD_RESPMEM_PERSISTENT);
}

/* ---- headers ---- */

static void add(struct MHD_Response *r, const char *name, const char *value)
{
	if (value && *value)
		MHD_add_response_header(r, name, value);
}

static void add_headers(struct MHD_Response *r, const struct plane_answer *a)
{
	char retry[16] = "";
	if (a->retry_s)
		snprintf(retry, sizeof(retry), "%u", a->retry_s);
	if (a->status != MHD_HTTP_NOT_MODIFIED)
		add(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
	add(r, MHD_HTTP_HEADER_CACHE_CONTROL,
		*a->etag ? "no-cache" : "no-store");
	add(r, MHD_HTTP_HEADER_ETAG, a->etag);
	add(r, "X-Content-Type-Options", "nosniff");
	add(r, MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY,
		a->policy ? a->policy
			  : "default-src 'none'; "
			    "frame-ancestors 'none'");
	/* No page of somebody else's is to embed or to learn anything. */
	add(r, "X-Frame-Options", "DENY");
	add(r, "Cross-Origin-Resource-Policy", "same-origin");
	add(r, "Cross-Origin-Opener-Policy", "same-origin");
	add(r, "Referrer-Policy", "no-referrer");
	add(r, MHD_HTTP_HEADER_ALLOW, a->allow);
	add(r, MHD_HTTP_HEADER_RETRY_AFTER, retry);
	/* Nothing is read behind what has no end. */
	if (a->source.read || a->closes)
		add(r, MHD_HTTP_HEADER_CONNECTION, "close");
}

enum MHD_Result respond(struct streams *streams, struct MHD_Connection *client,
	struct plane_answer *a, bool etags)
{
	to_text(a);
	if (etags && a->status == MHD_HTTP_OK && a->text && !*a->etag)
		name_text(a);
	if (a->status == MHD_HTTP_OK && a->text && *a->etag &&
		respond_knows(client, a->etag)) {
		a->status = MHD_HTTP_NOT_MODIFIED;
		free(a->text);
		a->text = NULL;
	}
	struct MHD_Response *r = body(streams, client, a);
	if (!r)
		return MHD_NO;
	add_headers(r, a);
	enum MHD_Result result = MHD_queue_response(client, a->status, r);
	MHD_destroy_response(r);
	return result;
}
