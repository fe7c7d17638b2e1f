/* SPDX-License-Identifier: Apache-2.0 */
/* The set of anchors that a command of `dialtone trust` is about. */
#ifndef REGISTRAR_CTL_TRUST_STORE_H
#define REGISTRAR_CTL_TRUST_STORE_H

#include "registrar/ctl/ctl.h"
#include "trust/snapshot.h"

/*
 * NULL and "callmanager": the folder that the registrar has in force, with its
 * policy, loaded anew; else that folder with the default policy. CTL_OK and a
 * reference for the caller; else prints why and answers an exit status.
 */
int ctl_trust_load(
	const struct ctl *ctl, const char *store, struct trust_snapshot **out);

#endif
