/* SPDX-License-Identifier: Apache-2.0 */
/* How an operation of CAPF's stands: CUCM's 34 texts, and our reasons. */
#ifndef REGISTRAR_CAPF_STATUS_H
#define REGISTRAR_CAPF_STATUS_H

/* AXL XCertificateOperation. X(symbol, name of ours, CUCM's, its word for it in
 * a status) */
#define CAPF_OPERATION_LIST(X)                              \
	X(NONE, "none", "No Pending Operation", "")         \
	X(INSTALL, "install", "Install/Upgrade", "Upgrade") \
	X(DELETE, "delete", "Delete", "Delete")             \
	X(TROUBLESHOOT, "troubleshoot", "Troubleshoot", "Troubleshoot")

enum capf_kind {
#define X(symbol, name, cucm, word) CAPF_##symbol,
	CAPF_OPERATION_LIST(X)
#undef X
		CAPF_KINDS
};

/* AXL XAuthenticationMode, by its number. X(symbol, number, name, CUCM's) */
#define CAPF_MODE_LIST(X)                                               \
	X(STRING, 1, "string", "By Authentication String")              \
	X(NULL_STRING, 2, "null", "By Null String")                     \
	X(LSC, 3, "lsc", "By Existing Certificate (precedence to LSC)") \
	X(MIC, 4, "mic", "By Existing Certificate (precedence to MIC)")

enum capf_mode {
#define X(symbol, number, name, cucm) CAPF_MODE_##symbol = (number),
	CAPF_MODE_LIST(X)
#undef X
};

/* What CUCM says behind "Upgrade Failed". X(symbol, text). The mode makes
 * INVALID_CERTIFICATE an LSC or a MIC. */
#define CAPF_TAIL_LIST(X)                                  \
	X(PLAIN, "")                                       \
	X(INVALID_LSC, "Invalid LSC")                      \
	X(INVALID_STRING, "Invalid Authentication String") \
	X(INVALID_MIC, "Invalid MIC")                      \
	X(INVALID_CREDENTIALS, "Invalid Credentials")      \
	X(PHONE, "Phone Communication Failure")            \
	X(KEY, "Key Generation Failed/Timeout")            \
	X(CA_COMMUNICATION, "CA Communication Failure")    \
	X(CA_REJECTED, "CA Rejected Connection")           \
	X(LATE, "User Initiated Request Late/Timedout")    \
	X(NO_EC, "No Support for EC only in CAPF version 3")

enum capf_tail {
#define X(symbol, text) CAPF_TAIL_##symbol,
	CAPF_TAIL_LIST(X)
#undef X
		CAPF_TAILS,
	CAPF_TAIL_INVALID_CERTIFICATE, /* by the mode's precedence */
};

/*
 * Why an operation did not come to its end, or not yet: ours, more than CUCM
 * says. X(symbol, name, CUCM's tail, what it means)
 */
