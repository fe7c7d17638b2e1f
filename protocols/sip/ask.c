/* SPDX-License-Identifier: Apache-2.0 */
/* Writes REGISTER and REFER of a phone as 78xx and 88xx firmware words it. */
#include "protocols/sip/ask.h"

#include <stdio.h>
#include <string.h>

enum {
	CSEQ_FIRST = 101,
	CSEQ_REFER = 1000,
	EXPIRES_S = 3600,
	HOST_MAX = 255,
	MAC_DIGITS = 12,
	URI_SIZE = 320,
};

static const char USER_AGENT[] = "Cisco-CP8841/12.8.1";
static const char TOKEN_URN[] = "urn:X-cisco-remotecc:token-registration";
static const char SUPPORTED[] =
	"replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,"
	"X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,"
	"X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,"
	"X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1";

#define PART                                                         \
	"--uniqueBoundary\r\n"                                       \
	"Content-Type: application/x-cisco-remotecc-request+xml\r\n" \
	"Content-Disposition: session;handling=optional\r\n"         \
	"\r\n"                                                       \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"

/* Register all lines at once; then what this phone can do. */
static const char OFFER[] =
	PART "<x-cisco-remotecc-request><bulkregisterreq>"
	     "<contact all=\"true\"><register/></contact>"
	     "</bulkregisterreq></x-cisco-remotecc-request>\r\n" PART
	     "<x-cisco-remotecc-request><optionsind>"
	     "<combine max=\"6\"><remotecc><status/></remotecc>"
	     "<service-control/></combine></optionsind>"
	     "</x-cisco-remotecc-request>\r\n"
	     "--uniqueBoundary--\r\n";

