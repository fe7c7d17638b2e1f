/* SPDX-License-Identifier: Apache-2.0 */
/* One SIP message: checked against every rule of form, ready to be read. */
#ifndef PROTOCOLS_SIP_MESSAGE_H
#define PROTOCOLS_SIP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/sip/frame.h"
#include "protocols/sip/rule.h"

/* X(symbol, rule a registrar answers it by; OK: it reads further) */
#define SIP_METHOD_LIST(X)      \
	X(REGISTER, OK)         \
	X(OPTIONS, OPTIONS)     \
	X(REFER, OK)            \
	X(ACK, OK)              \
	X(BYE, NO_DIALOG)       \
	X(CANCEL, NO_DIALOG)    \
	X(SUBSCRIBE, BAD_EVENT) \
	X(INFO, NOT_ALLOWED)    \
	X(INVITE, NOT_ALLOWED)  \
	X(MESSAGE, NOT_ALLOWED) \
	X(NOTIFY, NOT_ALLOWED)  \
	X(PRACK, NOT_ALLOWED)   \
	X(PUBLISH, NOT_ALLOWED) \
	X(UPDATE, NOT_ALLOWED)

enum sip_method {
	SIP_METHOD_OTHER, /* unknown; methods are case-sensitive */
#define X(symbol, rule) SIP_METHOD_##symbol,
	SIP_METHOD_LIST(X)
#undef X
};

/* The rule a registrar answers a well-formed request of this method by. */
enum sip_rule sip_method_rule(enum sip_method method);

struct sip_message {
	struct sip_head head;
	struct sip_slice body;
	bool response;
	enum sip_method method;	 /* of a request; of CSeq in a response */
	struct sip_slice name;	 /* of the method, as received */
	struct sip_slice uri;	 /* request URI */
	int status;		 /* of a response */
	struct sip_slice phrase; /* of a response */
	uint32_t cseq;
};

/* Readies libosip2's parser and silences its trace. Once per process, before
 * the first thread and the first message. */
void sip_message_setup(void);
/*
 * Reads what the framer found. OK, or the first rule broken; `frame_rule` is
 * the one the framer noted. m is filled as far as it was read, its head in
 * any case, so that a refusal can be addressed. Nothing is allocated that
 * outlives the call; the slices point into data.
 *
 * libosip2 judges the grammar of the headers and nothing else, and only
 * after all limits were kept. It sees no body (it leaks on some) and its
 * values are not used: it cuts text at an escaped NUL.
 */
enum sip_rule sip_message_read(struct sip_message *m, const char *data,
	const struct sip_frame *frame, const struct sip_limits *limits);
/*
 * What libosip2 says of the headers of a message that was read and broke no
 * rule of ours before. Plain ones (see plain.h) are not shown to it.
 */
bool sip_message_grammatical(const struct sip_message *m);
/* Reads an incomplete head: only m->head, and what m->name and
 * m->response can be told from the first line. */
void sip_message_read_part(struct sip_message *m, const char *data, size_t n);
/* True when the option tag of a Require is one that we understand. */
bool sip_message_supports(struct sip_slice tag);

#endif
