/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule that decides about a message, with the answer it leads to. */
#ifndef PROTOCOLS_SIP_RULE_H
#define PROTOCOLS_SIP_RULE_H

/*
 * X(symbol, status, text). Status 0 sends nothing. The text goes out as a
 * Warning with every refusal and into the log: what came, what was wanted.
 */
#define SIP_RULE_LIST(X)                                                       \
	X(OK, 0, "nothing wrong")                                              \
	/* framing is lost: the connection ends */                             \
	X(NOT_SIP, 0, "the first line is not SIP")                             \
	X(LINE_END, 400, "a line ends with a bare CR or LF, not with CR LF")   \
	X(LENGTH_MISSING, 400,                                                 \
		"no Content-Length; a stream needs one in every message")      \
	X(LENGTH_TWICE, 400, "more than one Content-Length")                   \
	X(LENGTH_DIGITS, 400, "Content-Length is not made of digits alone")    \
	X(LATE, 400, "the message did not end in time")                        \
	X(CUT, 400, "the datagram ends before the message in it does")         \
	X(HEAD_TOO_LONG, 513, "headers without end below the cap")             \
	X(MESSAGE_TOO_LONG, 413, "message longer than the cap")                \
	/* limits that are checked before a parser sees the message */         \
	X(NUL, 400, "a NUL byte among the headers")                            \
	X(TOO_MANY_LINES, 400, "more header lines than the cap")               \
	X(TOO_MANY_PARAMS, 400, "more ; in one header than the cap")           \
	X(TOO_MANY_COMMAS, 400, "more , in the headers than the cap")          \
	X(TOO_MANY_CONTACTS, 400, "more Contacts than the cap")                \
	X(ECHO_TOO_LONG, 400,                                                  \
		"a header to be sent back does not fit a line of 1024 bytes")  \
	/* form of every message */                                            \
	X(START_LINE, 400, "the request line is not METHOD URI SIP/2.0")       \
	X(STATUS_LINE, 0, "the status line is not SIP/2.0 100..699")           \
	X(VERSION, 505, "the version is not SIP/2.0")                          \
	X(HEADER_LINE, 400, "a header line is not name: value")                \
	X(NO_VIA, 400, "no Via (RFC 3261 8.1.1)")                              \
	X(NO_FROM, 400, "no From (RFC 3261 8.1.1)")                            \
	X(NO_TO, 400, "no To (RFC 3261 8.1.1)")                                \
	X(NO_CALL_ID, 400, "no Call-ID (RFC 3261 8.1.1)")                      \
	X(NO_CSEQ, 400, "no CSeq (RFC 3261 8.1.1)")                            \
	X(NO_MAX_FORWARDS, 400, "no Max-Forwards (RFC 3261 8.1.1)")            \
	X(REPEATED, 400, "a header that may stand only once stands twice")     \
	X(CSEQ_NUMBER, 400, "CSeq is not a number below 2^31 and a method")    \
	X(CSEQ_METHOD, 400, "CSeq names another method than the request")      \
	X(MAX_FORWARDS, 400, "Max-Forwards is not a number from 0 to 255")     \
	X(REQUEST_URI, 400, "the request URI is not a plain SIP URI")          \
	X(URI_SCHEME, 416, "the request URI is neither sip nor sips")          \
	X(BODY_TYPE_MISSING, 400, "a body without Content-Type")               \
	X(GRAMMAR, 400, "a header is not written as RFC 3261 25 wants it")     \
	X(MANY_VIAS, 0, "an answer with more than one Via is not for us")      \
	X(REQUIRE, 420, "Require names what is not supported here")            \
	X(NO_HOPS, 483, "Max-Forwards is 0 and the request is not for us")     \
	/* REGISTER */                                                         \
	X(TO_URI, 400, "To is not a sip or sips URI that could be bound")      \
	X(AOR_TOO_LONG, 400, "To is longer than an address we keep")           \
	X(CALL_ID, 400, "Call-ID is too long or has odd characters")           \
	X(CONTACT, 400, "a Contact is not a URI with parameters")              \
	X(CONTACT_QUESTION, 400,                                               \
		"a Contact URI with ? needs angle brackets (RFC 3261 20.10)")  \
	X(CONTACT_STAR, 400, "Contact * needs to be alone and Expires 0")      \
	X(CONTACT_TOO_LONG, 400, "a Contact does not fit an answer line")      \
	X(KEEPALIVE_MIXED, 400,                                                \
		"cisco-keep-alive on some of the Contacts and not on all")     \
	X(DEVICE_NAME, 400,                                                    \
		"the device name is empty, too long or not a name")            \
	X(DEVICE_NAMES, 400, "the Contacts name different devices")            \
	X(Q, 400, "q is not a number from 0 to 1 (RFC 3261 25)")               \
	X(REG_ID, 400, "reg-id is not a number from 1 to 2^31 - 1")            \
	X(REG_ID_CONTACTS, 400,                                                \
		"a Contact with reg-id has to be the only one (RFC 5626 4.2)") \
	X(FIRST_HOP, 439,                                                      \
		"reg-id through a proxy whose Path has no ob (RFC 5626 6)")    \
	X(PATH, 400, "Path is not a list of <URI>, or too long")               \
	X(PATH_UNSUPPORTED, 421,                                               \
		"Path came, but Supported does not name path (RFC 3327 5.3)")  \
	X(AUTHORIZATION, 400,                                                  \
		"Authorization is not a digest that can be read")              \
	X(AUTHORIZATION_URI, 400,                                              \
		"Authorization is for another URI than the request's")         \
	/* the other methods */                                                \
	X(OPTIONS, 200, "asked what we can do")                                \
	X(REMOTECC_RESPONSE, 202, "a remotecc response, noted")                \
	X(REFER_TO, 400, "REFER without exactly one Refer-To")                 \
	X(REFER_OTHER, 403, "REFER to something a registrar does not do")      \
	X(BODY_TYPE, 415, "the body is of a type that is not read here")       \
	X(NOT_ACCEPTABLE, 406, "INVITE that accepts no SDP in its answer")     \
	X(NO_DIALOG, 481, "there are no calls here")                           \
	X(BAD_EVENT, 489, "there are no event packages here")                  \
	X(INVITE_URI, 400,                                                     \
		"the request URI is no address that could be bound")           \
	X(NOT_ALLOWED, 405, "a registrar does not do this method")             \
	X(UNKNOWN_METHOD, 501,                                                 \
		"an unknown method; they are written in capitals")

enum sip_rule {
#define X(symbol, status, text) SIP_RULE_##symbol,
	SIP_RULE_LIST(X)
#undef X
		SIP_RULES
};

int sip_rule_status(enum sip_rule rule);
const char *sip_rule_text(enum sip_rule rule);

#endif
