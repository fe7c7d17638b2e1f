/* SPDX-License-Identifier: Apache-2.0 */
/* CUCM's codes: spaces that look alike and differ. */
#ifndef REGISTRAR_REASON_H
#define REGISTRAR_REASON_H

/* Why a registration failed: CISCO-CCM-MIB CcmDevRegFailCauseCode.
 * X(symbol, code, name) */
#define REASON_FAILURE_LIST(X)                                      \
	X(NO_ERROR, 0, "noError")                                   \
	X(UNKNOWN, 1, "unknown")                                    \
	X(NO_ENTRY, 2, "noEntryInDatabase")                         \
	X(DATABASE_CONFIG, 3, "databaseConfigurationError")         \
	X(NAME_UNRESOLVEABLE, 4, "deviceNameUnresolveable")         \
	X(MAX_EXCEEDED, 5, "maxDevRegExceeded")                     \
	X(CONNECTIVITY, 6, "connectivityError")                     \
	X(INITIALIZATION, 7, "initializationError")                 \
	X(DEVICE_RESET, 8, "deviceInitiatedReset")                  \
	X(CALLMANAGER_RESET, 9, "callManagerReset")                 \
	X(AUTHENTICATION, 10, "authenticationError")                \
	X(X509_NAME, 11, "invalidX509NameInCertificate")            \
	X(TLS_CIPHER, 12, "invalidTLSCipher")                       \
	X(DIRECTORY_NUMBER, 13, "directoryNumberMismatch")          \
	X(MALFORMED, 14, "malformedRegisterMsg")                    \
	X(PROTOCOL, 15, "protocolMismatch")                         \
	X(NOT_ACTIVE, 16, "deviceNotActive")                        \
	X(ALREADY_EXISTS, 17, "authenticatedDeviceAlreadyExists")   \
	X(OBSOLETE_VERSION, 18, "obsoleteProtocolVersion")          \
	X(DATABASE_TIMEOUT, 23, "databaseTimeout")                  \
	X(SEQUENCE, 25, "registrationSequenceError")                \
	X(CAPABILITIES, 26, "invalidCapabilities")                  \
	X(CAPABILITY_TIMEOUT, 27, "capabilityResponseTimeout")      \
	X(SECURITY_MISMATCH, 28, "securityMismatch")                \
	X(AUTO_REGISTER_DB, 29, "autoRegisterDBError")              \
	X(DB_ACCESS, 30, "dbAccessError")                           \
	X(AUTO_REGISTER_TIMEOUT, 31, "autoRegisterDBConfigTimeout") \
	X(DEVICE_TYPE, 32, "deviceTypeMismatch")                    \
	X(ADDRESSING_MODE, 33, "addressingModeMismatch")

/* Why a registration ended: CcmDevUnregCauseCode. X(symbol, code, name) */
#define REASON_UNREG_LIST(X)                                \
	X(NO_ERROR, 0, "noError")                           \
	X(UNKNOWN, 1, "unknown")                            \
	X(NO_ENTRY, 2, "noEntryInDatabase")                 \
	X(DATABASE_CONFIG, 3, "databaseConfigurationError") \
	X(NAME_UNRESOLVEABLE, 4, "deviceNameUnresolveable") \
	X(MAX_EXCEEDED, 5, "maxDevRegExceeded")             \
	X(CONNECTIVITY, 6, "connectivityError")             \
	X(INITIALIZATION, 7, "initializationError")         \
	X(DEVICE_RESET, 8, "deviceInitiatedReset")          \
	X(CALLMANAGER_RESET, 9, "callManagerReset")         \
	X(DEVICE_UNREGISTERED, 10, "deviceUnregistered")    \
	X(MALFORMED, 11, "malformedRegisterMsg")            \
	X(THROTTLING, 12, "sccpDeviceThrottling")           \
	X(KEEPALIVE_TIMEOUT, 13, "keepAliveTimeout")        \
	X(CONFIG_MISMATCH, 14, "configurationMismatch")     \
	X(CALLMANAGER_RESTART, 15, "callManagerRestart")    \
	X(DUPLICATE, 16, "duplicateRegistration")           \
	X(APPLY_CONFIG, 17, "callManagerApplyConfig")       \
	X(NO_RESPONSE, 18, "deviceNoResponse")              \
	X(EM_LOGIN, 19, "emLoginLogout")                    \
	X(EMCC_LOGIN, 20, "emccLoginLogout")                \
	X(POWER_SAVE, 21, "energywisePowerSavePlus")        \
	X(FORCED_RESTART, 22, "callManagerForcedRestart")   \
	X(ADDRESS_CHANGED, 23, "sourceIPAddrChanged")       \
	X(PORT_CHANGED, 24, "sourcePortChanged")            \
	X(SEQUENCE, 25, "registrationSequenceError")        \
	X(CAPABILITIES, 26, "invalidCapabilities")          \
	X(FALLBACK, 28, "fallbackInitiated")                \
	X(DEVICE_SWITCH, 29, "deviceSwitch")

/* What a device is: CcmDeviceStatus. X(symbol, code, name) */
#define REASON_STATUS_LIST(X)              \
	X(UNKNOWN, 1, "unknown")           \
	X(REGISTERED, 2, "registered")     \
	X(UNREGISTERED, 3, "unregistered") \
	X(REJECTED, 4, "rejected")         \
	X(PARTIALLY, 5, "partiallyregistered")

/* Why TLS failed: the trap ccmTLSConnectionFailure. X(symbol, code, name) */
#define REASON_TLS_LIST(X)                              \
	X(UNKNOWN, 1, "unknown")                        \
	X(AUTHENTICATION, 2, "authenticationerror")     \
	X(X509_NAME, 3, "invalidx509nameincertificate") \
	X(CIPHER, 4, "invalidtlscipher")

enum reason_failure {
#define X(symbol, code, name) REASON_FAILURE_##symbol = (code),
	REASON_FAILURE_LIST(X)
#undef X
};

enum reason_unreg {
#define X(symbol, code, name) REASON_UNREG_##symbol = (code),
	REASON_UNREG_LIST(X)
#undef X
};

enum reason_status {
#define X(symbol, code, name) REASON_STATUS_##symbol = (code),
	REASON_STATUS_LIST(X)
#undef X
};

enum reason_tls {
#define X(symbol, code, name) REASON_TLS_##symbol = (code),
	REASON_TLS_LIST(X)
#undef X
};

/* Whose number a code is. X(symbol, name in JSON) */
#define REASON_SPACE_LIST(X)              \
	X(FAILURE, "registrationFailure") \
	X(UNREG, "unregistration")        \
	X(STATUS, "deviceStatus")         \
	X(TLS, "tlsConnectionFailure")

enum reason_space {
#define X(symbol, name) REASON_SPACE_##symbol,
	REASON_SPACE_LIST(X)
#undef X
		REASON_SPACES
};

const char *reason_space_name(enum reason_space space);
/* CUCM's name of the code, NULL when the space has no such code. */
const char *reason_name(enum reason_space space, int code);
/* The same for codes of our own making. */
const char *reason_failure_name(enum reason_failure code);
const char *reason_unreg_name(enum reason_unreg code);

#endif
