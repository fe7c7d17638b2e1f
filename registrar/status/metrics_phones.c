/* SPDX-License-Identifier: Apache-2.0 */
/* Phones and what they were answered, in numbers. */
#include <stdio.h>

#include "registrar/status/metrics_inside.h"

static const char *const states[2] = {"registered", "partially_registered"};

static const char *certificate(enum cert_kind kind)
{
	static const char *const names[DIRECTORY_KINDS] = {
		[CERT_KIND_UNKNOWN] = "none",
		[CERT_KIND_LSC] = "lsc",
		[CERT_KIND_MIC] = "mic",
	};
	return names[kind];
}

/* TLS asks for a certificate, and only SIP has lines that lack. */
static bool happens(enum config_protocol protocol, enum security_mode mode,
	enum cert_kind kind, bool partial)
{
	bool tls = mode != SECURITY_NON_SECURE;
	return tls == (kind != CERT_KIND_UNKNOWN) &&
	       (!partial || protocol == CONFIG_SIP);
}

static void put_cell(struct metrics_page *page, enum config_protocol protocol,
	enum security_mode mode, enum cert_kind kind, size_t state)
{
	metrics_label(page, "protocol", config_protocol_name(protocol));
	metrics_label(page, "security", security_mode_name(mode));
	metrics_label(page, "certificate", certificate(kind));
	metrics_label(page, "state", states[state]);
}

void metrics_phones_registered(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	enum {
		OF_PROTOCOL = SECURITY_PREDEFINED * DIRECTORY_KINDS * 2,
		ALL = CONFIG_REGISTRATIONS * OF_PROTOCOL
	};
	for (size_t i = 0; i < ALL; i++) {
		size_t protocol = i / OF_PROTOCOL;
		size_t m = i / 2 / DIRECTORY_KINDS % SECURITY_PREDEFINED;
		enum security_mode mode =
			(enum security_mode)(m + SECURITY_NON_SECURE);
		enum cert_kind kind = (enum cert_kind)(i / 2 % DIRECTORY_KINDS);
		size_t n = seen->phones.by[protocol][m][kind][i % 2];
		if (n == 0 && !happens((enum config_protocol)protocol, mode,
				      kind, i % 2))
			continue;
		put_cell(page, (enum config_protocol)protocol, mode, kind,
			i % 2);
		metrics_value(page, n);
	}
}

void metrics_phones_took(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	const struct meters_histogram *h = seen->meters.spans;
	metrics_histogram(page, "protocol", "sccp", &h[METERS_SCCP]);
	metrics_histogram(page, "protocol", "sip", &h[METERS_SIP]);
}

void metrics_phones_sip(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	for (unsigned i = 1; i < METERS_SIP_CLASSES; i++) {
		char class[4];
		snprintf(class, sizeof(class), "%uxx", i % 10);
		metrics_label(page, "class", class);
		metrics_value(page, seen->meters.sip_answers[i]);
	}
}

void metrics_phones_failures(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	struct failures_by_rule by;
	failures_by_rule(server_failures(seen->server), &by);
	for (size_t i = 0; i < by.n; i++) {
		metrics_label(
			page, "stage", failure_stage_name(by.list[i].stage));
		metrics_label(page, "rule", by.list[i].rule);
		metrics_value(page, by.list[i].count);
	}
}
