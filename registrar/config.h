/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: one JSON object, checked key by key. */
#ifndef REGISTRAR_CONFIG_H
#define REGISTRAR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/tls/offer.h"
#include "trust/snapshot.h"

/* Phones register over the first ones; over the last they get their LSC. */
enum config_protocol {
	CONFIG_SCCP,
	CONFIG_SIP,
	CONFIG_CAPF,
	CONFIG_REGISTRATIONS = CONFIG_CAPF,
};

/* Positions in the choices of ONE options. */
enum { CONFIG_CLUSTER_MIXED, CONFIG_CLUSTER_NON_SECURE };
enum { CONFIG_UNKNOWN_REFUSE, CONFIG_UNKNOWN_LSC };
enum { CONFIG_REMOVED_KEEP, CONFIG_REMOVED_CLOSE };
enum { CONFIG_ISSUER_OWN, CONFIG_ISSUER_OFFLINE, CONFIG_ISSUER_EST };
enum { CONFIG_NOTHING_BY_VERSION, CONFIG_NOTHING_0, CONFIG_NOTHING_7 };

struct config_listener {
	enum config_protocol protocol;
	bool tls;
	bool udp;		   /* sip alone; neither: plain TCP */
	char *address;		   /* IPv4 or IPv6 literal; "::" takes both */
	uint16_t port;		   /* 0: any free one */
	struct offer_choice offer; /* of TLS */
};

struct config_certificate {
	char *certificate; /* PEM: leaf first, then its chain */
	char *key;
};

struct config_line {
	char *number;
	char *label;
};

/* A device that the configuration names. */
struct config_device {
	char *name;
	bool mic;	   /* may register with its MIC */
	char *profile;	   /* a predefined security profile */
	uint32_t protocol; /* any, sccp, sip: enum device_protocol */
	struct config_line *lines;
	size_t n_lines;
};

/*
 * Scalars: one row each, nothing else to touch but the schema file.
 * NUM(key, field, default, min, max, doc)
 * STR(key, field, default, max length, doc)   PATH: relative to the file
 * ONE(key, field, default, "choice|choice", doc)
 * FLAG(key, field, default, doc)
 */
