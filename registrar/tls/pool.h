/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's small change: blocks that it frees and takes again all the time. */
#ifndef REGISTRAR_TLS_POOL_H
#define REGISTRAR_TLS_POOL_H

#include <stdbool.h>

/*
 * A resumption makes and frees some 330 blocks inside of OpenSSL, and a third
 * of what libc does for a registration is to split and join them again. From
 * here on each thread keeps what OpenSSL frees, by size, 256 KB at most, for
 * its next use; a block costs no byte more. What has secrets OpenSSL cleans
 * before it frees it. Blocks come from malloc(), and a block that is freed
 * twice ends the process, as it does there. A thread that ends gives all of it
 * back.
 *
 * Before anything else of OpenSSL. False: it goes on with malloc(), because
 * this came too late, or a sanitizer wants to see every block.
 */
bool pool_start(void);

#endif
