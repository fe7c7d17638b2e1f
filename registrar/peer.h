/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection knows of its other end. */
#ifndef REGISTRAR_PEER_H
#define REGISTRAR_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

#include "certs/identity.h"
#include "registrar/config.h"
#include "trust/verify.h"

/* Names one connection for good: never reused, so a stale one finds none. */
struct conn_ref {
	uint32_t worker;
	uint64_t id; /* 0: none */
};

enum { PEER_ADDRESS_MAX = 46, PEER_ANCHOR_MAX = 128 };

struct peer {
	char address[PEER_ADDRESS_MAX]; /* IPv4-mapped ones as IPv4 */
	uint16_t port;
	uint32_t local_ipv4; /* our end, network order; 0 when IPv6 */
	uint16_t local_port;
	enum config_protocol protocol;
	bool tls;
	struct conn_ref ref;
	/* TLS, after the handshake (or its refusal): */
	char tls_version[12];
	char cipher[48];
	bool resumed;	     /* an earlier handshake vouches, re-checked */
	bool presented;	     /* a certificate came; identity is filled */
	bool verified;	     /* and trust_verify said OK */
	enum cert_kind kind; /* by the anchor; UNKNOWN unless verified */
	char anchor[PEER_ANCHOR_MAX]; /* file name of the anchor */
	struct cert_identity identity;
};

#endif
