/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher suites and versions that phones and registrars name, by number. */
#include "protocols/tls/seen.h"

#define SHA1_MAC 20
#define MD5_MAC 16
#define SHA256_MAC 32

/* IANA's number, OpenSSL's name, and for NULL ciphers their MAC's bytes. */
static const struct {
	uint16_t suite;
	const char *name;
	size_t null_mac;
} suites[] = {
	{0x0001, "NULL-MD5", MD5_MAC},
	{0x0002, "NULL-SHA", SHA1_MAC},
	{0x003b, "NULL-SHA256", SHA256_MAC},
	{0xc006, "ECDHE-ECDSA-NULL-SHA", SHA1_MAC},
	{0xc010, "ECDHE-RSA-NULL-SHA", SHA1_MAC},
	{0x0003, "EXP-RC4-MD5", 0},
	{0x0004, "RC4-MD5", 0},
	{0x0005, "RC4-SHA", 0},
	{0x0006, "EXP-RC2-CBC-MD5", 0},
	{0x0008, "EXP-DES-CBC-SHA", 0},
	{0x0009, "DES-CBC-SHA", 0},
	{0x000a, "DES-CBC3-SHA", 0},
	{0x0015, "EDH-RSA-DES-CBC-SHA", 0},
	{0x0016, "EDH-RSA-DES-CBC3-SHA", 0},
	{0x002f, "AES128-SHA", 0},
	{0x0032, "DHE-DSS-AES128-SHA", 0},
	{0x0033, "DHE-RSA-AES128-SHA", 0},
	{0x0035, "AES256-SHA", 0},
	{0x0038, "DHE-DSS-AES256-SHA", 0},
	{0x0039, "DHE-RSA-AES256-SHA", 0},
	{0x003c, "AES128-SHA256", 0},
	{0x003d, "AES256-SHA256", 0},
	{0x0067, "DHE-RSA-AES128-SHA256", 0},
	{0x006b, "DHE-RSA-AES256-SHA256", 0},
	{0x009c, "AES128-GCM-SHA256", 0},
	{0x009d, "AES256-GCM-SHA384", 0},
	{0x009e, "DHE-RSA-AES128-GCM-SHA256", 0},
	{0x009f, "DHE-RSA-AES256-GCM-SHA384", 0},
	{0xc009, "ECDHE-ECDSA-AES128-SHA", 0},
	{0xc00a, "ECDHE-ECDSA-AES256-SHA", 0},
	{0xc013, "ECDHE-RSA-AES128-SHA", 0},
	{0xc014, "ECDHE-RSA-AES256-SHA", 0},
	{0xc023, "ECDHE-ECDSA-AES128-SHA256", 0},
	{0xc024, "ECDHE-ECDSA-AES256-SHA384", 0},
	{0xc027, "ECDHE-RSA-AES128-SHA256", 0},
	{0xc028, "ECDHE-RSA-AES256-SHA384", 0},
	{0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", 0},
	{0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", 0},
	{0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", 0},
	{0xc030, "ECDHE-RSA-AES256-GCM-SHA384", 0},
	{0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", 0},
	{0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", 0},
	{0xccaa, "DHE-RSA-CHACHA20-POLY1305", 0},
	{0x1301, "TLS_AES_128_GCM_SHA256", 0},
	{0x1302, "TLS_AES_256_GCM_SHA384", 0},
	{0x1303, "TLS_CHACHA20_POLY1305_SHA256", 0},
	/* Not suites but signals (RFC 5746, RFC 7507). */
	{0x00ff, "EMPTY_RENEGOTIATION_INFO_SCSV", 0},
	{0x5600, "FALLBACK_SCSV", 0},
};

enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

static size_t find(uint16_t suite)
{
	size_t i = 0;
	while (i < SUITES && suites[i].suite != suite)
		i++;
	return i;
}

const char *tls_suite_name(uint16_t suite)
{
	size_t i = find(suite);
	return i < SUITES ? suites[i].name : NULL;
}

size_t tls_suite_null_mac(uint16_t suite)
{
	size_t i = find(suite);
	return i < SUITES ? suites[i].null_mac : 0;
}

const char *tls_version_name(uint16_t version)
{
	static const char *const names[] = {
		"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
	size_t minor = version & 0xff;
	bool known =
		version >> 8 == 3 && minor < sizeof(names) / sizeof(names[0]);
	return known ? names[minor] : "";
}
