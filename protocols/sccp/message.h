/* SPDX-License-Identifier: Apache-2.0 */
/* SCCP bodies: one struct and one layout each, for both directions. */
#ifndef PROTOCOLS_SCCP_MESSAGE_H
#define PROTOCOLS_SCCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"

enum {
	SCCP_NAME_MAX = 15,    /* device name, characters */
	SCCP_LOAD_MAX = 32,    /* firmware load name, characters */
	SCCP_NUMBER_MAX = 23,  /* directory number, characters */
	SCCP_LABEL_MAX = 39,   /* line label, characters */
	SCCP_URL_MAX = 255,    /* of a service, characters */
	SCCP_BUTTONS_MAX = 42, /* slots of a button template */
	SCCP_REJECT_MAX = 31,  /* text of RegisterReject, characters */
	SCCP_PROMPT_MAX = 31,  /* status line up to version 7; 96 later */
	SCCP_PROMPT_V2_MAX = 96,
	SCCP_CODECS_MAX = 18,	  /* rows of CapabilitiesRes */
	SCCP_KEYS_MAX = 32,	  /* slots of a softkey template */
	SCCP_SETS_MAX = 16,	  /* softkey sets */
	SCCP_SET_KEYS = 16,	  /* keys in one of them */
	SCCP_SERVERS_MAX = 5,	  /* rows of ServerRes */
	SCCP_FORWARDS = 3,	  /* all, busy, no answer */
	SCCP_REGISTER_BODY = 172, /* the longest Register that we write */
	SCCP_WRITE_MAX = 1024,	  /* room for any body that we write */
};

/* A RegisterReq as it came (specs: sccp 3.2); fields not sent are 0. */
struct sccp_register {
	/*
	 * Cut at the first NUL, otherwise exactly what came: control
	 * characters, an empty name, or 16 characters (one too many) are for
	 * the host to see and to refuse.
	 */
	char device[SCCP_NAME_MAX + 2];
	uint32_t instance;
	uint32_t station_ipv4; /* host order */
	uint32_t device_type;
	uint32_t max_streams;
	uint8_t version; /* the phone's maximum */
	uint8_t features[3];
	uint8_t mac[12];
	uint32_t max_lines;
	uint8_t ipv6[16];
	char load[SCCP_LOAD_MAX + 1];
	bool refresh; /* already registered here as this name */
};

enum {
	/* In features[1] of Register: this phone reads UTF-8. */
	SCCP_FEATURE_UTF8 = 0x10,
};

struct sccp_sid {
	char name[SCCP_NAME_MAX + 2];
	uint32_t user;
	uint32_t instance;
};

struct sccp_alarm {
	uint32_t severity;
	char text[80 + 1];
	uint32_t parm1;
	uint32_t parm2;
};

struct sccp_token {
	struct sccp_sid sid;
	uint32_t station_ipv4; /* host order */
	uint32_t device_type;
	uint32_t max_streams; /* SPCP only */
};

struct sccp_codec {
	uint32_t payload;
	uint32_t max_frames;
};

struct sccp_capabilities {
	uint32_t count; /* as it came; rows behind 18 do not exist */
	struct sccp_codec codecs[SCCP_CODECS_MAX];
};

struct sccp_subscription {
	uint32_t transaction;
	uint32_t feature;
	uint32_t timer;
	uint32_t cause;	 /* of the answer */
	char id[64 + 1]; /* of the request */
};

struct sccp_register_ack {
	uint32_t keepalive_s;
	char date_template[6 + 1];
	uint32_t secondary_keepalive_s;
	uint8_t version;
	uint8_t features[3];
};

struct sccp_button {
	uint8_t instance;
	uint8_t type;
};

struct sccp_buttons {
	uint32_t offset;
	uint32_t count;
	uint32_t total;
	struct sccp_button slots[SCCP_BUTTONS_MAX];
};

enum sccp_button_type {
	SCCP_BUTTON_SPEED_DIAL = 0x02,
	SCCP_BUTTON_LINE = 0x09,
	SCCP_BUTTON_FEATURE = 0x13,
	SCCP_BUTTON_SERVICE = 0x14,
	SCCP_BUTTON_BLF = 0x15, /* a speed dial with a lamp */
	SCCP_BUTTON_UNDEFINED = 0xff,
};

struct sccp_key {
	char label[16 + 1];
	uint32_t event;
};

