/* SPDX-License-Identifier: Apache-2.0 */
/* Any certificate: what is read of it is bounded, clean and unambiguous. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "certs/identity.h"
#include "certs/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_text(const char *text, size_t size)
{
	char clean[512];
	check(strnlen(text, size) < size);
	check(cert_text_clean(text, strlen(text), clean, sizeof(clean)));
}

static void check_device(const X509 *cert, const struct cert_identity *id)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	if (!id->device[0])
		return;
	int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	check(first >= 0);
	check(X509_NAME_get_index_by_NID(name, NID_commonName, first) < 0);
	check(cert_device_in_cn(id->device) == id->device);
	check(cert_device_equal(cert_device_in_cn(id->cn), id->device));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509 *cert = d2i_X509(NULL, &p, (long)size);
	ERR_clear_error();
	if (!cert)
		return 0;
	struct cert_identity id;
	cert_identity_read(cert, &id);
	check_text(id.device, sizeof(id.device));
	check_text(id.cn, sizeof(id.cn));
	check_text(id.model, sizeof(id.model));
	check_text(id.hardware_serial, sizeof(id.hardware_serial));
	check_text(id.subject, sizeof(id.subject));
	check_text(id.issuer, sizeof(id.issuer));
	check_text(id.issuer_cn, sizeof(id.issuer_cn));
	check_text(id.serial, sizeof(id.serial));
	check_text(id.key, sizeof(id.key));
	check(strlen(id.sha256) == 64 && strlen(id.sha1) == 40);
	check_device(cert, &id);
	check(ERR_peek_error() == 0);
	X509_free(cert);
	return 0;
}
