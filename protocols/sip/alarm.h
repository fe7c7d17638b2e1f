/* SPDX-License-Identifier: Apache-2.0 */
/* Why a Cisco phone came back: its Reason header and its alarms. */
#ifndef PROTOCOLS_SIP_ALARM_H
#define PROTOCOLS_SIP_ALARM_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/sip/field.h"

enum {
	SIP_ALARM_WORD_MAX = 47,
	SIP_ALARM_TEXT_MAX = 255,
};

/* X(code, the phone's own word for it, what it means) */
#define SIP_ALARM_LIST(X)                                                      \
	X(10, "tcp_timeout", "no answer over TCP in time")                     \
	X(12, "cm-reset-tcp", "the registrar reset its connection")            \
	X(13, "cm-aborted-tcp", "the registrar aborted its connection")        \
	X(14, "cm-closed-tcp", "the registrar closed its connection")          \
	X(17, "reg-timeout", "a REGISTER was not answered in time")            \
	X(18, "fallback", "it came back to a better node")                     \
	X(20, "phone-keypad", "somebody reset it at its keypad")               \
	X(22, "reset-reset", "it was ordered to reset")                        \
	X(23, "reset-restart", "it was ordered to restart")                    \
	X(24, "phone-reg-rej", "its registration was rejected")                \
	X(25, "initialized", "it was switched on")                             \
	X(26, "VLAN-Changed", "its VLAN changed")                              \
	X(100, "version-stamp-mismatch", "its configuration was out of date")  \
	X(101, "version-stamp-mismatch-config",                                \
		"its configuration was out of date")                           \
	X(102, "version-stamp-mismatch-softkey",                               \
		"its softkeys were out of date")                               \
	X(103, "version-stamp-mismatch-dialplan",                              \
		"its dial plan was out of date")                               \
	X(104, "apply_config", "a new configuration was applied")              \
	X(105, "config-retry-restart", "it could not get its configuration")   \
	X(106, "tls-error",                                                    \
		"TLS failed: look at its certificate and trust list")          \
	X(107, "reset-inactive-partition", "it changed to its other firmware") \
	X(108, "vpn-lost", "it lost its VPN")                                  \
	X(111, "Application-Requested-Destroy", "its user ended the program")

/* What a phone says of its last end. */
struct sip_alarm {
	uint32_t code;			   /* 0: none was given */
	char last[SIP_ALARM_WORD_MAX + 1]; /* its word, printable; "" none */
};

/* What the code means, in words; NULL: not in the table. */
const char *sip_alarm_meaning(uint32_t code);

/*
 * Reads `SIP;cause=200;text="cisco-alarm:25 Name=... Last=initialized"`.
 * False: it is no such Reason; *alarm is zeroed then.
 */
bool sip_alarm_reason(struct sip_slice reason, struct sip_alarm *alarm);

/* An x-cisco-alarm: its name and its parameters. */
struct sip_alarm_report {
	char name[SIP_ALARM_WORD_MAX + 1]; /* DeviceTLInfo, ...; "" none */
	char device[64];		   /* DeviceName; "" none */
	char text[SIP_ALARM_TEXT_MAX + 1]; /* `name=value, ...`, cut */
};

/* Reads application/x-cisco-alarm+xml, as far as it is that. All it reads is
 * made printable; it allocates nothing and goes over the body once. */
void sip_alarm_read(struct sip_slice body, struct sip_alarm_report *report);

#endif
