/* SPDX-License-Identifier: Apache-2.0 */
/* An opened laboratory, as the lab's own files see it. */
#ifndef CERTS_LAB_STORE_H
#define CERTS_LAB_STORE_H

#include <stddef.h>

#include "certs/lab.h"

struct cert_lab {
	char *dir;
	X509 *cert[CERT_LAB_CAS];
	EVP_PKEY *key[CERT_LAB_CAS];
};

/* "dir/a/b.suffix" into path[CERT_LAB_PATH_MAX]; -ENAMETOOLONG. */
int cert_lab_path(char *path, struct diag *d, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Who issues such certificates. */
enum cert_lab_ca cert_lab_leaf_ca(enum cert_lab_leaf leaf);
/* Makes that folder; one that is there already is fine. */
int cert_lab_folder(const char *path, mode_t mode, struct diag *d);

#endif
