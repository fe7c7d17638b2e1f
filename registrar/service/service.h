/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between a connection's bytes and their meaning. */
#ifndef REGISTRAR_SERVICE_SERVICE_H
#define REGISTRAR_SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/capf/server.h"
#include "protocols/moment.h"
#include "protocols/sccp/server.h"
#include "protocols/sip/server.h"
#include "registrar/capf/desk.h"
#include "registrar/config.h"
#include "registrar/digest.h"
#include "registrar/directory.h"
#include "registrar/failures.h"
#include "registrar/gruu.h"
#include "registrar/history.h"
#include "registrar/inventory.h"
#include "registrar/locations.h"
#include "registrar/log.h"
#include "registrar/meters.h"
#include "registrar/overload.h"
#include "registrar/peer.h"

/* What the engines of all connections are told of the configuration. */
struct service_limits {
	struct sccp_server_config sccp;
	struct sip_server_config sip[2]; /* over plain TCP, over TLS */
	struct sip_server_config sip_udp;
	struct capf_server_config capf; /* but for the session */
};

void service_limits_init(struct service_limits *l, const struct config *c);
/* Their engines count what they answer there. */
void service_limits_count(struct service_limits *l, struct meters *meters);

/* What the services of a worker share; read-only but for the thread-safe
 * stores in it and the worker's own part of overload. */
struct service_world {
	const struct config *config;
	struct service_limits limits; /* made of it */
	struct directory *directory;
	struct inventory *inventory;
	struct history *history; /* NULL: nothing is kept */
	struct failures *failures;
	struct locations *locations;
	const struct digest *digest;
	const struct gruu *gruu;
	struct overload_part *overload;
	struct meters *meters;	/* the worker's own, as is overload */
	struct capf_desk *capf; /* NULL: no listener is CAPF's */
	/* Closes another connection, of whichever worker (thread-safe). */
	void (*displace)(void *self, struct conn_ref ref);
	void *displace_self;
};

/* What an admin may want of a registered phone. */
enum phone_order {
	PHONE_RESET,   /* start anew, as after power-on */
	PHONE_RESTART, /* register anew, with its configuration read again */
	PHONE_APPLY,   /* read the configuration, do what it takes */
};

/*
 * One protocol over one connection. `self` is `size` zeroed bytes that the
 * connection owns; peer is the connection's and outlives the service.
 */
struct service {
	enum config_protocol protocol;
	bool tells_address; /* needs our own end in peer */
	size_t size;
	void (*init)(void *self, const struct service_world *world,
		const struct peer *peer, const struct moment *now);
	/* feed and tick run the engine and answer its events. */
	void (*feed)(void *self, const void *data, size_t n,
		const struct moment *now);
	void (*tick)(void *self, const struct moment *now);
	/* Plaintext to send, and how much of it was taken. */
	const uint8_t *(*out)(const void *self, size_t *n);
	void (*sent)(void *self, size_t n);
	uint64_t (*deadline)(const void *self);
	/* Has the peer said what it wants? Until then it is half open. NULL:
	 * the handshake says enough. */
	bool (*greeted)(const void *self);
	/* Tells the phone; nothing when none is registered here. NULL: this
	 * service tells phones nothing. */
	void (*order)(
		void *self, enum phone_order order, const struct moment *now);
	/* Why the service wants the connection closed, once out is drained;
	 * NULL while it does not. */
	const char *(*ended)(const void *self);
	/* No more will be heard: ends the registration it holds. What waits in
	 * out() may still be sent. */
	void (*leave)(
		void *self, enum reason_unreg cause, const struct moment *now);
	void (*deinit)(void *self);
};

extern const struct service service_sccp;
extern const struct service service_sip;
extern const struct service service_capf;

/* ---- shared by the services ---- */

struct admit_verdict;
/* May `device` register over this connection? Records a refusal. */
bool service_admit(const struct service_world *world, const struct peer *peer,
	const char *device, struct admit_verdict *verdict);
/* Records a refusal that the service itself decided on; without phone_text
 * the phone was told nothing. */
void service_refused(const struct service_world *world, const struct peer *peer,
	const char *device, const struct admit_verdict *verdict);
/* Registers entry->device, which was admitted, and logs it. True:
 * registered; *result says how. False: refused; *verdict says why. */
bool service_register(const struct service_world *world,
	const struct peer *peer, struct directory_entry *entry,
	enum directory_result *result, struct admit_verdict *verdict);
/* Is the device registered at this node, over whichever connection? */
bool service_is_here(const struct service_world *world, const char *device);
/* What every service keeps beside its engine: its first member. */
struct seat {
	const struct service_world *world;
	const struct peer *peer;
	char device[CERT_DEVICE_MAX + 1]; /* registered as; "" not */
	const char *ended;		  /* why the engine wants to close */
	enum reason_unreg cause;	  /* of the end, if the engine knows */
};

void service_sit(struct seat *seat, const struct service_world *world,
	const struct peer *peer);
/* The peer was heard: its registration lives. */
void service_heard(const struct seat *seat, const struct moment *now);
/* Ends the registration that this connection holds, if any, and logs it. */
void service_release(struct seat *seat, enum reason_unreg cause,
	const char *why, const struct moment *now);
/* The device that is registered over it, "" while none is. */
const char *service_device(const void *self);
/* service.ended and service.leave of every service. */
const char *service_ended(const void *self);
void service_leave(
	void *self, enum reason_unreg cause, const struct moment *now);
/* Fills what entry takes over from the connection and the moment; it points
 * to device and into peer. */
void service_entry(struct directory_entry *entry, const struct peer *peer,
	const char *device, const struct moment *now);
/* Begins a log line about this connection. */
void service_log(
	const struct seat *seat, struct log_line *line, enum log_event event);
/* A protocol error of the peer: into failures, with its rule and text. */
void service_fault(const struct service_world *world, const struct peer *peer,
	const char *device, const char *rule, const char *why);

#endif
