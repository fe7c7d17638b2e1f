/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of CAPF: commands, elements, reasons, kinds of keys. */
#ifndef PROTOCOLS_CAPF_IDS_H
#define PROTOCOLS_CAPF_IDS_H

/* Who sends it. */
enum capf_side { CAPF_FROM_NOBODY, CAPF_FROM_SERVER, CAPF_FROM_PHONE };

/* Specs capf 3. Those from nobody are known by name alone.
 * X(symbol, number, name, who sends it) */
#define CAPF_COMMAND_LIST(X)                                         \
	X(AUTH_REQUEST, 1, "AUTH_REQUEST", SERVER)                   \
	X(AUTH_RESPONSE, 2, "AUTH_RESPONSE", PHONE)                  \
	X(KEY_GENERATE_REQUEST, 3, "KEY_GENERATE_REQUEST", SERVER)   \
	X(KEY_GENERATE_RESPONSE, 4, "KEY_GENERATE_RESPONSE", PHONE)  \
	X(ENCRYPT_RESPONSE, 5, "ENCRYPT_RESPONSE", NOBODY)           \
	X(ENCRYPT_REQUEST, 6, "ENCRYPT_REQUEST", NOBODY)             \
	X(DECRYPT_REQUEST, 7, "DECRYPT_REQUEST", NOBODY)             \
	X(DECRYPT_RESPONSE, 8, "DECRYPT_RESPONSE", NOBODY)           \
	X(STORE_REQUEST, 9, "STORE_CERTIFICATE_REQUEST", SERVER)     \
	X(STORE_RESPONSE, 10, "STORE_CERTIFICATE_RESPONSE", PHONE)   \
	X(FETCH_REQUEST, 11, "FETCH_CERTIFICATE_REQUEST", SERVER)    \
	X(FETCH_RESPONSE, 12, "FETCH_CERTIFICATE_RESPONSE", PHONE)   \
	X(DELETE_REQUEST, 13, "DELETE_CERTIFICATE_REQUEST", SERVER)  \
	X(DELETE_RESPONSE, 14, "DELETE_CERTIFICATE_RESPONSE", PHONE) \
	X(END_SESSION, 15, "END_SESSION", SERVER)                    \
	X(RETRY_LATER, 16, "RETRY_LATER", SERVER)                    \
	X(REQUEST_IN_PROGRESS, 17, "REQUEST_IN_PROGRESS", PHONE)     \
	X(STATUS_REQUEST, 18, "STATUS_REQUEST", NOBODY)              \
	X(STATUS_RESPONSE, 19, "STATUS_RESPONSE", NOBODY)            \
	X(ABORT_REQUEST, 20, "ABORT_REQUEST", NOBODY)                \
	X(ABORT_RESPONSE, 21, "ABORT_RESPONSE", NOBODY)              \
	X(SIGN_REQUEST, 22, "SIGN_CERTIFICATE_REQUEST", NOBODY)      \
	X(SIGN_RESPONSE, 23, "SIGN_CERTIFICATE_RESPONSE", NOBODY)

enum capf_command {
#define X(symbol, number, name, side) CAPF_##symbol = (number),
	CAPF_COMMAND_LIST(X)
#undef X
};

/* What an element's value is. */
enum capf_form {
	CAPF_U8,
	CAPF_U16,
	CAPF_TEXT,  /* ends with a NUL, which counts */
	CAPF_BYTES, /* as they are */
	CAPF_CERTS, /* a list of certificates */
};

/* Specs capf 4. X(symbol, tag, name, form) */
#define CAPF_ELEMENT_LIST(X)                           \
	X(REASON, 1, "REASON", U8)                     \
	X(REASON_INFO, 2, "REASON_INFO", TEXT)         \
	X(CERTIFICATE_TYPE, 3, "CERTIFICATE_TYPE", U8) \
	X(CERTIFICATE, 4, "CERTIFICATE", CERTS)        \
	X(CERTIFICATE_ID, 5, "CERTIFICATE_ID", BYTES)  \
	X(SIGNED_DATA, 6, "SIGNED_DATA", BYTES)        \
	X(VERSION, 7, "VERSION", U8)                   \
	X(AUTH_TYPE, 8, "AUTH_TYPE", U8)               \
	X(PUBLIC_KEY, 9, "PUBLIC_KEY", BYTES)          \
	X(KEY_SIZE, 10, "KEY_SIZE", U16)               \
	X(PASSWORD, 11, "PASSWORD", TEXT)              \
	X(RETRY_DELAY, 12, "RETRY_DELAY", BYTES)       \
	X(DEVICE_NAME, 13, "DEVICE_NAME", TEXT)        \
	X(SUDI_DATA, 16, "SUDI_DATA", BYTES)           \
	X(KEY_TYPE, 17, "KEY_TYPE", U8)                \
	X(CURVE, 18, "CURVE", U8)                      \
	X(DIGEST_TYPE, 19, "DIGEST_TYPE", BYTES)       \
	X(SHA2_SIGNED_DATA, 20, "SHA2_SIGNED_DATA", BYTES)

enum capf_element {
#define X(symbol, tag, name, form) CAPF_EL_##symbol = (tag),
	CAPF_ELEMENT_LIST(X)
#undef X
		CAPF_EL_MAX /* one more than the highest */
};

enum capf_reason {
	CAPF_REASON_NO_ACTION = 0,
	CAPF_REASON_SUCCESS = 1,
	CAPF_REASON_DECLINED = 7,
	CAPF_REASON_UNKNOWN_DEVICE = 9,
};

/* Of a certificate on the wire. */
enum capf_cert_type { CAPF_CERT_LSC = 1, CAPF_CERT_MIC = 2 };

enum capf_key_type { CAPF_KEY_RSA = 0, CAPF_KEY_EC = 1 };

/* What key a phone is asked for. */
struct capf_key_wish {
	enum capf_key_type type;
	unsigned bits; /* RSA: 512 to 4096; EC: 256, 384 or 521 */
};

enum {
	CAPF_PORT = 3804,
	CAPF_VERSION = 3,
	CAPF_VERSION_KEY_TYPE = 3, /* below it phones know KEY_SIZE alone */
	CAPF_RSA_MIN = 512,
	CAPF_RSA_MAX = 4096,
	CAPF_MESSAGE_MAX = 16384, /* of one message; 3683 is the longest seen */
	CAPF_DEVICE_MAX = 63,	  /* of a name, without its NUL */
	CAPF_PASSWORD_MAX = 128,
	CAPF_CERTS_MAX = 4, /* in one element */
};

/* NULL for a number that is none. */
const char *capf_command_name(unsigned command);
const char *capf_element_name(unsigned tag);
/* CAPF_FROM_NOBODY for a number that is none. */
enum capf_side capf_command_side(unsigned command);
/* Bits of the curve that CURVE names; 0 for a number that is none. */
unsigned capf_curve_bits(unsigned curve);
/* CAPF_BYTES for a number that is none. */
enum capf_form capf_element_form(unsigned tag);

#endif
