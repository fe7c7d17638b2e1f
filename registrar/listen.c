/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's listeners: opened or inherited, given to workers. */
#include "registrar/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/net/inherit.h"
#include "registrar/net/socket.h"
#include "registrar/notify.h"

enum {
	WORKERS_MAX = 64,
	/* Of one listener; there may be more than today's workers are. */
	SOCKETS_MAX = 2 * WORKERS_MAX,
	NAME_SIZE = 32,
};

/* The sockets of one listener. */
struct door {
	char name[NAME_SIZE];
	int type;
	size_t n;
	int fds[SOCKETS_MAX];
};

static void log_listening(const struct server_listener *at)
{
	const struct config_listener *l = at->config;
	struct log_line line;
	log_begin(&line, LOG_EV_LISTENING);
	log_str(&line, "service", config_protocol_name(l->protocol));
	log_str(&line, "transport", config_transport_name(l->tls, l->udp));
	log_str(&line, "address", l->address);
	log_num(&line, "port", at->port);
	log_str(&line, "inherited", at->inherited ? "yes" : NULL);
	if (l->tls)
		log_str(&line, "profile", offer_profile_name(l->offer.profile));
	log_str(&line, "ciphers", offer_preset_name(l->offer.preset));
	log_str(&line, "null_cipher", l->offer.null_cipher ? "yes" : NULL);
	log_end(&line);
}

/* Whoever reads the log at the start reads what he has let in. */
static void log_risk(const struct config_listener *l, uint16_t port)
{
	struct log_line line;
	const char *risk = l->tls ? offer_risk(&l->offer) : NULL;
	if (!risk)
		return;
	log_begin(&line, LOG_EV_LISTENER_RISK);
	log_str(&line, "service", config_protocol_name(l->protocol));
	log_str(&line, "address", l->address);
	log_num(&line, "port", port);
	log_str(&line, "why", risk);
	log_end(&line);
}

void listen_log(const struct server_listener *listener)
{
	log_listening(listener);
	log_risk(listener->config, listener->port);
}

static void name_door(struct door *door, const struct config_listener *l)
{
	snprintf(door->name, sizeof(door->name), "dialtone-%s-%s",
		config_protocol_name(l->protocol),
		config_transport_name(l->tls, l->udp));
	door->type = l->udp ? SOCK_DGRAM : SOCK_STREAM;
}

/* What is left over is closed before anything is opened: it may stand where
 * another listener is to be. */
static void take_inherited(const struct config *config, struct door *doors,
	struct server_listener *listeners)
{
	char **names;
	size_t n = notify_sockets(&names);
	int *fds = memory_zero((n + 1) * sizeof(int));
	for (size_t i = 0; i < n; i++)
		fds[i] = NOTIFY_FIRST + (int)i;
	struct inherit *in = inherit_new(fds, (const char *const *)names, n);
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];
		const struct inherit_wanted wanted = {.name = doors[i].name,
			.type = doors[i].type,
			.address = l->address,
			.port = l->port};
		doors[i].n = inherit_take(in, &wanted, &listeners[i].port,
			doors[i].fds, SOCKETS_MAX);
		listeners[i].inherited = doors[i].n > 0;
	}
	inherit_free(in);
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
	free(fds);
}

static int open_door(struct door *door, struct server_listener *at,
	size_t n_workers, struct diag *d)
{
	int error = socket_open_shared(door->type, at->config->address,
		&at->port, door->fds, n_workers, d);
	door->n = error < 0 ? 0 : n_workers;
	return error;
}

/*
 * Every socket is somebody's, and every worker has one, if it is another's:
 * whoever turns first accepts. Not so with UDP, where a phone's datagrams
 * must come to one worker: there some may have none.
 */
static int hand_out(struct door *door, const struct config_listener *l,
	struct worker **workers, size_t n_workers, struct diag *d)
{
	size_t n = door->n;
	size_t hands = n < n_workers && !l->udp ? n_workers : n;
	int error = 0;
	door->n = 0; /* from here on they are the workers' */
	for (size_t i = 0; i < hands; i++) {
		size_t which = i % n;
		size_t sharers = hands / n + (which < hands % n);
		int fd = i < n ? door->fds[i]
			       : fcntl(door->fds[which], F_DUPFD_CLOEXEC, 0);
		int failed = worker_listen(
			workers[i % n_workers], l, fd, sharers, d);
		error = failed < 0 ? failed : error;
	}
	for (size_t i = 0; error == 0 && i < n; i++)
		notify_keep(door->name, door->fds[i]);
	return error;
}

int listen_on_all(const struct config *config, struct worker **workers,
	size_t n_workers, struct server_listener *listeners, struct diag *d)
{
	size_t n = config->n_listeners;
	struct door *doors = memory_zero((n + 1) * sizeof(*doors));
	int error = 0;
	for (size_t i = 0; i < n; i++) {
		listeners[i].config = &config->listeners[i];
		name_door(&doors[i], listeners[i].config);
	}
	take_inherited(config, doors, listeners);
	for (size_t i = 0; error == 0 && i < n; i++) {
		if (doors[i].n == 0)
			error = open_door(
				&doors[i], &listeners[i], n_workers, d);
		if (error == 0)
			error = hand_out(&doors[i], listeners[i].config,
				workers, n_workers, d);
	}
	for (size_t i = 0; i < n; i++)
		while (doors[i].n > 0)
			close(doors[i].fds[--doors[i].n]);
	free(doors);
	return error;
}