/* splitmix64: ids have to differ, not to be secret. */
static uint64_t draw(struct sip_ask *ask)
{
	uint64_t z = ask->seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned draw32(struct sip_ask *ask)
{
	return (unsigned)(draw(ask) >> 32);
}

static bool is_sep(const char *device)
{
	return strncmp(device, "SEP", 3) == 0 &&
	       strspn(device + 3, "0123456789ABCDEFabcdef") == MAC_DIGITS &&
	       device[3 + MAC_DIGITS] == '\0';
}

static void take_mac(struct sip_ask *ask, const char *device)
{
	if (!is_sep(device)) {
		snprintf(ask->mac, sizeof(ask->mac), "%012llx",
			(unsigned long long)(draw(ask) >> 16));
		return;
	}
	for (int i = 0; i < MAC_DIGITS; i++) {
		char c = device[3 + i];
		ask->mac[i] = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
	}
}

void sip_ask_init(struct sip_ask *ask, const struct sip_phone_config *config)
{
	*ask = (struct sip_ask){
		.seed = config->seed,
		.registers = CSEQ_FIRST - 1,
		.refers = CSEQ_REFER - 1,
	};
	ask->expires_s = config->expires_s ? config->expires_s : EXPIRES_S;
	take_mac(ask, config->device);
	unsigned a = draw32(ask), b = draw32(ask);
	snprintf(ask->uuid, sizeof(ask->uuid), "%08x-%04x-%04x-%04x-%08x%04x",
		a, b >> 16, b & 0xffff, draw32(ask) >> 16, draw32(ask),
		draw32(ask) >> 16);
	snprintf(ask->tag, sizeof(ask->tag), "%s0002%08x-%08x", ask->mac,
		draw32(ask), draw32(ask));
	sip_ask_renew(ask, config);
}

/* The address in host:port, cut at HOST_MAX. */
static int host_length(const char *local)
{
	const char *colon = strrchr(local, ':');
	size_t n = colon ? (size_t)(colon - local) : strlen(local);
	return n < HOST_MAX ? (int)n : HOST_MAX;
}

void sip_ask_renew(struct sip_ask *ask, const struct sip_phone_config *config)
{
	int host = host_length(config->local);
	snprintf(ask->call_id, sizeof(ask->call_id),
		"%.8s-%.4s%04x-%08x-%08x@%.*s", ask->mac, ask->mac + 8,
		draw32(ask) >> 16, draw32(ask), draw32(ask),
		host < 64 ? host : 64, config->local);
}

static const char *transport(const struct sip_phone_config *config,
	const char *tls, const char *udp, const char *tcp)
{
	if (config->tls)
		return tls;
	return config->udp ? udp : tcp;
}

void sip_ask_uri(const struct sip_ask *ask,
	const struct sip_phone_config *config, char *uri, size_t size)
{
	snprintf(uri, size, "sip:%s@%.200s;transport=%s", ask->uuid,
		config->local, transport(config, "tls", "udp", "tcp"));
}

void sip_ask_reason(struct sip_ask *ask, const struct sip_phone_config *config,
	const char *action)
{
	bool reset = strcmp(action, "reset") == 0;
	snprintf(ask->reason, sizeof(ask->reason),
		"SIP;cause=200;text=\"cisco-alarm:%d Name=%.63s "
		"ActiveLoad=sip88xx.12-8-1-0001-455.loads Last=%s\"",
		reset ? 22 : 23, config->device,
		reset ? "reset-reset" : "reset-restart");
}

static void put_contact(struct sip_ask *ask,
	const struct sip_phone_config *config, enum sip_ask_kind kind,
	struct sip_answer *a)
{
	char uri[URI_SIZE];
	sip_ask_uri(ask, config, uri, sizeof(uri));
	sip_answer_line(a,
		"Contact: <%s>;+sip.instance=\"<urn:uuid:"
		"00000000-0000-0000-0000-%s>\""
		";+u.sip!devicename.ccm.cisco.com=\"%.63s\""
		";+u.sip!model.ccm.cisco.com=\"%u\"%s",
		uri, is_sep(config->device) ? ask->mac : "000000000000",
		config->device, config->model,
		kind == SIP_ASK_STANDBY ? ";expires=0;cisco-keep-alive" : "");
}

static void put_tail(const struct sip_ask *ask,
	const struct sip_phone_config *config, enum sip_ask_kind kind,
	struct sip_answer *a)
{
	bool first = kind == SIP_ASK_FIRST && !config->brief;
	bool stay = kind == SIP_ASK_FIRST || kind == SIP_ASK_REFRESH;
	const char *reason = ask->reason[0] ? ask->reason : config->last_reason;
	if (kind == SIP_ASK_TOKEN) {
		sip_answer_line(a, "Require: norefersub");
		sip_answer_line(a, "Refer-To: <%s>", TOKEN_URN);
		sip_answer_end(a);
		return;
	}
	if (first && reason)
		sip_answer_line(a, "Reason: %s", reason);
	sip_answer_line(a, "Expires: %u", stay ? ask->expires_s : 0);
	if (!first) {
		sip_answer_end(a);
		return;
	}
	sip_answer_line(
		a, "Content-Type: multipart/mixed; boundary=uniqueBoundary");
	sip_answer_line(a, "Mime-Version: 1.0");
	sip_answer_body(a, OFFER, sizeof(OFFER) - 1);
}

void sip_ask_write(struct sip_ask *ask, const struct sip_phone_config *config,
	enum sip_ask_kind kind, struct sip_answer *a, const struct moment *now)
{
	char date[SIP_DATE_SIZE];
	bool refer = kind == SIP_ASK_TOKEN;
	const char *method = refer ? "REFER" : "REGISTER";
	sip_answer_date(now, date);
	ask->cseq = refer ? ++ask->refers : ++ask->registers;
	snprintf(ask->via, sizeof(ask->via),
		"SIP/2.0/%s %.200s;branch=z9hG4bK%08x",
		transport(config, "TLS", "UDP", "TCP"), config->local,
		draw32(ask));
	sip_answer_line(a, "%s sip:%.255s SIP/2.0", method, config->server);
	sip_answer_line(a, "Via: %s", ask->via);
	sip_answer_line(a, "From: <sip:%.128s@%.255s>;tag=%s", config->line,
		config->server, ask->tag);
	sip_answer_line(
		a, "To: <sip:%.128s@%.255s>", config->line, config->server);
	sip_answer_line(a, "Call-ID: %s", ask->call_id);
	sip_answer_line(a, "Max-Forwards: 70");
	sip_answer_line(a, "Date: %s", date);
	sip_answer_line(a, "CSeq: %u %s", ask->cseq, method);
	sip_answer_line(a, "User-Agent: %s",
		config->user_agent ? config->user_agent : USER_AGENT);
	put_contact(ask, config, kind, a);
	sip_answer_line(a, "Supported: %s", SUPPORTED);
	if (ask->authorization[0])
		sip_answer_line(a, "Authorization: %s", ask->authorization);
	ask->authorization[0] = '\0';
	put_tail(ask, config, kind, a);
}
