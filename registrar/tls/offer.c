/* SPDX-License-Identifier: Apache-2.0 */
/* What a listener offers to phones: TLS versions and cipher suites, by name. */
#include "registrar/tls/offer.h"

#include <assert.h>
#include <stdio.h>

#include <openssl/ssl.h>

#define RSA_256 "ECDHE-RSA-AES256-GCM-SHA384"
#define RSA_128 "ECDHE-RSA-AES128-GCM-SHA256"
#define ECDSA_256 "ECDHE-ECDSA-AES256-GCM-SHA384"
#define ECDSA_128 "ECDHE-ECDSA-AES128-GCM-SHA256"

/*
 * SCCP phones speak TLS 1.2 with RSA key exchange and CBC (specs tls-phones
 * 5), so those two close the list; the first common suite of ours counts.
 */
static const char own_suites[] = ECDSA_128
	":" RSA_128 ":" ECDSA_256 ":" RSA_256 ":ECDHE-ECDSA-CHACHA20-POLY1305:"
	"ECDHE-RSA-CHACHA20-POLY1305:"
	"AES128-GCM-SHA256:AES256-GCM-SHA384:"
	"AES256-SHA:AES128-SHA";

/* Of each preset, by which key goes first: ECDSA, RSA. */
enum which { STRONGEST, MEDIUM, ALL };
static const char *const suites[][2] = {
	[STRONGEST] = {ECDSA_256 ":" RSA_256, RSA_256 ":" ECDSA_256},
	[MEDIUM] = {ECDSA_256 ":" RSA_256 ":" ECDSA_128 ":" RSA_128,
		RSA_256 ":" ECDSA_256 ":" RSA_128 ":" ECDSA_128},
	[ALL] = {ECDSA_256 ":" RSA_256 ":" ECDSA_128 ":" RSA_128 ":AES128-SHA",
		RSA_256 ":" ECDSA_256 ":" RSA_128 ":" ECDSA_128 ":AES128-SHA"},
};

/* CUCM's list says nothing of TLS 1.3, where a suite names no key: the same
 * strength, and the key by the order of signatures. */
static const char *const suites_13[] = {
	[STRONGEST] = "TLS_AES_256_GCM_SHA384",
	[MEDIUM] = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
	[ALL] = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
};

#define ECDSA_SIGNATURES                                 \
	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:" \
	"ecdsa_secp521r1_sha512:ed25519"
#define RSA_SIGNATURES                             \
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:" \
	"rsa_pss_rsae_sha512:rsa_pkcs1_sha256:"    \
	"rsa_pkcs1_sha384:rsa_pkcs1_sha512"
static const char *const signatures[] = {
	ECDSA_SIGNATURES ":" RSA_SIGNATURES,
	RSA_SIGNATURES ":" ECDSA_SIGNATURES,
};

static const struct {
	const char *name;
	int min_version;
	int level;
} profiles[] = {
#define X(symbol, name, version, level) {name, version, level},
	OFFER_PROFILE_LIST(X)
#undef X
};

static const struct {
	const char *name;
	bool rsa_first;
	enum which which;
} presets[OFFER_PRESETS] = {
#define X(symbol, name, text, rsa, which) [OFFER_##symbol] = {name, rsa, which},
	OFFER_PRESET_LIST(X)
#undef X
};

const char offer_profiles[] = "modern|legacy";
const char offer_presets[] = "strongest-rsa|strongest-ecdsa|medium-rsa|"
			     "medium-ecdsa|all-rsa|all-ecdsa";

const char *offer_profile_name(enum offer_profile profile)
{
	return profiles[profile].name;
}

const char *offer_preset_name(enum offer_preset preset)
{
	return presets[preset].name;
}

static void put(char *out, size_t size, const char *list, const char *more)
{
	int n = snprintf(out, size, "%s%s", list, more);
	assert(n >= 0 && (size_t)n < size);
}

void offer_make(const struct offer_choice *choice, struct offer *out)
{
	bool own = choice->preset == OFFER_OWN;
	bool rsa_first = presets[choice->preset].rsa_first;
	enum which which = presets[choice->preset].which;
	*out = (struct offer){
		.min_version = profiles[choice->profile].min_version,
		.level = choice->null_cipher ? 0
					     : profiles[choice->profile].level,
		.suites_13 = own ? NULL : suites_13[which],
	};
	put(out->suites, sizeof(out->suites),
		own ? own_suites : suites[which][rsa_first],
		choice->null_cipher ? ":NULL-SHA" : "");
	/* NULL-SHA takes level 0, which lets SHA-1 sign as well: not here. */
	if (!own || (choice->null_cipher && choice->profile == OFFER_MODERN))
		put(out->signatures, sizeof(out->signatures),
			signatures[rsa_first],
			choice->profile == OFFER_LEGACY ? ":RSA+SHA1:ECDSA+SHA1"
							: "");
}

const char *offer_risk(const struct offer_choice *choice)
{
	if (choice->null_cipher)
		return "null_cipher: what phones in authenticated mode say and "
		       "hear here can be read by anyone on the way";
	if (choice->profile == OFFER_LEGACY)
		return "profile legacy: TLS 1.0 and 1.1 are broken protocols; "
		       "keep this listener to phones that know no other";
	return NULL;
}
