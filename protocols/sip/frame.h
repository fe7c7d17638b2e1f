/* SPDX-License-Identifier: Apache-2.0 */
/* Finds SIP messages in a stream and indexes their header lines. */
#ifndef PROTOCOLS_SIP_FRAME_H
#define PROTOCOLS_SIP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/sip/field.h"
#include "protocols/sip/rule.h"

enum { SIP_LINES_MAX = 128 }; /* what an index holds, at most */

/* All of it is judged here, before a parser sees a byte. */
struct sip_limits {
	uint32_t message_max;  /* bytes, headers and body */
	uint32_t head_max;     /* bytes, with the empty line */
	uint32_t lines_max;    /* header lines, folds counted; <= 128 */
	uint32_t params_max;   /* ';' per header, folds included */
	uint32_t contacts_max; /* Contacts; see sip_message_read() */
};

/*
 * Where the framer stands in one message; zeroed: before one. It looks at
 * every byte once however the stream is cut, and allocates nothing.
 *
 * Lines end with CR LF. A bare CR or LF among the headers is refused at
 * once: taking it for a line end would let two readers see different
 * headers, and waiting for the CR LF would stall the peer in silence. Folded
 * lines are one header. CR and LF in front of a message are skipped.
 */
struct sip_frame {
	uint32_t scanned; /* bytes looked at; the head's are kept */
	uint32_t line;	  /* where the current line begins */
	uint32_t head;	  /* its length, once the empty line was seen */
	uint32_t body;
	uint32_t lines;
	uint32_t params;
	uint32_t commas;
	bool spaced;	    /* a space was seen in the first line */
	enum sip_rule rule; /* the first one broken; framing may go on */
};

enum sip_frame_step {
	SIP_FRAME_MORE,	   /* nothing whole yet */
	SIP_FRAME_PING,	   /* CR LF CR LF (RFC 5626 3.5.1): answer CR LF */
	SIP_FRAME_MESSAGE, /* data holds head + body bytes of one */
	SIP_FRAME_LOST,	   /* by `rule`: no way to find the next one */
};

/*
 * Looks for a message at the start of data. *skip bytes in front of it are
 * done with: drop them before anything else. After MESSAGE drop head + body
 * bytes and zero the frame.
 */
enum sip_frame_step sip_frame_next(struct sip_frame *f,
	const struct sip_limits *limits, const char *data, size_t n,
	size_t *skip);

/*
 * X(symbol, name, its last letter, compact form or 0). No two names of one
 * length end in the same letter: a switch over both finds them.
 */
#define SIP_HEADER_LIST(X)                            \
	X(VIA, "Via", 'a', 'v')                       \
	X(FROM, "From", 'm', 'f')                     \
	X(TO, "To", 'o', 't')                         \
	X(CALL_ID, "Call-ID", 'd', 'i')               \
	X(CSEQ, "CSeq", 'q', 0)                       \
	X(CONTACT, "Contact", 't', 'm')               \
	X(CONTENT_LENGTH, "Content-Length", 'h', 'l') \
	X(CONTENT_TYPE, "Content-Type", 'e', 'c')     \
	X(EXPIRES, "Expires", 's', 0)                 \
	X(MAX_FORWARDS, "Max-Forwards", 's', 0)       \
	X(REQUIRE, "Require", 'e', 0)                 \
	X(SUPPORTED, "Supported", 'd', 'k')           \
	X(ACCEPT, "Accept", 't', 0)                   \
	X(USER_AGENT, "User-Agent", 't', 0)           \
	X(REASON, "Reason", 'n', 0)                   \
	X(REFER_TO, "Refer-To", 'o', 'r')             \
	X(EVENT, "Event", 't', 'o')                   \
	X(WARNING, "Warning", 'g', 0)                 \
	X(RETRY_AFTER, "Retry-After", 'r', 0)         \
	X(MIN_EXPIRES, "Min-Expires", 's', 0)         \
	X(DATE, "Date", 'e', 0)                       \
	X(SERVER, "Server", 'r', 0)                   \
	X(ALLOW, "Allow", 'w', 0)                     \
	X(MIME_VERSION, "Mime-Version", 'n', 0)       \
	X(SESSION_ID, "Session-ID", 'd', 0)           \
	X(REFERRED_BY, "Referred-By", 'y', 0)         \
	X(PATH, "Path", 'h', 0)                       \
	X(AUTHORIZATION, "Authorization", 'n', 0)     \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 'e', 0)

enum sip_header {
	SIP_HEADER_OTHER,
#define X(symbol, name, last, compact) SIP_HEADER_##symbol,
	SIP_HEADER_LIST(X)
#undef X
		SIP_HEADERS
};

const char *sip_header_name(enum sip_header header);

struct sip_line {
	enum sip_header header;
	struct sip_slice name;	/* n 0: the line is not name: value */
	struct sip_slice value; /* trimmed; folds still inside */
};

/* Where a message came from. */
struct sip_source {
	const char *address; /* a literal; NULL: not known */
	uint16_t port;
};

/* The header lines of one message, in their order. */
struct sip_head {
	struct sip_slice first; /* request or status line, without CR LF */
	const struct sip_source *source; /* NULL: not known */
	size_t n;
	uint8_t count[SIP_HEADERS]; /* lines of each header */
	uint8_t place[SIP_HEADERS]; /* where its first one is */
	struct sip_line lines[SIP_LINES_MAX];
};

/* Indexes whole lines: the head, or what there is of one. Lines above
 * SIP_LINES_MAX are left out. The slices point into data. */
void sip_head_index(struct sip_head *h, const char *data, size_t n);
/* The same by hand: an empty one, and one more line, up to SIP_LINES_MAX. */
void sip_head_clear(struct sip_head *h);
void sip_head_add(struct sip_head *h, const struct sip_line *line);
/* The first line of that header; NULL: none. */
const struct sip_line *sip_head_find(
	const struct sip_head *h, enum sip_header header);
size_t sip_head_count(const struct sip_head *h, enum sip_header header);
/* The value of the first such line; p NULL: there is none. */
struct sip_slice sip_head_value(
	const struct sip_head *h, enum sip_header header);

#endif
