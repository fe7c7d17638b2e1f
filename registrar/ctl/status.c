/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone status, phones, phone, failures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static const struct ctl_column status_fields[] = {
	{"node", "node"},
	{"version", "version"},
	{"started", "started"},
	{"phones registered", "phones.registered"},
	{"  over SCCP", "phones.sccp"},
	{"  over SIP", "phones.sip"},
	{"  with an LSC", "phones.lsc"},
	{"  with a MIC", "phones.mic"},
	{"connections open", "connections.open"},
	{"  half open", "connections.halfOpen"},
	{"  over UDP", "connections.udp.flows"},
	{"handshakes done", "connections.handshakesOk"},
	{"  resumed", "connections.resumed"},
	{"handshakes failed", "connections.handshakesFailed"},
	{"admission", "admission.state"},
	{"  since", "admission.since"},
	{"  waiting to resume", "admission.waiting.resuming"},
	{"  waiting strangers", "admission.waiting.strangers"},
	{"  seconds to drain", "admission.drainSeconds"},
	{"  refused: too late", "admission.refused.expired"},
	{"  refused: no room", "admission.refused.roomFull"},
	{"refusals", "failures"},
	{"history kept", "history.events"},
	{"  dropped", "history.dropped"},
	{"devices in the inventory", "inventory.devices"},
	{"auto-registration until", "inventory.autoRegistrationUntil"},
	{"anchors trusted", "trust.anchors"},
	{"trust generation", "trust.generation"},
	{"trust fingerprint", "trust.fingerprint"},
	{"trust folder", "trust.folder"},
	{"CAs that end in 30 days", "trust.ends.within30Days.cas"},
	{"  phones' certificates", "trust.ends.within30Days.certificates"},
	{"CAs that end in 90 days", "trust.ends.within90Days.cas"},
	{"  phones' certificates", "trust.ends.within90Days.certificates"},
	{"CAs that are retiring", "trust.retiring.anchors"},
	{"  phones that need them", "trust.retiring.devices"},
	{"locked out since a change", "trust.lockedOut.lockedOut"},
	{"  registered still", "trust.lockedOut.registered"},
	{"  by anchor", "trust.lockedOut.byAnchor"},
	{"  refused since", "trust.reloadRefused.since"},
	{"  because", "trust.reloadRefused.why"},
	{"CAPF-trust anchors", "capfTrust.anchors"},
	{"  generation", "capfTrust.generation"},
	{"  fingerprint", "capfTrust.fingerprint"},
	{"  folder", "capfTrust.folder"},
	{"  refused since", "capfTrust.reloadRefused.since"},
	{"  because", "capfTrust.reloadRefused.why"},
	{"CAPF: issuer", "capf.issuer"},
	{"  nothing is issued since", "capf.halted.since"},
	{"  because", "capf.halted.why"},
	{"  operations pending", "capf.pending"},
	{"  LSCs that are stale", "capf.stale"},
	{"  phones that are there", "capf.visits"},
	{"own certificates refused", "certificatesRefused.since"},
	{"  because", "certificatesRefused.why"},
	{"resident bytes", "memory.residentBytes"},
	{"  per connection", "memory.perConnectionBytes"},
	{"sessions kept", "resumption.sessions"},
	{"ticket keys rotated", "resumption.ticketKeysRotated"},
};

static const struct ctl_column listener_fields[] = {
	{"listener", "service"},
	{"  transport", "transport"},
	{"  address", "address"},
	{"  port", "port"},
	{"  profile", "profile"},
	{"  TLS versions", "versions"},
	{"  cipher preset", "preset"},
	{"  ciphers", "ciphers"},
	{"  NULL-SHA", "nullCipher"},
};

static const struct ctl_column phone_columns[] = {
	{"NAME", "name"},
	{"STATE", "state"},
	{"PROTO", "protocol"},
	{"CERT", "certificate.kind"},
	{"ISSUER", "certificate.issuer"},
	{"EXPIRES", "certificate.notAfter"},
	{"TLS", "tlsVersion"},
	{"CIPHER", "cipher"},
	{"ADDRESS", "address"},
	{"SINCE", "since"},
};