#define CONFIG_OPTION_LIST(NUM, STR, PATH, ONE, FLAG)                          \
	STR("node", node, "dialtone", 63,                                      \
		"name of this node, in Warning headers and in status")         \
	NUM("workers", workers, 0, 0, 64,                                      \
		"threads that serve phones; 0: one per core")                  \
	PATH("trust.callmanager", trust_folder, "CallManager-trust",           \
		"folder of CA files whose phones are believed")                \
	PATH("trust.capf", trust_capf, "",                                     \
		"folder of CA files whose phones CAPF believes; empty: none")  \
	NUM("trust.certificates_kept", certificates_kept, 100000, 1000,        \
		10000000,                                                      \
		"phones' last certificates kept in the state folder, so that " \
		"a change of trust can be judged before it is made; without "  \
		"one at most 200 are kept, in memory")                         \
	NUM("trust.auth_level", auth_level, 2, 0, 5,                           \
		"strength asked of certificates (OpenSSL security level)")     \
	ONE("trust.removed", trust_removed, "keep", "keep|close",              \
		"phones that are connected when their CA is removed: they "    \
		"stay until they leave, or are closed")                        \
	NUM("trust.close_per_s", close_per_s, 20, 1, 1000,                     \
		"so many of those are closed in a second")                     \
	NUM("tls.handshake_ms", handshake_ms, 8000, 100, 120000,               \
		"a handshake takes no longer, whatever trickles in")           \
	ONE("tls.resumption", resumption, "all", "all|ids|tickets|off",        \
		"ways in which a phone may come back without a full "          \
		"handshake")                                                   \
	PATH("tls.ticket_keys", ticket_keys, "",                               \
		"file of ticket keys in HAProxy's format, shared by nodes; "   \
		"empty: in memory, lost with the process")                     \
	NUM("tls.ticket_rotate_s", ticket_rotate_s, 3600, 60, 604800,          \
		"a new ticket key this often; the two before it are accepted") \
	PATH("tls.session_cache", session_cache, "",                           \
		"file that keeps sessions over a restart, best on a memory "   \
		"file system; empty: in memory")                               \
	NUM("tls.sessions", sessions_max, 65536, 8, 4000000,                   \
		"sessions kept for resumption by id")                          \
	ONE("security.cluster_mode", cluster_mode, "mixed",                    \
		"mixed|non-secure",                                            \
		"non-secure: every device registers without TLS, whatever "    \
		"its profile says")                                            \
	ONE("registration.unknown", unknown_devices, "refuse", "refuse|lsc",   \
		"devices that are not in the inventory: refused, or let in "   \
		"encrypted when an LSC names them")                            \
	NUM("sccp.keepalive_s", sccp_keepalive_s, 30, 5, 3600,                 \
		"primary keepalive interval told to SCCP phones; a phone "     \
		"silent for three of them is gone")                            \
	NUM("sccp.secondary_keepalive_s", sccp_secondary_s, 60, 5, 3600,       \
		"keepalive interval of standby connections")                   \
	NUM("sccp.version_max", sccp_version_max, 22, 3, 22,                   \
		"highest SCCP protocol version answered")                      \
	NUM("sccp.version_min", sccp_version_min, 0, 0, 22,                    \
		"phones that offer a lower SCCP protocol version are refused") \
	NUM("sccp.token_ms", sccp_token_ms, 120000, 1000, 3600000,             \
		"for a phone to register after its token was granted")         \
	NUM("sccp.capabilities_ms", sccp_capabilities_ms, 30000, 1000,         \
		3600000, "for a registered phone to say what it can do")       \
	NUM("sccp.reset_ms", sccp_reset_ms, 60000, 1000, 3600000,              \
		"for a phone to go after it was told to reset or restart")     \
	STR("sccp.date_template", sccp_date_template, "D.M.Y", 6,              \
		"date format on the phone's screen: D, M, Y, A for am/pm")     \
	STR("sccp.prompt", sccp_prompt, "", 31,                                \
		"status line of a registered phone; empty: the phone's own")   \
	NUM("sip.expires_s", sip_expires_s, 120, 25, 86400,                    \
		"expiry granted to SIP phones, at most")                       \
	NUM("sip.min_expires_s", sip_min_expires_s, 25, 25, 3600,              \
		"shorter requests are answered 423; Cisco phones give up "     \
		"below 25")                                                    \
	STR("sip.realm", sip_realm, "", 63,                                    \
		"realm of digest authentication; empty: the node's name")      \
	NUM("sip.contacts", sip_contacts, 10, 1, 64,                           \
		"contacts that one device may bind to one address")            \
	NUM("sip.flow_timer_s", sip_flow_timer_s, 120, 30, 3600,               \
		"Flow-Timer of clients that speak RFC 5626; silent for "       \
		"longer, they are gone")                                       \
	FLAG("sip.redirect", sip_redirect, false,                              \
		"INVITE to a registered address is answered 302 with its "     \
		"contacts")                                                    \
	PATH("capf.folder", capf_folder, "",                                   \
		"folder of CAPF's own roots and their keys, mode 0700; "       \
		"empty: capf in the state folder")                             \
	ONE("capf.issuer", capf_issuer, "own", "own|offline|est",              \
		"who signs LSCs: CAPF's own root, a CA whose certificates an " \
		"admin brings, or one that is asked over EST")                 \
	STR("capf.organisation", capf_organisation, "", 64,                    \
		"O of new roots and their LSCs; empty: none")                  \
	STR("capf.unit", capf_unit, "", 64, "OU of the same")                  \
	STR("capf.locality", capf_locality, "", 64, "L of the same")           \
	STR("capf.state", capf_province, "", 64, "ST of the same")             \
	STR("capf.country", capf_country, "", 2, "C of the same: two letters") \
	ONE("capf.root_key", capf_root_key, "rsa2048",                         \
		"rsa2048|rsa3072|rsa4096|p256|p384",                           \
		"key of new roots; 7900 phones know RSA up to 2048 alone")     \
	NUM("capf.root_days", capf_root_days, 1825, 30, 7300,                  \
		"validity of new roots")                                       \
	NUM("capf.validity_days", capf_validity_days, 1825, 1, 1825,           \
		"validity of LSCs")                                            \
	FLAG("capf.allow_rsa512", capf_allow_rsa512, false,                    \
		"profiles may ask phones for RSA-512, which anybody breaks")   \
	FLAG("capf.allow_rsa1024", capf_allow_rsa1024, false,                  \
		"profiles may ask phones for RSA-1024")                        \
	FLAG("capf.allow_exponent_3", capf_allow_exponent_3, false,            \
		"phones' RSA keys may have the public exponent 3")             \
	NUM("capf.answer_ms", capf_answer_ms, 60000, 1000, 600000,             \
		"for a phone to answer CAPF")                                  \
	NUM("capf.keygen_s", capf_keygen_s, 1800, 10, 14400,                   \
		"for a phone to make its key")                                 \
	NUM("capf.keygen_attempts", capf_keygen_attempts, 3, 1, 100,           \
		"failed keys before an operation ends")                        \
	ONE("capf.nothing_pending", capf_nothing_pending, "version",           \
		"version|0|7",                                                 \
		"END_SESSION reason when there is nothing to do: 7 to phones " \
		"of version 2 and 0 to others, or always the same")            \
	FLAG("capf.auth_type", capf_auth_type, false,                          \
		"AUTH_REQUEST has an AUTH_TYPE element")                       \
	FLAG("capf.fetch_mic", capf_fetch_mic, false,                          \
		"Troubleshoot asks phones of version 3 for their MIC, too, "   \
		"in a way that no phone is known to understand")               \
	NUM("capf.string_digits", capf_string_digits, 6, 4, 10,                \
		"length of authentication strings")                            \
	NUM("capf.string_tries", capf_string_tries, 3, 1, 10,                  \
		"wrong ones before a string is void")                          \
	NUM("capf.string_hours", capf_string_hours, 72, 1, 720,                \
		"life of a string")                                            \
	PATH("capf.offline_folder", capf_offline_folder, "",                   \
		"issuer offline: requests are written there, certificates "    \
		"taken from its folder signed; empty: by command alone")       \
	STR("capf.est_url", capf_est_url, "", 255,                             \
		"issuer est: https://host[:port][/.well-known/est[/label]]")   \
	PATH("capf.est_ca", capf_est_ca, "",                                   \
		"PEM: the CA of the EST server's certificate")                 \
	PATH("capf.est_certificate", capf_est_certificate, "",                 \
		"PEM: our certificate to the EST server")                      \
	PATH("capf.est_key", capf_est_key, "", "PEM: its key")                 \
	NUM("capf.est_ms", capf_est_ms, 30000, 100, 600000,                    \
		"for the EST server to answer")                                \
	FLAG("capf.renew", capf_renew, true,                                   \
		"LSCs are renewed by themselves in the last third of their "   \
		"life")                                                        \
	NUM("capf.renew_from_hour", capf_renew_from, 1, 0, 23,                 \
		"local hour in which renewals begin")                          \
	NUM("capf.renew_to_hour", capf_renew_to, 5, 0, 24,                     \
		"local hour before which they end; the same hour: all day")    \
	NUM("capf.renew_per_min", capf_renew_per_min, 10, 1, 6000,             \
		"phones that are told to renew in a minute")                   \
	NUM("capf.live_days", capf_live_days, 30, 1, 365,                      \
		"phones seen within so many days hold up the end of a "        \
		"rollover")                                                    \
	NUM("limits.connections", connections_max, 18000, 1, 1000000,          \
		"connections at once; more wait in the backlog")               \
	NUM("limits.half_open", half_open_max, 8000, 1, 1000000,               \
		"connections that have not finished their handshake, those "   \
		"that wait for it included")                                   \
	NUM("limits.half_open_per_address", half_open_per_address, 2000, 1,    \
		1000000, "the same from one IP address; UDP is counted apart") \
	NUM("limits.handshakes", handshakes_max, 64, 1, 100000,                \
		"TLS handshakes in progress in one worker before newcomers "   \
		"wait; more are begun only while it has nothing else to do")   \
	NUM("limits.waiting", waiting_max, 4096, 1, 1000000,                   \
		"newcomers that wait for their handshake, in all workers")     \
	NUM("limits.wait_ms", wait_ms, 2000, 1, 600000,                        \
		"when the first in turn has waited longer, the newest is "     \
		"served first and what can wait is put off")                   \
	NUM("limits.patience_ms", patience_ms, 7500, 1, 600000,                \
		"who has waited so long is refused: a phone hangs up after "   \
		"8 s")                                                         \
	NUM("limits.jitter_percent", jitter_percent, 10, 0, 50,                \
		"expiries and keepalive intervals are shortened by up to "     \
		"that, each by chance, so that what came at once does not "    \
		"come back at once")                                           \
	NUM("limits.first_message_ms", first_message_ms, 30000, 100, 600000,   \
		"until the first whole message of a connection")               \
	NUM("limits.idle_ms", idle_ms, 400000, 1000, 86400000,                 \
		"silence allowed to a connection without a registration")      \
	NUM("limits.write_ms", write_ms, 20000, 100, 600000,                   \
		"a peer that does not read what waits for it is closed")       \
	NUM("limits.sip_message", sip_message_max, 11000, 2000, 20000,         \
		"bytes of one SIP message (CUCM: 11000)")                      \
	NUM("limits.devices", devices_max, 50000, 1, 1000000,                  \
		"devices remembered for status, registered ones included")     \
	NUM("limits.failures", failures_max, 512, 1, 100000,                   \
		"refusals remembered for status")                              \
	PATH("state.folder", state_folder, "",                                 \
		"folder that keeps the inventory, mode 0700; empty: devices "  \
		"of this file alone, and none can be changed")                 \
	NUM("history.events", history_events, 100000, 1000, 10000000,          \
		"events of devices' history kept in the state folder; "        \
		"without one at most 4000 are kept, in memory")                \
	STR("status.address", status_address, "127.0.0.1", 63,                 \
		"address of the read-only status HTTP; empty: none")           \
	NUM("status.port", status_port, 8088, 0, 65535,                        \
		"port of the status HTTP; 0: any free one")                    \
	STR("status.hosts", status_hosts, "", 1000,                            \
		"names that status is asked by, commas between, besides "      \
		"localhost and its addresses; who asks for another reads 421") \
	PATH("admin.socket", admin_socket, "",                                 \
		"Unix socket that takes an admin's orders, mode 0660; "        \
		"empty: none")                                                 \
	ONE("log.format", log_format, "text", "text|json",                     \
		"one line per event, for people or for programs")              \
	ONE("log.level", log_level, "info", "debug|info|notice|warning|error", \
		"lines below it are not written")                              \
	NUM("log.refusals_per_s", refusals_per_s, 100, 1, 1000000,             \
		"refusals logged in a second; the rest is counted")            \
	FLAG("core_dumps", core_dumps, false,                                  \
		"allow core files, which may hold keys")

