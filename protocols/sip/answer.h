/* SPDX-License-Identifier: Apache-2.0 */
/* Writes answers: a request's own headers sent back, and ours. */
#ifndef PROTOCOLS_SIP_ANSWER_H
#define PROTOCOLS_SIP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sip/frame.h"

enum { SIP_DATE_SIZE = 30 }; /* Mon, 23 Nov 2026 04:00:00 GMT */

/* An RFC 1123 date, as Date: wants it. */
void sip_answer_date(const struct moment *now, char date[SIP_DATE_SIZE]);

/* True for the headers of a request that its answer sends back. */
bool sip_answer_echoes(enum sip_header header);

/*
 * An answer under way. Its lines go straight to `out`; `full` tells that
 * they did not fit and the connection is lost.
 */
struct sip_answer {
	struct bytes_queue *out;
	bool full;
};

/*
 * Status line (phrase NULL: the standard one), all Via, From, To with a tag,
 * Date, Call-ID and CSeq of the request in `head`, as far as it has them and
 * they fit a line. The tag is a hash of Call-ID, CSeq and Via: the same
 * request gets the same tag. Where head->source is known, the topmost Via gets
 * `received` if it names another address, and an answer to its `rport`
 * (RFC 3261 18.2.1, RFC 3581).
 */
void sip_answer_start(struct sip_answer *a, struct bytes_queue *out,
	const struct sip_head *head, int status, const char *phrase,
	const struct moment *now);
/* Every header of that name as it was received. */
void sip_answer_again(struct sip_answer *a, const struct sip_head *head,
	enum sip_header header);

/* Text of our own or already clean, CR LF and all, as it is. */
void sip_answer_text(struct sip_answer *a, const char *text);
/* A number between two such texts. */
void sip_answer_number(struct sip_answer *a, const char *before, uint32_t value,
	const char *behind);
/* One header line of our own, without CR LF; cut at 1022 bytes. Control
 * characters in it become '?', so that no text can start a new line. */
void sip_answer_line(struct sip_answer *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Warning: 399 node "text", with quotes and backslashes taken out. */
void sip_answer_warning(
	struct sip_answer *a, const char *node, const char *text);
/* Content-Length, the empty line and n bytes of body. */
void sip_answer_body(struct sip_answer *a, const char *body, size_t n);
/* The same without a body. */
void sip_answer_end(struct sip_answer *a);

#endif
