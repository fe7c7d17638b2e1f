/* SPDX-License-Identifier: Apache-2.0 */
/* Why a phone came back, read from its Alarm or XMLAlarm. */
#ifndef PROTOCOLS_SCCP_ALARM_H
#define PROTOCOLS_SCCP_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * X(symbol, ReasonForOutOfService or 0, word behind Last= or "", in words).
 * Specs: sccp 6.3; the list is known to be incomplete.
 */
#define SCCP_ALARM_REASON_LIST(X)                                              \
	X(UNKNOWN, 0, "", "for a reason that we do not know")                  \
	X(INITIALIZED, 0, "Initialized", "it was powered on")                  \
	X(TCP_TIMEOUT, 10, "TCP-timeout", "its TCP connection timed out")      \
	X(CM_RESET_TCP, 12, "CM-reset-TCP",                                    \
		"the server reset its TCP connection")                         \
	X(CM_ABORTED_TCP, 13, "CM-aborted-TCP",                                \
		"the server aborted its TCP connection")                       \
	X(CM_CLOSED_TCP, 14, "CM-closed-TCP",                                  \
		"the server closed its TCP connection")                        \
	X(KEEPALIVE, 15, "KeepaliveTO", "its keepalives went unanswered")      \
	X(LOST_IP, 16, "", "it lost its IP address")                           \
	X(REGISTRATION_TIMEOUT, 17, "", "its registration was not answered")   \
	X(FAILBACK, 18, "Failback", "it moved to a server of higher priority") \
	X(KEYPAD, 20, "Phone-Keypad", "a user reset it")                       \
	X(RESET, 22, "Reset-Reset", "the server told it to reset")             \
	X(RESTART, 23, "Reset-Restart", "the server told it to restart")       \
	X(REJECTED, 24, "Phone-Reg-Rej", "its registration was rejected")      \
	X(BAD_ACK, 0, "TCP-Bad-ACK", "TCP went out of step")                   \
	X(NAKED, 0, "CM-NAKed", "the server refused its connection")           \
	X(RE_IP, 0, "Phone-Re-IP", "it got another IP address")                \
	X(LOAD, 0, "Load Rejected HC", "its firmware was rejected")            \
	X(UNREACHABLE, 0, "CM-ICMP-Unreach", "the server was unreachable")     \
	X(ABORT, 0, "Phone-Abort", "its firmware gave up")

enum sccp_alarm_reason {
#define X(symbol, ...) SCCP_REASON_##symbol,
	SCCP_ALARM_REASON_LIST(X)
#undef X
		SCCP_REASONS
};

const char *sccp_alarm_reason_word(enum sccp_alarm_reason reason);
const char *sccp_alarm_reason_text(enum sccp_alarm_reason reason);
/* ReasonForOutOfService; 0: it has none. */
uint32_t sccp_alarm_reason_number(enum sccp_alarm_reason reason);
/* The reason of a word behind Last=, without case; UNKNOWN: none has it. */
enum sccp_alarm_reason sccp_alarm_reason_of_word(const char *word);

/*
 * What a report may say. X(field, longest, XML parameter): what the text form
 * says of these is noted by the same name.
 */
#define SCCP_ALARM_LIST(X)                           \
	X(device, 15, "DeviceName")                  \
	X(address, 47, "DeviceIPv4Address")          \
	X(gateway, 47, "IPv4DefaultGateway")         \
	X(model, 31, "ModelNumber")                  \
	X(switch_name, 63, "NeighborDeviceID")       \
	X(switch_port, 39, "NeighborPortID")         \
	X(switch_address, 47, "NeighborIPv4Address") \
	X(vlan, 11, "VoiceVLAN")                     \
	X(server, 47, "UnifiedCMIPAddress")          \
	X(local_port, 11, "LocalPort")               \
	X(last_sent, 39, "LastProtocolEventSent")    \
	X(last_received, 39, "LastProtocolEventReceived")

enum {
	SCCP_ALARM_LAST_MAX = 39,
	SCCP_ALARM_LOAD_MAX = 47,
	SCCP_ALARM_TEXT_MAX = 80,
	SCCP_ALARM_WORDS = 160, /* room for sccp_alarm_words() */
};

/* Texts are "" where nothing was said, and hold printable bytes only. */
struct sccp_alarm_report {
	enum sccp_alarm_reason reason;
	bool has_number;
	uint32_t number; /* ReasonForOutOfService, also one we do not know */
	char last[SCCP_ALARM_LAST_MAX + 1]; /* behind Last=, as it came */
	char load[SCCP_ALARM_LOAD_MAX + 1]; /* behind Load= */
	char text[SCCP_ALARM_TEXT_MAX + 1]; /* an alarm of another form */
#define X(field, longest, parameter) char field[longest + 1];
	SCCP_ALARM_LIST(X)
#undef X
	bool whole; /* false: XML that breaks off; what came before stands */
};

/*
 * Reads what an Alarm ("Name=… Load=… Last=…", or any other text) or an
 * XMLAlarm carries. XML is read by a strict scanner of its own: elements it
 * does not know are passed over, nothing is looked up or expanded but the five
 * predefined entities, and nothing is allocated.
 */
void sccp_alarm_read(struct sccp_alarm_report *r, const char *text);

/* In a few words: why, and over which switch port; cut to fit. */
void sccp_alarm_words(
	const struct sccp_alarm_report *r, char words[SCCP_ALARM_WORDS]);

#endif
