/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a certificate file: all of it or nothing, always with why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/pem.h"
#include "certs/rule.h"
#include "certs/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = {.text = ""};
	struct cert_list list;
	char clean[sizeof(d.text)];
	int error = cert_pem_parse(data, size, "f", &list, &d);
	check(ERR_peek_error() == 0);
	check(!error == (list.n > 0));
	check(!error == !d.text[0]);
	check(!error || cert_rule_find(d.rule));
	check(cert_text_clean(d.text, strlen(d.text), clean, sizeof(clean)));
	for (size_t i = 0; i < list.n; i++) {
		/* What was read is DER: written again it is the same. */
		X509 *again = X509_dup(list.cert[i]);
		check(again && !X509_cmp(again, list.cert[i]));
		X509_free(again);
	}
	cert_list_deinit(&list);
	ERR_clear_error();
	return 0;
}
