/* SPDX-License-Identifier: Apache-2.0 */
/* One phone as the inventory has it, and the security profile it follows. */
#ifndef REGISTRAR_DEVICE_H
#define REGISTRAR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/identity.h"

enum {
	DEVICE_LINES_MAX = 42, /* buttons of a phone */
	DEVICE_DIALS_MAX = 199,
	DEVICE_NUMBER_MAX = 23,
	DEVICE_LABEL_MAX = 39,
	DEVICE_OWNER_MAX = 63,
	DEVICE_DESCRIPTION_MAX = 127,
	DEVICE_MODEL_MAX = 31,
	DEVICE_PROFILE_MAX = 63,
	DEVICE_USER_MAX = 63,
	DEVICE_SOFTKEYS_MAX = 127,
	DEVICE_PROFILE_DESCRIPTION_MAX = 50, /* characters */
};

/* Both, when nobody said. */
enum device_protocol { DEVICE_ANY, DEVICE_SCCP, DEVICE_SIP };
const char *device_protocol_name(enum device_protocol protocol);

struct device_line {
	const char *number;
	const char *label; /* "": the number */
	const char *owner;
};

struct device_dial {
	const char *number;
	const char *label;
	const char *type; /* "", or "blf": with a lamp, which stays dark */
};

/* The texts of a device and the most bytes of each. Of softkeys: those that
 * may show, as protocols/sccp/softkeys.h reads them. X(field, most) */
#define DEVICE_TEXT_LIST(X)                    \
	X(name, CERT_DEVICE_MAX)               \
	X(description, DEVICE_DESCRIPTION_MAX) \
	X(model, DEVICE_MODEL_MAX)             \
	X(profile, DEVICE_PROFILE_MAX)         \
	X(digest_user, DEVICE_USER_MAX)        \
	X(softkeys, DEVICE_SOFTKEYS_MAX)

/*
 * Frozen once made, counted, one block of memory: there may be 50,000. Texts
 * are never NULL in one that device_new() made.
 */
struct device {
	int refs;
	bool fixed; /* stands in the configuration file */
	bool mic;   /* may register with its MIC */
	enum device_protocol protocol;
#define X(field, most) const char *field;
	DEVICE_TEXT_LIST(X)
#undef X
	/* H(user:realm:password) of RFC 7616; all zero: no credentials. */
	uint8_t ha1_md5[16], ha1_sha256[32];
	const struct device_line *lines;
	size_t n_lines;
	const struct device_dial *dials;
	size_t n_dials;
};

/* How an admin says that a device shows every softkey. */
#define DEVICE_SOFTKEYS_STANDARD "standard"

/* A copy of `from` (NULL texts are ""); the caller has one reference. */
struct device *device_new(const struct device *from);
struct device *device_ref(struct device *d);
void device_unref(struct device *d);
/* Its softkeys as an admin reads them. */
const char *device_softkeys(const struct device *d);
/* Do both say the same, whoever keeps them? */
bool device_equal(const struct device *a, const struct device *b);

/* CUCM's numbers (specs cucm-enumerations 2.1). */
enum security_mode {
	SECURITY_NON_SECURE = 1,
	SECURITY_AUTHENTICATED = 2, /* TLS with a NULL cipher */
	SECURITY_ENCRYPTED = 3,
};
/* "non-secure", "authenticated", "encrypted". */
const char *security_mode_name(enum security_mode mode);
/* Of a connection, by its suite (NULL: none yet). */
enum security_mode security_mode_of(bool tls, const char *cipher);

/* How the SIP phones of a profile come (AXL XTransport). */
enum security_transport {
	SECURITY_TCP_UDP,
	SECURITY_TCP,
	SECURITY_UDP,
	SECURITY_TLS,
};

/* Fields and defaults: specs cucm-enumerations 2.2. */
struct security_profile {
	char name[DEVICE_PROFILE_MAX + 1];
	char description[4 * DEVICE_PROFILE_DESCRIPTION_MAX + 1]; /* UTF-8 */
	enum security_mode mode;
	enum security_transport transport;
	uint16_t sip_phone_port;
	uint32_t nonce_s;
	bool digest;
	bool exclude_digest_credentials;
	bool encrypted_config;
	bool oauth;
	/* What CAPF does for its phones. */
	uint8_t authentication_mode; /* AXL's number: 1 to 4 */
	uint8_t key_order;	     /* 0 RSA only, 1 EC only, 2 EC preferred */
	uint16_t rsa_bits;
	uint16_t ec_bits;
};

/* The predefined profiles: one for each mode, named as the mode. */
enum { SECURITY_PREDEFINED = 3 };
extern const struct security_profile security_predefined[SECURITY_PREDEFINED];
/* What a device follows of which nothing was said. */
#define SECURITY_PROFILE_DEFAULT "encrypted"

#endif
