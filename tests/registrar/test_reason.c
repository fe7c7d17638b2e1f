/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CUCM's codes: each number, its name, and that none is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/reason.h"

enum { CODES = 40 };

/* CISCO-CCM-MIB, number by number; NULL: the number is not used. */
static const char *const failures[CODES] = {"noError", "unknown",
	"noEntryInDatabase", "databaseConfigurationError",
	"deviceNameUnresolveable", "maxDevRegExceeded", "connectivityError",
	"initializationError", "deviceInitiatedReset", "callManagerReset",
	"authenticationError", "invalidX509NameInCertificate",
	"invalidTLSCipher", "directoryNumberMismatch", "malformedRegisterMsg",
	"protocolMismatch", "deviceNotActive",
	"authenticatedDeviceAlreadyExists", "obsoleteProtocolVersion",
	[23] = "databaseTimeout", [25] = "registrationSequenceError",
	"invalidCapabilities", "capabilityResponseTimeout", "securityMismatch",
	"autoRegisterDBError", "dbAccessError", "autoRegisterDBConfigTimeout",
	"deviceTypeMismatch", "addressingModeMismatch"};
static const char *const unregs[CODES] = {"noError", "unknown",
	"noEntryInDatabase", "databaseConfigurationError",
	"deviceNameUnresolveable", "maxDevRegExceeded", "connectivityError",
	"initializationError", "deviceInitiatedReset", "callManagerReset",
	"deviceUnregistered", "malformedRegisterMsg", "sccpDeviceThrottling",
	"keepAliveTimeout", "configurationMismatch", "callManagerRestart",
	"duplicateRegistration", "callManagerApplyConfig", "deviceNoResponse",
	"emLoginLogout", "emccLoginLogout", "energywisePowerSavePlus",
	"callManagerForcedRestart", "sourceIPAddrChanged", "sourcePortChanged",
	"registrationSequenceError",
	"invalidCapabilities", [28] = "fallbackInitiated", "deviceSwitch"};
static const char *const statuses[CODES] = {NULL, "unknown", "registered",
	"unregistered", "rejected", "partiallyregistered"};
static const char *const tls[CODES] = {NULL, "unknown", "authenticationerror",
	"invalidx509nameincertificate", "invalidtlscipher"};

static void is_complete(enum reason_space space, const char *const *wanted)
{
	for (int code = -1; code < CODES; code++) {
		const char *name = reason_name(space, code);
		const char *want = code < 0 ? NULL : wanted[code];
		if (!want != !name || (name && strcmp(name, want) != 0))
			fail_msg("%s %d is \"%s\", not \"%s\"",
				reason_space_name(space), code,
				name ? name : "", want ? want : "");
	}
}

static void every_code_has_cucms_number_and_name(void **state)
{
	is_complete(REASON_SPACE_FAILURE, failures);
	is_complete(REASON_SPACE_UNREG, unregs);
	is_complete(REASON_SPACE_STATUS, statuses);
	is_complete(REASON_SPACE_TLS, tls);
	assert_int_equal(REASON_SPACES, 4);
}

static void spaces_that_look_alike_differ(void **state)
{
	assert_string_equal(
		reason_name(REASON_SPACE_FAILURE, 10), "authenticationError");
	assert_string_equal(
		reason_name(REASON_SPACE_UNREG, 10), "deviceUnregistered");
	assert_string_equal(
		reason_space_name(REASON_SPACE_STATUS), "deviceStatus");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_cucms_number_and_name),
		cmocka_unit_test(spaces_that_look_alike_differ),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
