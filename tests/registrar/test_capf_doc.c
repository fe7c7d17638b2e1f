/* SPDX-License-Identifier: Apache-2.0 */
/* docs/capf.md has all that has a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/file.h"
#include "registrar/capf/records.h"
#include "registrar/capf/status.h"
#include "registrar/memory.h"

enum { DOC_MAX = 1 << 20 };

static char *doc;

static int read_doc(void **state)
{
	struct diag d;
	size_t n;
	char *path =
		memory_format("%s/docs/capf.md", getenv("DIALTONE_SOURCE"));
	int error = cert_file_read(path, DOC_MAX, &doc, &n, &d);
	free(path);
	if (error < 0)
		fprintf(stderr, "%s\n", d.text);
	return error;
}

static int free_doc(void **state)
{
	free(doc);
	return 0;
}

static void has(const char *text)
{
	if (!strstr(doc, text))
		fail_msg("docs/capf.md lacks: %s", text);
}

/* "| `no-string` | Invalid Authentication String | what it means |" */
static void has_row(const char *name, const char *tail, const char *text)
{
	char row[512];
	snprintf(row, sizeof(row), "| `%s` | %s | %s |", name, tail, text);
	has(row);
}

static const char *tail_of(enum capf_why why)
{
	static char both[128];
	const char *of_lsc =
		strchr(capf_status_text(CAPF_INSTALL, CAPF_STATE_FAILED, why,
			       CAPF_MODE_LSC),
			':');
	const char *of_mic =
		strchr(capf_status_text(CAPF_INSTALL, CAPF_STATE_FAILED, why,
			       CAPF_MODE_MIC),
			':');
	if (!of_lsc)
		return "–";
	if (strcmp(of_lsc, of_mic) == 0)
		return of_lsc + 2;
	snprintf(both, sizeof(both), "%s *or* %s", of_lsc + 2, of_mic + 2);
	return both;
}

static void every_reason_stands_beside_cucms_text(void **state)
{
	for (int i = CAPF_WHY_NOTHING + 1; i < CAPF_WHYS; i++) {
		enum capf_why why = (enum capf_why)i;
		has_row(capf_why_name(why),
			why == CAPF_WHY_CA_WAITING ? "*Operation Pending*"
						   : tail_of(why),
			capf_why_text(why));
	}
}

/* What has no tail is named as a whole. */
static void every_status_without_a_tail_is_named(void **state)
{
	for (int k = 0; k < CAPF_KINDS; k++)
		for (int s = 0; s <= CAPF_STATE_FAILED; s++) {
			char quoted[64];
			snprintf(quoted, sizeof(quoted), "\"%s\"",
				capf_status_text((enum capf_kind)k,
					(enum capf_state)s, CAPF_WHY_NOTHING,
					CAPF_MODE_LSC));
			has(quoted);
		}
}

static void every_mode_and_state_is_there(void **state)
{
	char row[128];
#define X(symbol, number, name, cucm)                            \
	snprintf(row, sizeof(row), "| `%s` | %s |", name, cucm); \
	has(row);
	CAPF_MODE_LIST(X)
#undef X
#define X(symbol, name)                               \
	snprintf(row, sizeof(row), "| `%s` |", name); \
	has(row);
	CAPF_ISSUED_LIST(X)
#undef X
	for (int k = CAPF_INSTALL; k < CAPF_KINDS; k++) {
		snprintf(row, sizeof(row), "| `dialtone capf %s` |",
			capf_kind_name((enum capf_kind)k));
		has(row);
	}
}

int main(void)
{
	const struct CMUnitTest facts[] = {
		cmocka_unit_test(every_reason_stands_beside_cucms_text),
		cmocka_unit_test(every_status_without_a_tail_is_named),
		cmocka_unit_test(every_mode_and_state_is_there),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf doc", facts, read_doc, free_doc);
}
