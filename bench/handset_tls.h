/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated phone's TLS: what it shows, what it offers, why it failed. */
#ifndef BENCH_HANDSET_TLS_H
#define BENCH_HANDSET_TLS_H

#include "bench/handset.h"

/* What it shows, which may be nothing; never NULL. */
const struct credential *handset_tls_shown(const struct handset *h);
/* Begins the handshake, with the session of the last visit if there is one. 0,
 * or -1: OpenSSL does not take the phone's certificate. */
int handset_tls_begin(struct handset *h, const struct moment *now);
/* UP: into the result, and to the console. In TLS 1.3 this is not the end of
 * it: the server reads our certificate afterwards, and its alert comes where
 * answers are expected. */
void handset_tls_up(struct handset *h);
/* FAILED: into the result and to the console, too. What has become of the
 * phone; text says why, and lasts as long as the event. */
enum handset_outcome handset_tls_failed(
	struct handset *h, const struct tls_event *event, const char **text);
/* Keeps its session for the next visit, if the owner wants it, and ends TLS. */
void handset_tls_end(struct handset *h);

#endif
