/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection knows of its other end. */
#ifndef REGISTRAR_PEER_H
#define REGISTRAR_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <sys/socket.h>

#include "certs/identity.h"
#include "registrar/config.h"
#include "trust/verify.h"

/* Names one connection for good: never reused, so a stale one finds none. */
struct conn_ref {
	uint32_t worker;
	uint64_t id; /* 0: none */
};

enum { PEER_ADDRESS_MAX = 46 };

/*
 * What is kept of a certificate once it was judged; frozen and counted. One
 * block of memory, because there is one for each phone: the texts lie behind
 * the structure. They mean what they mean in struct cert_identity.
 */
struct peer_cert {
	int refs;
	bool times_ok;
	uint8_t level;	/* trust.auth_level that judged it, */
	uint8_t waived; /* and what its anchor waived of that: trust_waiver */
	uint8_t kept;	/* leaves' mark on what they have; atomic */
	time_t not_before, not_after;
	uint8_t sha256[32];
	const char *device, *cn, *model, *issuer_cn, *serial, *key;
	const char *ca_serial; /* means what it does in trust_result */
};

/* The texts, in the order in which sessions carry them. X(field, most) */
#define PEER_CERT_TEXT_LIST(X)                                   \
	X(device, CERT_DEVICE_MAX)                               \
	X(cn, CERT_NAME_MAX)                                     \
	X(model, sizeof(((struct cert_identity *)0)->model) - 1) \
	X(issuer_cn, CERT_NAME_MAX)                              \
	X(serial, CERT_SERIAL_MAX)                               \
	X(key, sizeof(((struct cert_identity *)0)->key) - 1)     \
	X(ca_serial, CERT_SERIAL_MAX)

enum {
#define X(field, most) PEER_CERT_##field,
	PEER_CERT_TEXT_LIST(X)
#undef X
		PEER_CERT_TEXTS
};

/* A text that does not end with a NUL. */
struct peer_text {
	const char *p;
	size_t n;
};

/* The caller has one reference. Texts in the order of the list; of `facts`
 * only what is no text is taken. A new one has not been judged. */
struct peer_cert *peer_cert_new(
	const struct cert_identity *id, const char *ca_serial);
struct peer_cert *peer_cert_pack(const struct peer_cert *facts,
	const struct peer_text texts[PEER_CERT_TEXTS]);
struct peer_cert *peer_cert_ref(struct peer_cert *cert);
void peer_cert_unref(struct peer_cert *cert);

struct peer {
	char address[PEER_ADDRESS_MAX]; /* IPv4-mapped ones as IPv4 */
	uint16_t port;
	/* Our end, for services that tell it to phones. */
	uint32_t local_ipv4; /* network order; 0 when IPv6 */
	uint16_t local_port;
	enum config_protocol protocol;
	bool tls;
	bool udp; /* datagrams, never with tls; neither: plain TCP */
	struct conn_ref ref;
	/* TLS, after the handshake (or its refusal). The texts are OpenSSL's
	 * and the snapshot's own, NULL while unknown: */
	const char *tls_version;
	const char *cipher;
	const struct trust_anchor *anchor; /* that vouched */
	bool resumed;		/* an earlier handshake vouches, re-checked */
	bool verified;		/* trust_verify said OK */
	enum cert_kind kind;	/* by the anchor; UNKNOWN unless verified */
	struct peer_cert *cert; /* NULL: none came */
};

/* The serial number by which the anchor's list would name it: its own, or that
 * of the CA between. */
const char *peer_cert_listed(const struct peer_cert *cert);
/* File name of the anchor that vouched, "" for none. */
const char *peer_anchor(const struct peer *peer);
/* The device that its certificate names, "" for none. */
const char *peer_device(const struct peer *peer);
/* What its anchor had to waive for it: "allow_sha1", ..., "" for nothing. */
const char *peer_waived(const struct peer *peer);

#endif
