/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a CAPF message: its elements, read and written. */
#ifndef PROTOCOLS_CAPF_MESSAGE_H
#define PROTOCOLS_CAPF_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/capf/frame.h"
#include "protocols/capf/ids.h"
#include "protocols/capf/rule.h"

struct capf_bytes {
	const uint8_t *p; /* NULL: the element did not come */
	size_t n;
};

struct capf_cert {
	unsigned type; /* enum capf_cert_type, or what came */
	struct capf_bytes der;
};

/* Points into the frame it was read from. */
struct capf_message {
	unsigned command;
	uint32_t session;
	struct capf_bytes elements[CAPF_EL_MAX]; /* by tag; checked */
	struct capf_cert certs[CAPF_CERTS_MAX];	 /* of CERTIFICATE */
	size_t n_certs;
};

/*
 * Elements may stand in any order (specs capf 2); those without a name are
 * skipped, whatever they hold. False: refused, and why is filled.
 */
bool capf_message_read(struct capf_message *m, const struct capf_frame *frame,
	struct capf_refusal *why);
/* A U8 or U16; -1: it did not come. */
int capf_message_number(const struct capf_message *m, enum capf_element tag);
/* A TEXT, with its NUL; NULL: it did not come. */
const char *capf_message_text(
	const struct capf_message *m, enum capf_element tag);

/*
 * Writes one message. What does not fit into CAPF_MESSAGE_MAX is our bug
 * (assert, in send).
 */
struct capf_builder {
	struct bytes_out out;
	uint8_t data[CAPF_MESSAGE_MAX];
};

void capf_builder_init(
	struct capf_builder *b, enum capf_command command, uint32_t session);
/* A U8 or U16, as the element is. */
void capf_builder_number(
	struct capf_builder *b, enum capf_element tag, unsigned value);
/* NULL is left out; "" is one NUL byte. */
void capf_builder_text(
	struct capf_builder *b, enum capf_element tag, const char *text);
/* Left out where p is NULL. */
void capf_builder_bytes(struct capf_builder *b, enum capf_element tag,
	const struct capf_bytes *bytes);
/* One CERTIFICATE element; left out where n is 0. */
void capf_builder_certs(
	struct capf_builder *b, const struct capf_cert *certs, size_t n);
/* Appends it in one piece. 0, or -ENOBUFS (nothing appended). */
int capf_builder_send(struct capf_builder *b, struct bytes_queue *out);

#endif
