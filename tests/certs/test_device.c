/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about device names in common names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "certs/identity.h"

static const struct {
	const char *cn;
	const char *device; /* NULL: none */
} rows[] = {
	{"CP-8861-SEPB000B4BA0AEE", "SEPB000B4BA0AEE"},
	{"CP-7962G-SEP001122334455", "SEP001122334455"},
	{"CP-7970G-SEP000E83E53398", "SEP000E83E53398"},
	{"CP-7975G-SEP001AE2BC16CB", "SEP001AE2BC16CB"},
	{"CP-8861-SEP2C3124C9F8E1", "SEP2C3124C9F8E1"},
	{"SEP2C3124C9F8E1", "SEP2C3124C9F8E1"},
	{"sep2c3124c9f8e1", "sep2c3124c9f8e1"},
	{"cp-8861-Sep2c3124C9f8e1", "Sep2c3124C9f8e1"},
	{"CSFJOE", "CSFJOE"},
	{"CSF-JOE", "CSF-JOE"},
	{"csf_joe.smith", "csf_joe.smith"},
	{"TCTANNA", "TCTANNA"},
	{"BOTANNA", "BOTANNA"},
	{"TABANNA", "TABANNA"},
	{"CIPCANNA", "CIPCANNA"},
	{"ATA001122334455", "ATA001122334455"},
	{"ATA190-ATA001122334455", "ATA001122334455"},
	{"CP-ATA187-ATA001122334455", "ATA001122334455"},
	{"VGC1A2B3C4D5E6F001", "VGC1A2B3C4D5E6F001"},
	{"AN0123456789012", "AN0123456789012"},
	{"SKIGW0123456789", "SKIGW0123456789"},
	{"VG310-SKIGW0123456789", "SKIGW0123456789"},
	{"-SEP001122334455", "SEP001122334455"},
	{"Z\xc3\xbcrich-SEP001122334455", "SEP001122334455"},
	/* A name that somebody chose does not become the phone it ends in. */
	{"CSF-SEP001122334455", "CSF-SEP001122334455"},
	{"TAB-X-SEP001122334455", "TAB-X-SEP001122334455"},
	/* Not exactly twelve hex digits. */
	{"SEP00112233445", NULL},
	{"CP-8861-SEP00112233445", NULL},
	{"SEP0011223344556", NULL},
	{"SEP00112233445G", NULL},
	{"SEP", NULL},
	{"SEP001122334455 ", NULL},
	{" SEP001122334455", NULL},
	{"SEP001122334455-", NULL},
	{"SEP001122334455-X", NULL},
	{"SEP001122334455-CP-8861", NULL},
	{"CP-8861-SEP001122334455?", NULL},
	{"CP-8861-XSEP001122334455", NULL},
	{"CP-8861/SEP001122334455", NULL},
	{"CP-8861-CSF", NULL},
	{"CSF", NULL},
	{"CSF JOE", NULL},
	{"CSF\xc3\xbc", NULL},
	{"C9300-24U", NULL},
	{"CAPF-36205338", NULL},
	{"Cisco Manufacturing CA SHA2", NULL},
	{"", NULL},
	{"-", NULL},
};

static void names_are_found_as_the_table_says(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *found = cert_device_in_cn(rows[i].cn);
		if (!rows[i].device && found)
			fail_msg("%s: %s", rows[i].cn, found);
		if (!rows[i].device)
			continue;
		if (!found)
			fail_msg("%s: none", rows[i].cn);
		assert_string_equal(found, rows[i].device);
	}
}

static void devices_are_compared_without_case(void **state)
{
	assert_true(cert_device_equal("SEP001122AABBCC", "sep001122aabbcc"));
	assert_true(cert_device_equal("", ""));
	assert_false(cert_device_equal("SEP001122334455", "SEP001122334456"));
	assert_false(cert_device_equal("SEP001122334455", "SEP00112233445"));
	assert_false(cert_device_equal("SEP00112233445", "SEP001122334455"));
	assert_false(cert_device_equal("", "A"));
	/* Only ASCII has case: what a locale calls i is not I. */
	assert_false(cert_device_equal("CSF\xc4\xb1", "CSFI"));
	assert_false(cert_device_equal("CSF@", "CSF`"));
	assert_false(cert_device_equal("CSF[", "CSF{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_as_the_table_says),
		cmocka_unit_test(devices_are_compared_without_case),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
