/* SPDX-License-Identifier: Apache-2.0 */
/* A little CAPF on a test's own loop: the server engine over TLS behind uv. */
#ifndef TESTS_BENCH_LITTLE_CAPF_H
#define TESTS_BENCH_LITTLE_CAPF_H

#include <openssl/ssl.h>
#include <uv.h>

#include "bench/target.h"
#include "certs/proof.h"
#include "protocols/capf/server.h"

enum little_capf_wants {
	LITTLE_CAPF_INSTALLS,
	LITTLE_CAPF_DELETES,
	LITTLE_CAPF_FETCHES,
	LITTLE_CAPF_ENDS, /* with `reason`, once it knows who it is */
	LITTLE_CAPF_IS_SILENT,
	LITTLE_CAPF_STORES_FOREIGN, /* an LSC for a key of its own */
};

enum { LITTLE_CAPF_TYPES = 4, LITTLE_CAPF_KEY = 1024 };

struct little_capf {
	uv_loop_t *loop;
	uv_tcp_t listener;
	SSL_CTX *ctx;
	X509 *root;
	EVP_PKEY *root_key;
	struct target target;
	uint8_t plain[16384];
	char received[65536];
	/* How it is; may be changed once it is open. */
	enum little_capf_wants wants;
	enum capf_reason reason;
	struct capf_key_wish wish;
	unsigned fetch_type;
	unsigned hang_ups; /* so many visits end when the phone has said who
			    * it is */
	/* What it saw. */
	unsigned calls;
	unsigned together; /* visits at once, at most */
	unsigned now;
	unsigned version;
	char device[64];
	char password[64]; /* "-": it sent none */
	unsigned cert_type;
	enum cert_proof proof;
	bool sudi;
	unsigned progress;
	unsigned keys, no_keys;
	unsigned stored, erased; /* by their reason 1 */
	unsigned failed;	 /* rules of the engine's */
	int last_reason;
	size_t shown;
	unsigned types[LITTLE_CAPF_TYPES];
	uint8_t key[LITTLE_CAPF_KEY]; /* the last public one */
	size_t key_n;
};

/* Listens on a free port of 127.0.0.1 with a new root; does not keep the loop
 * alive. It wants an RSA-1024 installed, which takes no time. */
void little_capf_open(struct little_capf *l, uv_loop_t *loop);
/* After the loop has ended. */
void little_capf_close(struct little_capf *l);

#endif
