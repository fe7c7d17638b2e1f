/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that wait for a CA outside, as its people are handed them. */
#ifndef REGISTRAR_CAPF_CSR_H
#define REGISTRAR_CAPF_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/capf/desk.h"

enum { CAPF_CSR_NAME_MAX = CERT_DEVICE_MAX + 1 + 16 };

struct capf_csr {
	char device[CERT_DEVICE_MAX + 1];
	uint8_t key_sha256[32];
	/* NAME-KEYID, of its files: the device, and 16 hex digits of the
	 * SHA-256 of its key. */
	char name[CAPF_CSR_NAME_MAX + 1];
	bool ec;
	int64_t at, exported_at;
	bool answered; /* its certificate is there, and waits for the phone */
	/* PEM, malloc'ed: PKCS #10, and the key alone (SubjectPublicKeyInfo).
	 * NULL: there can be none, and why. */
	char *request, *key;
	char fault[256];
};

struct capf_csr_list {
	struct capf_csr *item;
	size_t n;
};

/* Those of all devices (NULL), by device, or of one: -ENOENT with d when
 * nothing of it waits. To be undone in either case. */
int capf_csr_read(struct capf_desk *desk, const struct config *config,
	const char *device, struct capf_csr_list *out, struct diag *d);
void capf_csr_list_deinit(struct capf_csr_list *list);

/* Names one of them. */
struct capf_csr_mark {
	const char *device;
	const uint8_t *key_sha256; /* the first n bytes of it */
	size_t n;
};
/* They lie where people of the CA find them, says the store from now on; those
 * that have gone meanwhile are left out, *marked is how many are left. */
int capf_csr_exported(struct capf_desk *desk, const struct capf_csr_mark *marks,
	size_t n, size_t *marked, struct diag *d);

#endif
