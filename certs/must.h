/* SPDX-License-Identifier: Apache-2.0 */
/* Where certs and trust die when there is no memory (design, law 2). */
#ifndef CERTS_MUST_H
#define CERTS_MUST_H

#include <stdlib.h>

/* Hands p on; aborts when it is NULL. */
static inline void *cert_must(void *p)
{
	if (!p)
		abort();
	return p;
}

#endif
