/* SPDX-License-Identifier: Apache-2.0 */
/* Which device is registered, over which connection, as what. */
#ifndef REGISTRAR_DIRECTORY_H
#define REGISTRAR_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "certs/identity.h"
#include "registrar/config.h"
#include "registrar/device.h"
#include "registrar/peer.h"
#include "registrar/reason.h"

enum {
	DIRECTORY_TEXT_MAX = 159,
	DIRECTORY_MODEL_MAX = 31,
	DIRECTORY_KINDS = CERT_KIND_MIC + 1,
};

/* The texts of an entry and the most characters kept of each: X(field, most)
 */
#define DIRECTORY_TEXT_LIST(X)                                    \
	X(device, CERT_DEVICE_MAX)                                \
	X(address, PEER_ADDRESS_MAX - 1)                          \
	X(tls_version, 11)                                        \
	X(cipher, 47)                                             \
	X(issuer_cn, DIRECTORY_TEXT_MAX)                          \
	X(anchor, 127)                                            \
	X(cert_serial, CERT_SERIAL_MAX)                           \
	X(model, DIRECTORY_MODEL_MAX)                             \
	X(firmware, DIRECTORY_TEXT_MAX)	 /* load or User-Agent */ \
	X(came_back, DIRECTORY_TEXT_MAX) /* its own reason, last */

/*
 * One device: what status shows. What is handed in keeps its texts, NULL is
 * ""; what comes out has cleaned copies, never NULL, all in one block.
 */
struct directory_entry {
#define X(field, most) const char *field;
	DIRECTORY_TEXT_LIST(X)
#undef X
	bool registered;
	enum reason_unreg cause; /* why not, when not registered */
	enum config_protocol protocol;
	bool tls;
	bool udp;
	struct conn_ref ref;
	uint16_t port;
	bool resumed;
	uint8_t waived;	     /* rules, for its certificate: trust_waiver */
	enum cert_kind kind; /* UNKNOWN over plain TCP */
	time_t cert_not_after;
	uint8_t anchor_sha256[32]; /* that vouched; zero: none did */
	uint8_t sccp_version;
	bool partial;	      /* SIP: not all of its lines are in */
	uint32_t keepalive_s; /* or SIP expiry */
	int64_t since_ms;     /* unix: registered or lost since */
	int64_t seen_ms;      /* unix: last word heard from it */
	uint64_t seen_mono_ms;
	int64_t refused_ms;	/* unix: last refused; 0: never */
	uint32_t registrations; /* how often, since our start */
	uint32_t changes;	/* of what stands here, but for when seen */
};

struct directory;

/* Remembers devices_max: when full, the longest gone goes. */
struct directory *directory_new(size_t devices_max);
void directory_free(struct directory *d);

enum directory_result {
	DIRECTORY_NEW,	     /* was not registered */
	DIRECTORY_REFRESHED, /* same connection again */
	DIRECTORY_REPLACED,  /* *old is to be closed: deviceSwitch */
	DIRECTORY_TAKEN,     /* a connection with a better right holds it */
	DIRECTORY_FULL,	     /* devices_max are registered at once */
};

/*
 * Registers entry->device for entry->ref. A TLS connection (whose
 * certificate names the device) replaces any other at once. A plain one
 * never displaces TLS; it displaces a plain one from the same address (over
 * UDP, which anybody can forge, only one over UDP), or one that missed more
 * than one keepalive (specs sccp 6.2). Thread-safe.
 */
enum directory_result directory_register(struct directory *d,
	const struct directory_entry *entry, struct conn_ref *old);
/* The device was heard on that connection. */
void directory_touch(struct directory *d, const char *device,
	struct conn_ref ref, int64_t unix_ms, uint64_t mono_ms);
/* Ends the registration if that connection holds it; says whether it did. */
bool directory_unregister(struct directory *d, const char *device,
	struct conn_ref ref, enum reason_unreg cause, int64_t unix_ms);
/* A device of that name was refused; what is not known here stays so. */
void directory_refused(
	struct directory *d, const char *device, int64_t unix_ms);

/* A copy, whose texts directory_entry_deinit() frees. */
bool directory_find(
	struct directory *d, const char *device, struct directory_entry *out);
void directory_entry_deinit(struct directory_entry *e);

/* What is new since it was asked for last. */
struct directory_news {
	struct directory_entry *list; /* copies, in no order */
	size_t n;
	char (*gone)[CERT_DEVICE_MAX + 1]; /* names of those forgotten */
	size_t n_gone;
	bool lost; /* more was forgotten than is kept of it: who keeps a
		    * copy throws it away and asks for all */
};
/*
 * For the one who keeps a copy of it all: what changed, were it only when a
 * device was heard, or (all) every entry. No lock is held for more than some
 * entries. The caller calls directory_news_deinit(). Thread-safe, but what
 * one caller got no other gets.
 */
void directory_news(struct directory *d, bool all, struct directory_news *out);
void directory_news_deinit(struct directory_news *news);

/* A device, registered or gone, and by which certificate it came last. */
struct directory_bearer {
	char device[CERT_DEVICE_MAX + 1];
	enum cert_kind kind;
	uint8_t anchor_sha256[32];
	time_t cert_not_after;
	bool registered;
	int64_t since_ms; /* unix: registered or lost since */
};
/* All that came with a certificate, sorted by name without case; the caller
 * frees the list. No lock is held for more than some entries. Thread-safe. */
struct directory_bearer *directory_bearers(struct directory *d, size_t *n);

struct directory_counts {
	size_t known;
	size_t registered;
	size_t by_protocol[CONFIG_REGISTRATIONS]; /* registered, by enum
						     config_protocol */
	size_t tls;
	size_t lsc, mic;
	/* Registered, by security_mode - 1 and cert_kind; whole, partial. */
	size_t by[CONFIG_REGISTRATIONS][SECURITY_PREDEFINED][DIRECTORY_KINDS]
		 [2];
};
struct directory_counts directory_count(struct directory *d);

#endif