static const struct ctl_column phone_fields[] = {
	{"name", "name"},
	{"state", "state"},
	{"reason", "reason.name"},
	{"protocol", "protocol"},
	{"transport", "transport"},
	{"address", "address"},
	{"port", "port"},
	{"TLS version", "tlsVersion"},
	{"cipher", "cipher"},
	{"certificate", "certificate.kind"},
	{"  issuer", "certificate.issuer"},
	{"  anchor", "certificate.anchor"},
	{"  waived rules", "certificate.waived"},
	{"  serial", "certificate.serial"},
	{"  expires", "certificate.notAfter"},
	{"CAPF operation", "capf.operation"},
	{"  status", "capf.operationStatus"},
	{"  reason", "capf.reason.name"},
	{"  detail", "capf.reason.detail"},
	{"  by null string until", "capf.nullStringUntil"},
	{"model", "model"},
	{"firmware", "firmware"},
	{"came back because", "cameBackBecause"},
	{"SCCP version", "sccpVersion"},
	{"keepalive seconds", "keepaliveSeconds"},
	{"since", "since"},
	{"last seen", "lastSeen"},
	{"registrations", "registrations"},
};

static const struct ctl_column failure_fields[] = {
	{"device", "device"},
	{"last", "last"},
	{"times", "count"},
	{"from", "address"},
	{"protocol", "protocol"},
	{"stage", "stage"},
	{"rule", "rule"},
	{"reason", "reason.name"},
	{"certificate", "presented.subject"},
	{"  issuer", "presented.issuer"},
	{"  serial", "presented.serial"},
	{"  expires", "presented.notAfter"},
	{"missing CA", "missingCa"},
	{"why", "why"},
	{"cure", "cure"},
	{"phone's console", "phoneConsole"},
};

/* GETs `path`; prints it as JSON, or its `list` as a table. */
static int show_list(const struct ctl *ctl, const char *path, const char *list,
	const struct ctl_column *columns, size_t n)
{
	json_t *o;
	int status = ctl_get(ctl, path, &o, NULL);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		ctl_print_table(json_object_get(o, list), columns, n);
	json_decref(o);
	return CTL_OK;
}

static void print_status(const json_t *o)
{
	size_t i;
	json_t *listener;
	ctl_print_fields(o, COLUMNS(status_fields));
	json_array_foreach(json_object_get(o, "listeners"), i, listener)
	{
		putchar('\n');
		ctl_print_fields(listener, COLUMNS(listener_fields));
	}
}

int ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_get(ctl, "/v1/status", &o, NULL);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		print_status(o);
	json_decref(o);
	return CTL_OK;
}

int ctl_phones(const struct ctl *ctl, int argc, char **argv)
{
	if (ctl_no_words(ctl, argc, argv) != CTL_OK)
		return CTL_USAGE;
	return show_list(ctl, "/v1/phones", "phones", COLUMNS(phone_columns));
}

static void print_failures(const json_t *list)
{
	size_t i;
	json_t *f;
	json_array_foreach((json_t *)list, i, f)
	{
		if (i)
			putchar('\n');
		ctl_print_fields(f, COLUMNS(failure_fields));
	}
}

int ctl_failures(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_get(ctl, "/v1/failures", &o, NULL);
	if (status != CTL_OK)
		return status;
	const json_t *list = json_object_get(o, "failures");
	if (ctl->json)
		ctl_print_json(o);
	else if (json_array_size(list) == 0)
		puts("No phone was refused since the registrar started.");
	else
		print_failures(list);
	json_decref(o);
	return CTL_OK;
}

int ctl_phone(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc != 1)
		return ctl_misused(ctl);
	char *path = ctl_path("/v1/phones/", argv[0]);
	int status = ctl_get(ctl, path, &o, NULL);
	free(path);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		ctl_print_fields(o, COLUMNS(phone_fields));
		const json_t *failed = json_object_get(o, "failures");
		if (json_array_size(failed)) {
			puts("\nrefused:");
			print_failures(failed);
		}
	}
	json_decref(o);
	return CTL_OK;
}
