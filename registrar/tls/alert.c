/* SPDX-License-Identifier: Apache-2.0 */
/* TLS alerts in the words that phones print. */
#include "registrar/tls/alert.h"

#include <openssl/ssl.h>

const char *alert_text(int alert)
{
	/* OpenSSL 3.0's table ends before TLS 1.3. */
	if (alert == SSL_AD_CERTIFICATE_REQUIRED)
		return "certificate required";
	if (alert == SSL_AD_MISSING_EXTENSION)
		return "missing extension";
	return SSL_alert_desc_string_long(alert);
}
