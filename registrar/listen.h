/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's listeners: opened or inherited, given to workers. */
#ifndef REGISTRAR_LISTEN_H
#define REGISTRAR_LISTEN_H

#include "registrar/server.h"
#include "registrar/worker.h"

/*
 * Each listener of the configuration on each worker, before they start;
 * listeners[i] says where the i-th is. Sockets that a service manager gave us
 * are taken by name, dialtone-SERVICE-TRANSPORT, and address; it is asked to
 * keep all that we have, for whoever comes after us. 0, or -errno with d.
 */
int listen_on_all(const struct config *config, struct worker **workers,
	size_t n_workers, struct server_listener *listeners, struct diag *d);
/* Where it listens, and what is risky of it. */
void listen_log(const struct server_listener *listener);

#endif
