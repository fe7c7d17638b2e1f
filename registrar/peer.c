/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection knows of its other end. */
#include "registrar/peer.h"

#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"
#include "trust/waiver.h"

struct peer_cert *peer_cert_pack(const struct peer_cert *facts,
	const struct peer_text texts[PEER_CERT_TEXTS])
{
	size_t n = 0;
	for (size_t i = 0; i < PEER_CERT_TEXTS; i++)
		n += texts[i].n + 1;
	struct peer_cert *cert = memory_zero(sizeof(*cert) + n);
	char *to = (char *)(cert + 1);
	*cert = *facts;
	cert->refs = 1;
#define X(field, most)                                                       \
	cert->field = memcpy(                                                \
		to, texts[PEER_CERT_##field].p, texts[PEER_CERT_##field].n); \
	to += texts[PEER_CERT_##field].n + 1;
	PEER_CERT_TEXT_LIST(X)
#undef X
	return cert;
}

struct peer_cert *peer_cert_ref(struct peer_cert *cert)
{
	__atomic_add_fetch(&cert->refs, 1, __ATOMIC_RELAXED);
	return cert;
}

void peer_cert_unref(struct peer_cert *cert)
{
	if (cert && __atomic_sub_fetch(&cert->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(cert);
}

struct peer_cert *peer_cert_new(
	const struct cert_identity *id, const char *ca_serial)
{
	struct peer_cert facts = {
		.not_before = id->not_before,
		.not_after = id->not_after,
		.times_ok = id->times_ok,
	};
	memcpy(facts.sha256, id->sha256_raw, sizeof(facts.sha256));
	const struct peer_text texts[PEER_CERT_TEXTS] = {
#define TEXT(field) [PEER_CERT_##field] = {id->field, strlen(id->field)}
		TEXT(device),
		TEXT(cn),
		TEXT(model),
		TEXT(issuer_cn),
		TEXT(serial),
		TEXT(key),
#undef TEXT
		[PEER_CERT_ca_serial] = {ca_serial, strlen(ca_serial)},
	};
	return peer_cert_pack(&facts, texts);
}

const char *peer_cert_listed(const struct peer_cert *cert)
{
	return *cert->ca_serial ? cert->ca_serial : cert->serial;
}

const char *peer_anchor(const struct peer *peer)
{
	return peer->anchor ? peer->anchor->file : "";
}

const char *peer_device(const struct peer *peer)
{
	return peer->cert ? peer->cert->device : "";
}

const char *peer_waived(const struct peer *peer)
{
	return peer->cert ? trust_waiver_text(peer->cert->waived) : "";
}
