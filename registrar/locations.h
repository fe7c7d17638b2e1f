/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address can be reached: AOR to the contacts that are bound to it. */
#ifndef REGISTRAR_LOCATIONS_H
#define REGISTRAR_LOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/moment.h"
#include "protocols/sip/bindings.h"
#include "registrar/peer.h"

/*
 * Bindings stay with the connection that made them; here stands only which
 * connection has some for an AOR. So a phone costs one small name, and a
 * refresh one lock that nobody else wants. Thread-safe: a connection changes
 * its bindings only between lock and unlock, others read them there.
 */
struct locations;
struct locations *locations_new(void);
void locations_free(struct locations *l);

/* One connection's part; zeroed it has no names. What it points to is the
 * connection's, and changes only under its lock. */
struct locations_part {
	const struct sip_bindings *bindings;
	const struct peer *peer;
	const char *device;
	struct location_name *names;
	bool every_line; /* all its names lead to all its bindings */
};

void locations_lock(struct locations *l, const struct locations_part *part);
void locations_unlock(struct locations *l, const struct locations_part *part);
/* From now on the part is found under these AORs and no other. Not between
 * lock and unlock. With n 0 nothing of it is looked at any more. */
void locations_set_names(struct locations *l, struct locations_part *part,
	const char *const *aors, size_t n);

/* A contact as it was when it was asked for. */
struct location {
	const char *contact;  /* as it is echoed, with its parameters */
	const char *uri;      /* addr-spec of that */
	const char *path;     /* RFC 3327; "": none */
	const char *instance; /* urn:...; "": none */
	const char *call_id;
	const char *device;
	const char *address; /* it came from */
	uint16_t port;
	bool tls, udp;
	uint16_t q; /* thousandths */
	uint32_t reg_id;
	uint32_t cseq;
	uint32_t expires_s;		   /* left */
	const struct locations_part *part; /* whose it is; only to compare */
	struct conn_ref ref;		   /* likewise, and to close it */
};

/* The contacts of an AOR, the greatest q first, then who has longest to live;
 * *n of them, freed with locations_list_free(). NULL: there are none. */
struct location *locations_find(struct locations *l, const char *aor,
	const struct moment *now, size_t *n);
/* The same by locations_hash() of the AOR. */
struct location *locations_find_hash(struct locations *l, uint64_t hash,
	const struct moment *now, size_t *n);
void locations_list_free(struct location *list, size_t n);
uint64_t locations_hash(const char *aor);
/* The URN of a binding's instance, without quotes and brackets; n 0: none. */
struct sip_slice locations_urn(const struct sip_binding *binding);

#endif
