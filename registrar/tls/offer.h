/* SPDX-License-Identifier: Apache-2.0 */
/* What a listener offers to phones: TLS versions and cipher suites, by name. */
#ifndef REGISTRAR_TLS_OFFER_H
#define REGISTRAR_TLS_OFFER_H

#include <stdbool.h>

/*
 * X(symbol, name, oldest version, security level of the record layer)
 * Level 0 is what OpenSSL asks for before it speaks TLS 1.0 or NULL-SHA. What
 * is asked of certificates does not depend on it (trust.auth_level).
 */
#define OFFER_PROFILE_LIST(X)                  \
	X(MODERN, "modern", TLS1_2_VERSION, 1) \
	X(LEGACY, "legacy", TLS1_VERSION, 0)

enum offer_profile {
#define X(symbol, name, version, level) OFFER_##symbol,
	OFFER_PROFILE_LIST(X)
#undef X
};

/*
 * CUCM's parameter "TLS Ciphers" (specs cucm-enumerations 2.3): its six
 * values, in the order of its list.
 * X(symbol, name, CUCM's own text, RSA goes first, which suites)
 */
#define OFFER_PRESET_LIST(X)                                                 \
	X(STRONGEST_RSA, "strongest-rsa",                                    \
		"Strongest- AES-256 SHA-384 only: RSA Preferred", true,      \
		STRONGEST)                                                   \
	X(STRONGEST_ECDSA, "strongest-ecdsa",                                \
		"Strongest- AES-256 SHA-384 only: ECDSA Preferred", false,   \
		STRONGEST)                                                   \
	X(MEDIUM_RSA, "medium-rsa",                                          \
		"Medium- AES-256 AES-128 only: RSA Preferred", true, MEDIUM) \
	X(MEDIUM_ECDSA, "medium-ecdsa",                                      \
		"Medium- AES-256 AES-128 only: ECDSA Preferred", false,      \
		MEDIUM)                                                      \
	X(ALL_RSA, "all-rsa", "All Ciphers, RSA Preferred", true, ALL)       \
	X(ALL_ECDSA, "all-ecdsa", "All Ciphers, ECDSA Preferred", false, ALL)

enum offer_preset {
	OFFER_OWN, /* none: the suites of the profile */
#define X(symbol, name, text, rsa, which) OFFER_##symbol,
	OFFER_PRESET_LIST(X)
#undef X
		OFFER_PRESETS
};

/* The names as "a|b|c", in the order of the enumerations; a preset's place is
 * one less, for OFFER_OWN has no name. */
extern const char offer_profiles[];
extern const char offer_presets[];
const char *offer_profile_name(enum offer_profile profile);
/* NULL for OFFER_OWN. */
const char *offer_preset_name(enum offer_preset preset);

/* What the configuration says of one listener; zeroed: the default. */
struct offer_choice {
	enum offer_profile profile;
	enum offer_preset preset;
	/* Also NULL-SHA, last: phones in the mode "authenticated" speak no
	 * other, and everything they say can be read on the wire. */
	bool null_cipher;
};

/* The same in OpenSSL's words. */
struct offer {
	int min_version;
	int level;
	char suites[384];      /* up to TLS 1.2 */
	const char *suites_13; /* NULL: OpenSSL's own */
	char signatures[384];  /* ""; OpenSSL's own */
};

void offer_make(const struct offer_choice *choice, struct offer *out);
/* Nobody should take this choice for a safe one: the risk in one sentence;
 * NULL where there is none. */
const char *offer_risk(const struct offer_choice *choice);

#endif