struct sccp_keys {
	uint32_t offset;
	uint32_t count;
	uint32_t total;
	struct sccp_key keys[SCCP_KEYS_MAX];
};

struct sccp_set {
	uint8_t position[SCCP_SET_KEYS]; /* in the template, from 1 */
	uint16_t info[SCCP_SET_KEYS];	 /* 300 + the key's event */
};

struct sccp_sets {
	uint32_t offset;
	uint32_t count;
	uint32_t total;
	struct sccp_set sets[SCCP_SETS_MAX];
};

struct sccp_select {
	uint32_t line;
	uint32_t call;
	uint32_t set;
	uint32_t mask;
};

struct sccp_config_stat {
	struct sccp_sid sid;
	char user[40 + 1];
	char server[40 + 1];
	uint32_t lines;
	uint32_t speed_dials;
};

struct sccp_line_stat {
	uint32_t line;
	char number[24 + 1];
	char name[40 + 1];
	char label[40 + 1];
	uint32_t options;
};

struct sccp_speed_dial {
	uint32_t index;
	char number[24 + 1];
	char name[40 + 1];
};

struct sccp_forward_stat {
	uint32_t active;
	uint32_t line;
	struct {
		uint32_t active;
		char number[25 + 1];
	} to[SCCP_FORWARDS];
};

struct sccp_feature_stat {
	uint32_t index;
	uint32_t type;
	char label[40 + 1];
	uint32_t status;
};

struct sccp_service {
	uint32_t index;
	char url[256 + 1];
	char label[40 + 1];
};

struct sccp_time_date {
	uint32_t year, month, weekday, day, hour, minute, second, ms;
	uint32_t unix_s;
};

struct sccp_servers {
	char name[SCCP_SERVERS_MAX][48 + 1];
	uint32_t port[SCCP_SERVERS_MAX];
	uint32_t ipv4[SCCP_SERVERS_MAX]; /* network order */
};

struct sccp_prompt {
	uint32_t timeout_s;
	char text[SCCP_PROMPT_V2_MAX + 1];
	uint32_t line;
	uint32_t call;
};

/* A message of any kind; which member, goes by the id. */
struct sccp_message {
	uint32_t id;
	union {
		uint32_t value;	   /* every body of at most one number */
		char text[32 + 1]; /* RegisterReject; VersionRes: 16 */
		struct sccp_register reg;
		struct sccp_alarm alarm;
		struct sccp_token token;
		struct sccp_capabilities capabilities;
		struct sccp_subscription subscription;
		struct sccp_register_ack ack;
		struct sccp_buttons buttons;
		struct sccp_keys keys;
		struct sccp_sets sets;
		struct sccp_select select;
		struct sccp_config_stat config;
		struct sccp_line_stat line;
		struct sccp_speed_dial dial;
		struct sccp_forward_stat forward;
		struct sccp_feature_stat feature;
		struct sccp_service service;
		struct sccp_time_date time;
		struct sccp_servers servers;
		struct sccp_prompt prompt;
	} u;
};

enum sccp_body {
	SCCP_BODY_WHOLE,   /* exactly the layout, give or take padding */
	SCCP_BODY_SHORT,   /* fields were missing: they read as 0 */
	SCCP_BODY_LONG,	   /* more than padding behind the layout */
	SCCP_BODY_UNKNOWN, /* no layout for this id: nothing was read */
};

/* A message with nothing in it but its id. */
void sccp_message_init(struct sccp_message *m, uint32_t id);

/* The id under which a message goes out at a version: static or dynamic. */
uint32_t sccp_message_form(uint32_t id, uint8_t version);

/* Reads a body of n bytes. Texts are cut at their first NUL. */
enum sccp_body sccp_message_read(struct sccp_message *m, uint32_t id,
	uint8_t version, const uint8_t *body, size_t n);

/*
 * Writes the body of m->id (which must be known, and is first turned into
 * the version's form), padded with zeros to a multiple of 4; the number of
 * bytes. Texts always end with a NUL and are cut to fit before it.
 */
size_t sccp_message_write(
	struct sccp_message *m, uint8_t version, uint8_t body[SCCP_WRITE_MAX]);

/* Writes it as a frame. 0, or -ENOBUFS (nothing sent) above out's max. */
int sccp_message_send(struct sccp_message *m, uint8_t version,
	uint32_t header_version, struct bytes_queue *out);

#endif
