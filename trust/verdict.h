/* SPDX-License-Identifier: Apache-2.0 */
/* Every judgement on a certificate: its name, its alert, its cure. */
#ifndef TRUST_VERDICT_H
#define TRUST_VERDICT_H

/*
 * X(symbol, name, x509 error, TLS alert, what it means, cure)
 * The X509 error is what the handshake is given, so that OpenSSL sends the
 * alert; several X509 errors lead to one verdict (trust_verdict_of_x509,
 * whose table is x509_errors.h). Alerts: specs certificates 5; a test walks
 * every row through real handshakes. NO_CERTIFICATE is refused by OpenSSL
 * itself, before anything is verified; its X509 error is never handed over.
 */
#define TRUST_VERDICT_LIST(X)                                                 \
	X(OK, "ok", X509_V_OK, 0, "trusted", "")                              \
	X(NO_CERTIFICATE, "no-certificate",                                   \
		X509_V_ERR_APPLICATION_VERIFICATION, 116,                     \
		"the phone sent no certificate",                              \
		"give the phone an LSC (CAPF), or let it use its MIC")        \
	X(UNKNOWN_CA, "unknown-ca",                                           \
		X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 48,             \
		"its issuer is not in CallManager-trust",                     \
		"add the issuer's CA file to CallManager-trust, or give the " \
		"phone an LSC of this cluster")                               \
	X(SELF_SIGNED, "self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, \
		48, "it is self-signed and not from a CA we trust",           \
		"give the phone an LSC of this cluster's CAPF")               \
	X(EXPIRED, "expired", X509_V_ERR_CERT_HAS_EXPIRED, 45,                \
		"it has expired",                                             \
		"renew the phone's LSC through CAPF, and check our clock")    \
	X(NOT_YET_VALID, "not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID, 42,  \
		"it is not valid yet",                                        \
		"check this server's clock and the CAPF's")                   \
	X(WRONG_PURPOSE, "wrong-purpose", X509_V_ERR_INVALID_PURPOSE, 43,     \
		"its key usage does not allow it to act as a TLS client",     \
		"issue a certificate with digitalSignature and clientAuth")   \
	X(BAD_EXTENSION, "critical-extension",                                \
		X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, 46,                  \
		"it has a critical extension that we do not know",            \
		"issue a certificate without that extension")                 \
	X(BAD_SIGNATURE, "bad-signature", X509_V_ERR_CERT_SIGNATURE_FAILURE,  \
		51, "its signature does not fit its issuer's key",            \
		"the certificate is damaged or forged; issue a new LSC")      \
	X(WEAK_KEY, "weak-key", X509_V_ERR_EE_KEY_TOO_SMALL, 42,              \
		"its key is too short",                                       \
		"give the phone an LSC with RSA-2048 or better")              \
	X(WEAK_DIGEST, "weak-digest", X509_V_ERR_CA_MD_TOO_WEAK, 42,          \
		"its signature uses a digest that is too weak (SHA-1)",       \
		"give the phone a SHA-256 LSC")                               \
	X(BAD_DATES, "bad-dates", X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,   \
		42, "its dates cannot be read",                               \
		"issue a certificate with valid DER dates")                   \
	X(ISSUER_EXPIRED, "issuer-expired", X509_V_ERR_CERT_HAS_EXPIRED, 45,  \
		"the CA that vouches for it has expired",                     \
		"give the phone an LSC of a CA that is valid")                \
	X(BAD_CHAIN, "bad-chain", X509_V_ERR_INVALID_CA, 48,                  \
		"a certificate in its chain may not act as a CA",             \
		"issue the phone's certificate from a proper CA")             \
	X(BAD_FORM, "bad-form", X509_V_ERR_CERT_REJECTED, 42,                 \
		"it is not made as an LSC has to be",                         \
		"issue a new LSC; if it was not made by a CAPF, say in "      \
		"trust.anchors what its CA issues")                           \
	X(ENROL_ONLY, "enrol-only", X509_V_ERR_INVALID_PURPOSE, 43,           \
		"its CA's phones may only fetch an LSC here, not register",   \
		"give the phone an LSC through CAPF")                         \
	X(UNREADABLE, "unreadable", X509_V_ERR_CERT_REJECTED, 42,             \
		"it cannot be read as a certificate we can judge",            \
		"issue a new LSC")

enum trust_verdict {
#define X(symbol, name, x509, alert, text, cure) TRUST_##symbol,
	TRUST_VERDICT_LIST(X)
#undef X
		TRUST_VERDICTS /* how many */
};

const char *trust_verdict_name(enum trust_verdict v);
const char *trust_verdict_text(enum trust_verdict v);
const char *trust_verdict_cure(enum trust_verdict v);
int trust_verdict_x509(enum trust_verdict v);
/* The TLS alert the phone reads, 0 for OK. NO_CERTIFICATE: 116 in TLS 1.3,
 * 40 before. */
int trust_verdict_alert(enum trust_verdict v);
/* Which verdict an X509_V_ERR_* of leaf (depth 0) or chain leads to. */
enum trust_verdict trust_verdict_of_x509(int error, int depth);

#endif
