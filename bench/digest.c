/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's answer to a digest challenge (RFC 7616, RFC 8760). */
#include "bench/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

enum { HEX_SIZE = 2 * EVP_MAX_MD_SIZE + 1, INPUT_SIZE = 2048 };

static const char *const openssl_names[] = {
	[SIP_ALGORITHM_SHA256] = "SHA256",
	[SIP_ALGORITHM_MD5] = "MD5",
};

static void hex(char *dst, const unsigned char *data, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		snprintf(dst + (size_t)2 * i, 3, "%02x", data[i]);
}

/* The hash of a text that is put together; false: it is too long. */
__attribute__((format(printf, 3, 4))) static bool hash(
	enum sip_algorithm algorithm, char digits[HEX_SIZE], const char *format,
	...)
{
	char input[INPUT_SIZE];
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	va_list args;
	va_start(args, format);
	int length = vsnprintf(input, sizeof(input), format, args);
	va_end(args);
	if (length < 0 || length >= INPUT_SIZE)
		return false;
	EVP_MD *type = EVP_MD_fetch(NULL, openssl_names[algorithm], NULL);
	if (!type || EVP_Digest(input, (size_t)length, md, &n, type, NULL) != 1)
		abort(); /* OpenSSL has both, or no memory */
	EVP_MD_free(type);
	hex(digits, md, n);
	return true;
}

bool digest_authorization(const struct sip_challenge_read *challenge,
	const struct digest_answer *answer, char *dst, size_t size)
{
	enum sip_algorithm algorithm = challenge->algorithm;
	char ha1[HEX_SIZE], ha2[HEX_SIZE], response[HEX_SIZE], extra[128] = "";
	unsigned char random[8];
	char cnonce[2 * sizeof(random) + 1];
	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	hex(cnonce, random, sizeof(random));
	if (!hash(algorithm, ha1, "%s:%s:%s", answer->username,
		    challenge->realm, answer->password) ||
		!hash(algorithm, ha2, "%s:%s", answer->method, answer->uri))
		return false;
	bool good = challenge->qop ? hash(algorithm, response,
					     "%s:%s:00000001:%s:auth:%s", ha1,
					     challenge->nonce, cnonce, ha2)
				   : hash(algorithm, response, "%s:%s:%s", ha1,
					     challenge->nonce, ha2);
	if (challenge->qop)
		snprintf(extra, sizeof(extra),
			",qop=auth,nc=00000001,cnonce=\"%s\"", cnonce);
	int n = snprintf(dst, size,
		"Digest username=\"%s\",realm=\"%s\",nonce=\"%s\",uri=\"%s\","
		"response=\"%s\",algorithm=%s%s%s%s%s",
		answer->username, challenge->realm, challenge->nonce,
		answer->uri, response, sip_algorithm_name(algorithm), extra,
		challenge->opaque[0] ? ",opaque=\"" : "", challenge->opaque,
		challenge->opaque[0] ? "\"" : "");
	return good && n > 0 && (size_t)n < size;
}
