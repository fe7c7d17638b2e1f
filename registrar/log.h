/* SPDX-License-Identifier: Apache-2.0 */
/* One event per line on stderr: `time level event key=value ...` or JSON. */
#ifndef REGISTRAR_LOG_H
#define REGISTRAR_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* X(symbol, level, name, what it means) */
#define LOG_EVENT_LIST(X)                                                      \
	X(STARTED, LOG_NOTICE, "started", "the registrar serves phones")       \
	X(LISTENING, LOG_NOTICE, "listening", "a socket takes connections")    \
	X(SOCKET_UNUSED, LOG_WARN, "socket-unused",                            \
		"a socket that a service manager gave fits no listener")       \
	X(STALLED, LOG_ERROR, "stalled",                                       \
		"a worker does not go on; a watchdog is left without a sign")  \
	X(LISTENER_RISK, LOG_WARN, "listener-risk",                            \
		"a listener offers old TLS or no encryption, and the risk")    \
	X(STOPPED, LOG_NOTICE, "stopped", "the registrar has ended")           \
	X(LAB, LOG_NOTICE, "lab", "a laboratory PKI was made and is in use")   \
	X(TRUST_LOADED, LOG_NOTICE, "trust-loaded",                            \
		"a new set of anchors is in force")                            \
	X(TRUST_UNUSABLE, LOG_WARN, "trust-unusable",                          \
		"an anchor was loaded that no certificate can be "             \
		"verified with")                                               \
	X(CRL_LOADED, LOG_NOTICE, "crl-loaded",                                \
		"a list of revoked certificates was loaded, and its state")    \
	X(CRL_DUE, LOG_WARN, "crl-due",                                        \
		"a list of revoked certificates ends within a day")            \
	X(CRL_ORPHAN, LOG_WARN, "crl-orphan",                                  \
		"a list of revoked certificates whose CA is not in the "       \
		"folder was loaded, without effect")                           \
	X(CRL_OVERDUE, LOG_WARN, "crl-overdue",                                \
		"a list of revoked certificates has ended; it stays in force") \
	X(LOCKED_OUT, LOG_WARN, "locked-out",                                  \
		"phones cannot come in any more since a change of trust")      \
	X(LOCKED_OUT_NO_MORE, LOG_NOTICE, "locked-out-no-more",                \
		"all of those can come in again")                              \
	X(TRUST_UNCHANGED, LOG_NOTICE, "trust-unchanged",                      \
		"a trust folder was read and says what is in force")           \
	X(TRUST_UNWATCHED, LOG_WARN, "trust-not-watched",                      \
		"changes of a trust folder are not noticed by themselves")     \
	X(CERTIFICATES_LOADED, LOG_NOTICE, "certificates-loaded",              \
		"the registrar's own certificates were read anew")             \
	X(RELOAD_REFUSED, LOG_ERROR, "reload-refused",                         \
		"a set was refused as a whole; the old one stays in force")    \
	X(TICKET_KEYS_ROTATED, LOG_NOTICE, "ticket-keys-rotated",              \
		"a new ticket key; the two before it are accepted")            \
	X(TICKET_KEYS_REFUSED, LOG_ERROR, "ticket-keys-refused",               \
		"the ticket key file cannot be read or written")               \
	X(ADMIN, LOG_NOTICE, "admin",                                          \
		"an admin's order: who gave it, what came of it")              \
	X(CAPF_RENEWAL, LOG_INFO, "capf-renewal",                              \
		"phones were queued because their LSC will end")               \
	X(ROLLOVER, LOG_NOTICE, "rollover",                                    \
		"a step in which CAPF's root is replaced")                     \
	X(INVENTORY_LOADED, LOG_NOTICE, "inventory-loaded",                    \
		"the devices of the state folder are in force")                \
	X(STORE_FAILED, LOG_ERROR, "store-failed",                             \
		"the state folder took no change, and why")                    \
	X(STORE_WORKS, LOG_NOTICE, "store-works",                              \
		"the state folder takes changes again")                        \
	X(DEVICE_ADDED, LOG_NOTICE, "device-added",                            \
		"auto-registration took a device into the inventory")          \
	X(AUTO_REGISTRATION, LOG_NOTICE, "auto-registration",                  \
		"the window for unknown devices was opened or closed")         \
	X(CONNECTED, LOG_DEBUG, "connected", "a connection was accepted")      \
	X(SECURED, LOG_DEBUG, "secured", "a TLS handshake succeeded")          \
	X(CLOSED, LOG_DEBUG, "closed", "a connection ended, and why")          \
	X(DATAGRAM_IGNORED, LOG_INFO, "datagram-ignored",                      \
		"what came over UDP gets no answer, and why")                  \
	X(REGISTERED, LOG_INFO, "registered", "a phone is registered")         \
	X(READY, LOG_INFO, "ready",                                            \
		"a phone finished its whole SCCP conversation")                \
	X(UNREGISTERED, LOG_INFO, "unregistered",                              \
		"a registration ended, and why")                               \
	X(REPLACED, LOG_NOTICE, "replaced",                                    \
		"a newer connection of a device took its registration over")   \
	X(PHONE_REVOKED, LOG_WARN, "phone-revoked",                            \
		"a phone was closed: its certificate is revoked now")          \
	X(PHONE_DISTRUSTED, LOG_NOTICE, "phone-distrusted",                    \
		"a phone was closed: its CA was removed (trust.removed)")      \
	X(REFUSED, LOG_WARN, "refused",                                        \
		"a phone was refused: what it showed, which rule, the cure")   \
	X(SUPPRESSED, LOG_WARN, "refusals-suppressed",                         \
		"refusals and alarms that were not logged in that second")     \
	X(ORDERED, LOG_INFO, "ordered",                                        \
		"a phone answered an order, or did not")                       \
	X(PARTIAL, LOG_WARN, "partly-registered",                              \
		"a phone registered its primary line and thinks it is all")    \
	X(ALARM, LOG_INFO, "alarm", "a phone says why it comes back")          \
	X(TOKEN_DENIED, LOG_DEBUG, "token-denied",                             \
		"a phone that would fall back here is to ask again later")     \
	X(IGNORED, LOG_DEBUG, "ignored", "a message was ignored, and why")     \
	X(ANSWERED, LOG_DEBUG, "answered", "a request was answered by itself") \
	X(ACCEPT_FAILED, LOG_ERROR, "accept-failed",                           \
		"the system would not give a connection")                      \
	X(ACCEPT_PAUSED, LOG_WARN, "accept-paused",                            \
		"a limit is reached: new connections wait in the backlog")     \
	X(ACCEPT_RESUMED, LOG_NOTICE, "accept-resumed",                        \
		"waiting connections are taken again")                         \
	X(LINES_LOST, LOG_ERROR, "log-lines-lost",                             \
		"lines that found no reader were dropped")                     \
	X(HISTORY_DROPPED, LOG_WARN, "history-dropped",                        \
		"events of devices' history found no room in the queue")       \
	X(HISTORY_REFUSED, LOG_ERROR, "history-refused",                       \
		"events of devices' history could not be written")             \
	X(ADMISSION_CALM, LOG_NOTICE, "admission-calm",                        \
		"who comes is served at once again")                           \
	X(ADMISSION_BUSY, LOG_NOTICE, "admission-busy",                        \
		"more come than are served at once; they wait a little")       \
	X(ADMISSION_OVERLOAD, LOG_WARN, "admission-overload",                  \
		"more come than can be served: some wait long or are refused") \
	X(CAPF_ADMITTED, LOG_DEBUG, "capf-admitted",                           \
		"a phone has shown CAPF who it is, and how")                   \
	X(CAPF_REFUSED, LOG_WARN, "capf-refused",                              \
		"CAPF's operation came to nothing: what came, rule, cure")     \
	X(CAPF_REQUESTED, LOG_INFO, "capf-requested",                          \
		"a CA outside is to certify a phone's key")                    \
	X(CAPF_ISSUED, LOG_INFO, "capf-issued",                                \
		"a phone is given an LSC: a new one, or one again")            \
	X(CAPF_INSTALLED, LOG_INFO, "capf-installed", "a phone has its LSC")   \
	X(CAPF_ERASED, LOG_INFO, "capf-erased", "a phone deleted its LSC")     \
	X(CAPF_FETCHED, LOG_INFO, "capf-fetched",                              \
		"a phone showed a certificate at Troubleshoot")                \
	X(CAPF_HALTED, LOG_ERROR, "capf-halted",                               \
		"no LSC is issued any more, and why")                          \
	X(CAPF_WORKS, LOG_NOTICE, "capf-works", "LSCs are issued again")       \
	X(CAPF_CA_UNKNOWN, LOG_WARN, "capf-ca-unknown",                        \
		"what the CA outside issues would not be believed here")       \
	X(CAPF_CA_NAME, LOG_WARN, "capf-ca-name",                              \
		"the CA outside has a name that phones take for a CAPF's")     \
	X(CAPF_EXPORTED, LOG_INFO, "capf-exported",                            \
		"a request lies in capf.offline_folder")                       \
	X(CAPF_IMPORTED, LOG_INFO, "capf-imported",                            \
		"a CA outside's certificate waits for its phone")              \
	X(CAPF_IMPORT_REFUSED, LOG_WARN, "capf-import-refused",                \
		"a file of capf.offline_folder was refused, and why")          \
	X(CAPF_OFFLINE_FAILED, LOG_ERROR, "capf-offline-failed",               \
		"capf.offline_folder cannot be read or written, and why")      \
	X(CAPF_OFFLINE_WORKS, LOG_NOTICE, "capf-offline-works",                \
		"capf.offline_folder is read and written again")               \
	X(FATAL, LOG_ERROR, "fatal", "the registrar cannot start or go on")

enum log_event {
#define X(symbol, level, name, text) LOG_EV_##symbol,
	LOG_EVENT_LIST(X)
#undef X
		LOG_EVENTS
};

const char *log_event_name(enum log_event event);

/* Before the first thread. Lines below `level` are not written. */
void log_setup(enum log_format format, enum log_level level);
bool log_wanted(enum log_event event);

enum { LOG_LINE_MAX = 4096 };

/* A line being written; over-long values are cut with "...". */
struct log_line {
	enum log_event event;
	size_t n;
	char text[LOG_LINE_MAX];
};

void log_begin(struct log_line *line, enum log_event event);
/* Values are escaped; an empty or NULL one is left out. */
void log_str(struct log_line *line, const char *key, const char *value);
void log_fmt(struct log_line *line, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_num(struct log_line *line, const char *key, int64_t value);
/* peer=ADDRESS:PORT; the address is our own text. */
void log_peer(struct log_line *line, const char *address, uint16_t port);
/* Hands the whole line to log_writer_put(). */
void log_end(struct log_line *line);

#endif
