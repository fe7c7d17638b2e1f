/* SPDX-License-Identifier: Apache-2.0 */
/* What time and an admin do to ticket keys and kept sessions. */
#ifndef REGISTRAR_TLS_RESUMPTION_H
#define REGISTRAR_TLS_RESUMPTION_H

#include "certs/diag.h"
#include "registrar/tls/resume.h"

/*
 * Keeps ticket keys young: reads a shared file that changed, rotates keys
 * that are old. Where another node has revoked them all, the sessions kept
 * here go too. Call it now and then.
 */
void resumption_tend(struct resume *resume);

/* A new ticket key now. 0 once it is on the disk; -ENOTSUP when there are no
 * tickets, or -errno, with d; then nothing has changed. */
int resumption_rotate(struct resume *resume, struct diag *d);
/* Are there tickets to rotate keys of? Likewise; nothing is changed. */
int resumption_may_rotate(struct resume *resume, struct diag *d);
/*
 * No phone resumes any more until it has made a full handshake: new keys, no
 * sessions kept. 0 once that is on the disk; -ENOTSUP when resumption is off,
 * or -errno, with d; then try again.
 */
int resumption_revoke_all(struct resume *resume, struct diag *d);

/* When the next ticket key is due (unix time). */
time_t resumption_rotation_due(const struct resume *resume);

#endif