#define CAPF_WHY_LIST(X)                                                       \
	X(NOTHING, "none", PLAIN, "")                                          \
	X(NO_STRING, "no-string", INVALID_STRING,                              \
		"the phone sent no authentication string")                     \
	X(WRONG_STRING, "wrong-string", INVALID_STRING,                        \
		"the phone sent another authentication string")                \
	X(STRING_LOCKED, "string-locked", INVALID_STRING,                      \
		"the authentication string was wrong too often; it is void")   \
	X(STRING_EXPIRED, "string-expired", INVALID_STRING,                    \
		"the authentication string has expired")                       \
	X(NULL_ENDED, "null-string-ended", INVALID_CREDENTIALS,                \
		"the time in which the phone may come by null string is over") \
	X(NO_PROOF, "no-proof", INVALID_CREDENTIALS,                           \
		"the phone sent no certificate, or no proof of its key")       \
	X(BAD_PROOF, "bad-proof", INVALID_CERTIFICATE,                         \
		"the phone did not prove that the certificate is its own")     \
	X(OTHER_DEVICE, "other-device", INVALID_CERTIFICATE,                   \
		"the certificate names another device")                        \
	X(NOT_TRUSTED, "not-trusted", INVALID_CERTIFICATE,                     \
		"CAPF-trust does not believe the certificate")                 \
	X(PRECEDENCE, "precedence", INVALID_CERTIFICATE,                       \
		"the phone came with the other certificate than the "          \
		"operation wants")                                             \
	X(BAD_SUDI, "bad-sudi", INVALID_CREDENTIALS,                           \
		"the phone's SUDI data does not hold")                         \
	X(NO_TRUST, "no-capf-trust", INVALID_CREDENTIALS,                      \
		"there is no CAPF-trust to judge certificates by")             \
	X(KEY_FAILED, "key-failed", KEY, "the phone made no key")              \
	X(KEY_LATE, "key-late", KEY, "the phone's key did not come in time")   \
	X(KEY_UNFIT, "key-unfit", KEY,                                         \
		"the phone's key is not fit to be certified")                  \
	X(NO_EC, "no-ec", NO_EC,                                               \
		"the profile wants EC keys alone, and the phone speaks CAPF "  \
		"version 2, which has none")                                   \
	X(PHONE_GONE, "phone-gone", PHONE,                                     \
		"the phone's connection ended in the middle")                  \
	X(PHONE_SILENT, "phone-silent", PHONE,                                 \
		"the phone did not answer in time")                            \
	X(PHONE_PROTOCOL, "phone-protocol", PHONE,                             \
		"the phone broke a rule of the protocol")                      \
	X(PHONE_REFUSED, "phone-refused", PLAIN,                               \
		"the phone said that it could not do it")                      \
	X(CA_UNREACHABLE, "ca-unreachable", CA_COMMUNICATION,                  \
		"the CA outside did not answer")                               \
	X(CA_REFUSED, "ca-refused", CA_REJECTED, "the CA outside refused")     \
	X(CA_UNFIT, "ca-unfit", CA_REJECTED,                                   \
		"what the CA outside sent is not the certificate asked for")   \
	X(CA_WAITING, "ca-waiting", PLAIN,                                     \
		"the request waits for the CA outside")                        \
	X(LATE, "late", LATE, "it was not done by the time set for it")        \
	X(DEVICE_GONE, "device-gone", PLAIN,                                   \
		"the device was removed from the inventory")                   \
	X(CLOCK, "clock", PLAIN, "our clock is wrong, so nothing is issued")   \
	X(ROOT, "root-not-trusted", PLAIN,                                     \
		"a trust folder lacks our root, so nothing is issued")         \
	X(NOT_WRITTEN, "not-written", PLAIN,                                   \
		"the ledger could not be written, so nothing was issued")      \
	X(CANCELLED, "cancelled", PLAIN, "an admin cancelled it")

enum capf_why {
#define X(symbol, name, tail, text) CAPF_WHY_##symbol,
	CAPF_WHY_LIST(X)
#undef X
		CAPF_WHYS
};

/* What came of it. PENDING with a reason: it failed, and may be tried again.
 * X(symbol, name) */
#define CAPF_STATE_LIST(X)    \
	X(NONE, "none")       \
	X(PENDING, "pending") \
	X(DONE, "done")       \
	X(FAILED, "failed")

enum capf_state {
#define X(symbol, name) CAPF_STATE_##symbol,
	CAPF_STATE_LIST(X)
#undef X
};

const char *capf_kind_name(enum capf_kind kind);
const char *capf_kind_cucm(enum capf_kind kind);
/* All find() by our name, or CUCM's, without case; -1: there is none. */
int capf_kind_find(const char *name);
const char *capf_mode_name(enum capf_mode mode);
const char *capf_mode_cucm(enum capf_mode mode);
int capf_mode_find(const char *name);
const char *capf_why_name(enum capf_why why);
const char *capf_why_text(enum capf_why why);
int capf_why_find(const char *name);
const char *capf_state_name(enum capf_state state);
int capf_state_find(const char *name);

/*
 * AXL XCertificateStatus (specs cucm-enumerations 1.3), one of 34, and its
 * position there, from 1 on. PENDING with a reason is the failure, as CUCM
 * shows it, but for CA_WAITING, which is none. INVALID_CERTIFICATE goes by the
 * mode. A failure for which the operation has no text is "... Failed".
 */
enum { CAPF_STATUSES = 35 }; /* with 0, which is none */
const char *capf_status_text(enum capf_kind kind, enum capf_state state,
	enum capf_why why, enum capf_mode mode);
unsigned capf_status_number(enum capf_kind kind, enum capf_state state,
	enum capf_why why, enum capf_mode mode);

#endif
