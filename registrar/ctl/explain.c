/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone explain: why a phone is not registered, in plain words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/file.h"
#include "certs/identity.h"
#include "certs/text.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/wrap.h"
#include "registrar/explain/capture.h"
#include "registrar/explain/console.h"
#include "registrar/memory.h"

/* ---- printing ---- */

static void print_line(const char *title, const json_t *o, const char *key)
{
	const char *text = ctl_text(o, key);
	if (*text)
		wrap_print(title, text);
}

static void print_cure(const json_t *o)
{
	const json_t *cure = json_object_get(o, "cure");
	size_t i;
	json_t *step;
	char number[32];
	if (json_array_size(cure) == 0)
		return;
	puts("\n  What to do:");
	json_array_foreach((json_t *)cure, i, step)
	{
		snprintf(number, sizeof(number), "  %2zu. ", i + 1);
		wrap_print(number, json_string_value(step));
	}
}

static void print_explanation(const json_t *o)
{
	wrap_print("", ctl_text(o, "what"));
	putchar('\n');
	wrap_print("  ", ctl_text(o, "meaning"));
	putchar('\n');
	print_line("  rule:                ", o, "rule");
	print_line("  the phone's console: ", o, "phoneConsole");
	print_line("  the registrar's log: ", o, "registrarLog");
	print_cure(o);
}

static void print_log_head(const json_t *o)
{
	long long times = ctl_number(o, "times");
	printf("== line %lld", ctl_number(o, "line"));
	if (*ctl_text(o, "phoneClock"))
		printf(", %s by the phone's clock", ctl_text(o, "phoneClock"));
	if (times > 1)
		printf(", %lld times", times);
	puts(" ==");
}

static void print_capture_head(const json_t *o)
{
	long long missing = ctl_number(o, "missingBytes");
	printf("== %s %s:%lld -> %s:%lld, %s ==\n", ctl_text(o, "at"),
		ctl_text(o, "client"), ctl_number(o, "clientPort"),
		ctl_text(o, "server"), ctl_number(o, "serverPort"),
		ctl_text(o, "service"));
	if (missing)
		printf("(%lld bytes of it are not in the capture)\n", missing);
}

static void print_certificate(const json_t *o)
{
	static const struct ctl_column fields[] = {
		{"certificate", "certificate.kind"},
		{"  because", "certificate.kindBecause"},
		{"  subject", "certificate.subject"},
		{"  issuer", "certificate.issuer"},
		{"  serial", "certificate.serial"},
		{"  expires", "certificate.notAfter"},
		{"handshake", "handshake"},
	};
	ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
}

static void print_all(const json_t *o, bool capture)
{
	const json_t *list = json_object_get(o, "explanations");
	size_t i;
	json_t *one;
	json_array_foreach((json_t *)list, i, one)
	{
		if (capture)
			print_capture_head(one);
		else
			print_log_head(one);
		print_explanation(one);
		if (capture) {
			putchar('\n');
			print_certificate(one);
		}
		putchar('\n');
	}
}

static void print_count(const json_t *o, const char *key, const char *what)
{
	long long n = ctl_number(o, key);
	if (n)
		printf("  %lld %s\n", n, what);
}

static void print_log_counts(const json_t *o)
{
	printf("%lld lines were read.\n", ctl_number(o, "lines"));
	print_count(o, "unexplained", "of a phone that are not explained here");
	print_count(o, "foreign", "that are no lines of a phone's log");
	print_count(o, "overlong", "that were cut, so long were they");
	print_count(o, "earlier", "things that happened before, not shown");
}

static void print_capture_counts(const json_t *o)
{
	printf("%lld packets were read, %lld TCP connections, %lld of them "
	       "TLS.\n",
		ctl_number(o, "packets"), ctl_number(o, "connections"),
		ctl_number(o, "tls"));
	print_count(o, "otherPackets", "packets that are no TCP");
	print_count(o, "fragments", "pieces of IP packets, not joined");
	print_count(o, "broken", "packets shorter than they say");
	print_count(o, "notRead", "packets of connections above the limit");
}

/* ---- a log, a capture ---- */

static int explain_log(
	const struct ctl *ctl, const char *file, const char *name)
{
	char *data = NULL;
	size_t n;
	struct diag d;
	if (cert_file_read(file, EXPLAIN_LOG_MAX, &data, &n, &d) < 0)
		return say_file(file, d.text);
	json_t *o = explain_console(data, n, name);
	free(data);
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		if (!json_array_size(json_object_get(o, "explanations")))
			puts("Nothing in this log is about a connection that "
			     "we know how to explain.");
		print_all(o, false);
		print_log_counts(o);
	}
	json_decref(o);
	return CTL_OK;
}

static int explain_pcap(
	const struct ctl *ctl, const char *file, const char *name)
{
	json_t *o;
	struct diag d;
	if (explain_capture(file, name, &o, &d) < 0)
		return say_file(file, d.text);
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		if (!json_array_size(json_object_get(o, "explanations")))
			printf("This capture shows no TLS handshake%s%s.\n",
				*name ? " with a certificate of " : "", name);
		print_all(o, true);
		print_capture_counts(o);
	}
	json_decref(o);
	return CTL_OK;
}

/* ---- a device ---- */

static int explain_name(const struct ctl *ctl, const char *name)
{
	json_t *o;
	char *phone = ctl_path("/v1/phones/", name);
	char *path = memory_format("%s/explain", phone);
	int status = ctl_get(ctl, path, &o, NULL);
	if (status == CTL_OK && ctl->json)
		ctl_print_json(o);
	else if (status == CTL_OK)
		print_explanation(o);
	json_decref(o);
	free(phone);
	free(path);
	return status;
}

int ctl_explain(const struct ctl *ctl, int argc, char **argv)
{
	const char *log = NULL, *pcap = NULL, *given = "";
	char name[CERT_DEVICE_MAX + 1];
	int names = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--log") == 0 && i + 1 < argc)
			log = argv[++i];
		else if (strcmp(argv[i], "--pcap") == 0 && i + 1 < argc)
			pcap = argv[++i];
		else if (argv[i][0] != '-' && names++ == 0)
			given = argv[i];
		else
			names = 2; /* what this is nobody knows */
	}
	bool file = log || pcap;
	if (names > 1 || (log && pcap) || (!file && !*given))
		return ctl_misused(ctl);
	if (!cert_text_clean(given, strlen(given), name, sizeof(name))) {
		say("%s is no name of a device", name);
		return CTL_USAGE;
	}
	if (log)
		return explain_log(ctl, log, name);
	return pcap ? explain_pcap(ctl, pcap, name) : explain_name(ctl, name);
}
