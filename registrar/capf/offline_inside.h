/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of capf.offline_folder share. */
#ifndef REGISTRAR_CAPF_OFFLINE_INSIDE_H
#define REGISTRAR_CAPF_OFFLINE_INSIDE_H

#include "registrar/capf/csr.h"
#include "registrar/capf/offline.h"
#include "registrar/watch.h"

struct capf_offline {
	const struct config *config;
	struct capf_desk *desk;
	struct capf_believers by;
	char *folder, *signed_in, *done, *refused;
	struct watch *watch;
	/* The watch's thread. */
	char fault[512]; /* the last that was logged; "": all is well */
};

/* Takes what lies in `signed`. 0; -EAGAIN: not all of it, yet; else -errno. */
int capf_offline_take(struct capf_offline *o, struct diag *d);
/* Writes what waits and was not exported, and takes away what was answered. */
int capf_offline_export(struct capf_offline *o, struct diag *d);
#endif
