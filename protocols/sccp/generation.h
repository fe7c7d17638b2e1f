/* SPDX-License-Identifier: Apache-2.0 */
/* How phones of one generation speak: a table, and what differs in bytes. */
#ifndef PROTOCOLS_SCCP_GENERATION_H
#define PROTOCOLS_SCCP_GENERATION_H

#include "protocols/sccp/message.h"
#include "protocols/sccp/phone.h"
#include "protocols/sccp/walk.h"

enum sccp_generation_mac {
	SCCP_MAC_NONE,
	SCCP_MAC_GARBAGE, /* "RING", as the 7960 has it */
	SCCP_MAC_TEXT,	  /* twelve hexadecimal digits */
	SCCP_MAC_BINARY,
};

/* What else it does. */
enum sccp_generation_way {
	SCCP_WAY_SPCP = 0x01,	   /* asks for a token, in SPCP, first */
	SCCP_WAY_XML_ALARM = 0x02, /* says in XML why it came back */
	SCCP_WAY_VIDEO = 0x04,	   /* UpdateCapabilitiesV2 for its codecs */
	SCCP_WAY_LOWER_MAC = 0x08, /* writes its own name's MAC small */
};

/* X(name, load, device type, version offered, bytes of its Register,
 * three feature bytes, MAC, order, ways); specs: sccp 2, 3.2 and 4 */
#define SCCP_GENERATION_LIST(X)                                                \
	X("7936", "cmterm_7936.3-3-21-0", 30019, 3, 44, 0, 0, 0, NONE, 7912,   \
		0)                                                             \
	X("7940-v3", "P00305000101", 8, 3, 44, 0, 0, 0, NONE, 7912, 0)         \
	X("7912", "CP7912060000SCCP050124A", 30007, 7, 52, 0, 0, 0x81, NONE,   \
		7912, 0)                                                       \
	X("7960-v8", "P00308010200", 7, 8, 68, 0, 0x60, 0x85, GARBAGE, 7960,   \
		0)                                                             \
	X("7960", "P0030801SR02", 7, 11, 68, 0, 0x60, 0x85, GARBAGE, 7960, 0)  \
	X("7961-v11", "SCCP41.8-0-4SR3A", 30018, 11, 124, 0, 0x72, 0x85,       \
		BINARY, JAVA, 0)                                               \
	X("6961", "SCCP69xx.8-5-3-0", 497, 15, 68, 0x20, 0x70, 0x85, TEXT,     \
		JAVA, 0)                                                       \
	X("7941", "SCCP41.8-5-3S", 115, 17, 124, 0, 0x72, 0x85, BINARY, JAVA,  \
		0)                                                             \
	X("cipc", "CIPC-8-6-6-0", 30016, 17, 124, 0, 0x72, 0x85, BINARY, JAVA, \
		0)                                                             \
	X("7975", "SCCP75.9-4-2SR3-1S", 437, 22, 172, 0, 0x72, 0x85, BINARY,   \
		JAVA, SCCP_WAY_XML_ALARM)                                      \
	X("8945", "SCCP894x.9-4-2", 585, 20, 172, 0, 0x72, 0x85, NONE, 8945,   \
		SCCP_WAY_XML_ALARM | SCCP_WAY_VIDEO | SCCP_WAY_LOWER_MAC)      \
	X("8941", "SCCP894x.9-4-2SR3-1", 586, 22, 172, 0, 0x72, 0x85, NONE,    \
		8945,                                                          \
		SCCP_WAY_XML_ALARM | SCCP_WAY_VIDEO | SCCP_WAY_LOWER_MAC)      \
	X("spa504g", "spa50x.7-4-8a", 80004, 8, 52, 0, 0, 0, NONE, SPA,        \
		SCCP_WAY_SPCP)                                                 \
	X("ata186", "ATA030203SCCP051201A", 12, 33, 44, 0, 0, 0, NONE, 7912, 0)

struct sccp_generation {
	const char *name;
	const char *load;
	uint32_t device_type;
	uint8_t version;       /* offered */
	uint8_t register_body; /* bytes */
	uint8_t features[3];
	enum sccp_generation_mac mac;
	enum sccp_walk_order order;
	unsigned ways; /* of enum sccp_generation_way */
};

/* By its name; NULL: none is called so. */
const struct sccp_generation *sccp_generation_find(const char *name);
/* What a phone is like that offers this version and says no more. */
const struct sccp_generation *sccp_generation_of_version(uint8_t version);

/* Bodies as the generation writes them; the number of bytes. */
size_t sccp_generation_register(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint8_t body[SCCP_WRITE_MAX]);
size_t sccp_generation_alarm(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint32_t *id,
	uint8_t body[SCCP_WRITE_MAX]);
size_t sccp_generation_token(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint32_t *id,
	uint8_t body[SCCP_WRITE_MAX]);
size_t sccp_generation_capabilities(const struct sccp_generation *g,
	uint32_t *id, uint8_t body[SCCP_WRITE_MAX]);

#endif