struct config {
#define NUM(key, field, def, min, max, doc) uint32_t field;
#define STR(key, field, def, max, doc) char *field;
#define PATH(key, field, def, doc) char *field;
#define ONE(key, field, def, choices, doc) uint32_t field; /* position */
#define FLAG(key, field, def, doc) bool field;
	CONFIG_OPTION_LIST(NUM, STR, PATH, ONE, FLAG)
#undef NUM
#undef STR
#undef PATH
#undef ONE
#undef FLAG
	char *file;   /* as given; NULL: defaults */
	char *folder; /* what relative paths are relative to */
	struct config_listener *listeners;
	size_t n_listeners;
	struct config_certificate *certificates;
	size_t n_certificates;
	struct config_device *devices; /* sorted by name, without case */
	size_t n_devices;
	struct trust_anchor_policy *anchors;
	size_t n_anchors;
};

/*
 * Reads the file (NULL: nothing but defaults, relative to `folder`). On any
 * unknown key, wrong type or bad value: -EINVAL and "file:line: key: why" in
 * d. The caller frees with config_free in either case.
 */
int config_load(const char *path, const char *folder, struct config **out,
	struct diag *d);
void config_free(struct config *c);

/* The effective values, and the JSON Schema of the file: malloc'ed text. */
char *config_dump(const struct config *c);
char *config_schema(void);

/* The realm of digest authentication. */
const char *config_realm(const struct config *c);

/* Does a listener serve CAPF? */
bool config_has_capf(const struct config *c);

const char *config_protocol_name(enum config_protocol protocol);
/* tls, udp, or tcp where it is neither. */
const char *config_transport_name(bool tls, bool udp);

#endif
