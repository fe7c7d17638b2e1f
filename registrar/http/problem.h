/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to say no: its status, its type, its title (RFC 9457). */
#ifndef REGISTRAR_HTTP_PROBLEM_H
#define REGISTRAR_HTTP_PROBLEM_H

/* What a type begins with; its slug follows. */
#define PROBLEM_TYPE "urn:dialtone:problem:"

/* X(name, status, slug, title, next): what to type next, unless another is
 * named; NULL: that depends. Slugs are for programs, and stay. */
#define PROBLEM_LIST(X)                                                       \
	X(PARAMETER, 400, "no-such-parameter", "no such parameter", NULL)     \
	X(VALUE, 400, "no-such-value", "no such value", NULL)                 \
	X(TWICE, 400, "said-twice", "said twice", NULL)                       \
	X(RULE, 400, "breaks-a-rule", "it breaks a rule", NULL)               \
	X(AMBIGUOUS, 400, "ambiguous", "it can be read in two ways", NULL)    \
	X(RESOURCE, 404, "no-such-resource", "no such resource", NULL)        \
	X(PHONE, 404, "unknown-phone", "unknown phone", "dialtone phones")    \
	X(HISTORY, 404, "no-history", "no history", "dialtone phones")        \
	X(PHONE_NAME, 404, "no-name-of-a-phone", "no name of a phone",        \
		"dialtone phones")                                            \
	X(ADDRESS, 404, "unknown-address", "unknown address",                 \
		"dialtone phones")                                            \
	X(CAPF, 404, "no-capf", "there is no CAPF", "man dialtoned.json")     \
	X(NONE, 404, "there-is-none", "there is none", NULL)                  \
	X(NOBODY, 404, "nobody-to-tell", "nobody to tell", "dialtone phones") \
	X(CERTIFICATE, 404, "no-certificate", "no certificate", NULL)         \
	X(ANCHOR, 404, "no-such-anchor", "no such anchor",                    \
		"dialtone trust list")                                        \
	X(STORE, 404, "no-such-store", "there is no such store",              \
		"man dialtoned.json")                                         \
	X(FILE, 404, "no-such-file", "there is no such file",                 \
		"dialtone trust list")                                        \
	X(METHOD, 405, "no-such-method", "no such method here", NULL)         \
	X(EXISTS, 409, "exists", "it is there already", NULL)                 \
	X(FIXED, 409, "cannot-be-changed", "it cannot be changed", NULL)      \
	X(NOT_NOW, 409, "cannot-be-done-now", "it cannot be done now", NULL)  \
	X(UNTOLD, 409, "cannot-be-told", "it cannot be told", NULL)           \
	X(CONFIGURATION, 409, "not-with-this-configuration",                  \
		"not with this configuration", "man dialtoned.json")          \
	X(REFUSED, 409, "refused", "refused", NULL)                           \
	X(AUDIT, 409, "audit-does-not-hold", "the audit chain does not hold", \
		"dialtone capf audit --check")                                \
	X(SET_STAYS, 409, "set-in-force-stays",                               \
		"the registrar would keep the set in force",                  \
		"dialtone trust status")                                      \
	X(OLD_TOKEN, 410, "too-old-a-token", "too old a token", NULL)         \
	X(NO_BODY, 413, "no-body-please", "no body, please", NULL)            \
	X(LONG_BODY, 413, "too-long-a-body", "too long a body", NULL)         \
	X(LONG_QUERY, 414, "too-long-a-query", "too long a query", NULL)      \
	X(CONTENT, 415, "no-such-content", "no such content here", NULL)      \
	X(HOST, 421, "not-our-name", "that is not our name",                  \
		"man dialtoned.json")                                         \
	X(FAILED, 500, "failed", "it failed", "journalctl -u dialtone -n 20") \
	X(WHO, 500, "who-are-you", "who are you", "id")                       \
	X(READERS, 503, "too-many-readers", "too many readers", NULL)         \
	X(CROWDED, 503, "come-later", "come later", NULL)                     \
	X(ENDS, 503, "it-ends", "it ends", NULL)                              \
	X(DISK, 507, "disk-full", "the disk is full", "df -h")

enum problem {
#define X(name, status, slug, title, next) PROBLEM_##name,
	PROBLEM_LIST(X)
#undef X
};

#endif
