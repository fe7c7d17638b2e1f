/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that a trust folder and its files are refused by. */
#ifndef CERTS_RULE_H
#define CERTS_RULE_H

#include "certs/diag.h"

/*
 * X(symbol, name, what it means, cure). A name never changes: it is counted,
 * shown and looked up.
 */
#define CERT_RULE_LIST(X)                                                      \
	/* what stands in one file */                                          \
	X(OVERSIZED, "oversized", "longer than such a file may be",            \
		"split it")                                                    \
	X(EMPTY_FILE, "empty-file", "an empty file",                           \
		"write the certificate into it, or remove it")                 \
	X(NO_CERTIFICATE, "no-certificate",                                    \
		"no certificate in it (PEM or DER)",                           \
		"write the certificate into it, or remove it")                 \
	X(UTF_16, "utf-16", "UTF-16 text", "save it as plain text")            \
	X(PRIVATE_KEY, "private-key", "a private key, which must not be here", \
		"remove it, and replace it if others could read this file")    \
	X(OTHER_PEM, "other-pem-type", "a PEM block that is no CERTIFICATE",   \
		"remove that block")                                           \
	X(DAMAGED_BEGIN, "damaged-begin", "a damaged BEGIN line",              \
		"copy the file here again")                                    \
	X(DAMAGED_END, "damaged-end", "a damaged END line",                    \
		"copy the file here again")                                    \
	X(END_ALONE, "end-alone", "an END line without a BEGIN line",          \
		"copy the file here again")                                    \
	X(WRONG_END, "wrong-end",                                              \
		"an END line of another type than its BEGIN line",             \
		"copy the file here again")                                    \
	X(NO_END, "no-end", "a block without its END line",                    \
		"copy the file here again")                                    \
	X(HALF_WRITTEN, "half-written", "the file ends inside a certificate",  \
		"copy it here again, under a hidden name first, and rename "   \
		"it then")                                                     \
	X(EMPTY_BLOCK, "empty-block", "an empty block",                        \
		"copy the file here again")                                    \
	X(BAD_BASE64, "bad-base64", "a character that is not base64",          \
		"copy the file here again")                                    \
	X(SHORT_BASE64, "short-base64",                                        \
		"the base64 before this line is cut short",                    \
		"copy the file here again")                                    \
	X(DAMAGED, "damaged-certificate",                                      \
		"not a certificate, or a damaged one",                         \
		"copy the file here again")                                    \
	X(NOT_DER, "not-der", "a certificate that is not DER encoded",         \
		"have it issued anew, as DER wants it")                        \
	X(TRAILING_BYTES, "trailing-bytes", "bytes behind the certificate",    \
		"remove them, or copy the file here again")                    \
	X(CROWDED_FILE, "crowded-file",                                        \
		"more than 512 certificates in one file", "split it")          \
	/* what a certificate has to be, to stand in a trust folder */         \
	X(BAD_EXTENSIONS, "bad-extensions",                                    \
		"a certificate with extensions that cannot be read",           \
		"have the CA's certificate issued anew")                       \
	X(NOT_V3, "not-v3",                                                    \
		"a certificate of X.509 version 1 or 2, which cannot say "     \
		"that it is a CA's",                                           \
		"have the CA's certificate issued anew, as version 3")         \
	X(LEAF, "leaf",                                                        \
		"not a CA certificate (CA:FALSE), and each certificate here "  \
		"vouches for others",                                          \
		"store its issuer instead")                                    \
	X(NO_CA_TRUE, "no-ca-true", "not a CA certificate (no CA:TRUE)",       \
		"store its issuer, or have the CA's certificate issued anew "  \
		"with basicConstraints")                                       \
	X(NAMELESS, "nameless",                                                \
		"a CA certificate without a readable subject or serial "       \
		"number",                                                      \
		"have the CA's certificate issued anew")                       \
	X(TWICE, "twice-in-file", "the same certificate twice in this file",   \
		"remove one of them")                                          \
	X(TWO_KINDS, "two-kinds",                                              \
		"this CA is in two files, and configured as LSC under one "    \
		"name and as MIC under the other",                             \
		"give both the same kind in trust.anchors, or remove a file")  \
	/* the files and the folder, whatever stands in them */                \
	X(UNREADABLE, "unreadable", "it cannot be read",                       \
		"see that it is there, and that the registrar may read it")    \
	X(DANGLING_LINK, "dangling-link", "a symbolic link to nothing",        \
		"remove it, or restore what it names")                         \
	X(LINK_OUT, "link-out", "a symbolic link that leaves the folder",      \
		"put the file itself here (a relative link inside the folder " \
		"is fine)")                                                    \
	X(NOT_REGULAR, "not-regular", "not a regular file",                    \
		"remove it: only files are read here")                         \
	X(WORLD_WRITABLE, "world-writable", "anybody may write to it",         \
		"see what is in it, then chmod o-w")                           \
	X(WRITABLE_FOLDER, "world-writable-folder",                            \
		"anybody may write to this folder",                            \
		"see what is in it, then chmod o-w")                           \
	X(FOREIGN_OWNER, "foreign-owner",                                      \
		"it belongs to neither root nor the registrar's user nor the " \
		"folder's owner",                                              \
		"see what is in it, then chown root")                          \
	X(BEING_WRITTEN, "being-written", "somebody is writing it",            \
		"let him finish: it is read again then")                       \
	X(SHRUNK, "shrunk", "it has lost a certificate that is in force",      \
		"copy it here again if its write was cut short; if it is "     \
		"meant, order a reload (SIGHUP) or remove the file")           \
	X(CHANGED, "changed-while-read", "the folder changed as it was read",  \
		"nothing: it is read again")                                   \
	X(CROWDED_FOLDER, "crowded-folder", "more than 4096 files",            \
		"remove what is no CA of your phones")                         \
	X(CROWDED_SET, "crowded-set", "more than 4096 certificates",           \
		"remove what is no CA of your phones")                         \
	X(EMPTIED, "emptied", "no certificate in it",                          \
		"put the CAPF root and the manufacturing CAs there")

enum cert_rule {
	CERT_RULE_NONE,
#define X(symbol, name, meaning, cure) CERT_RULE_##symbol,
	CERT_RULE_LIST(X)
#undef X
		CERT_RULES /* how many, and one */
};

/* All "" of NONE. */
const char *cert_rule_name(enum cert_rule rule);
const char *cert_rule_meaning(enum cert_rule rule);
const char *cert_rule_cure(enum cert_rule rule);
/* The rule of that name (struct diag has it); NONE: there is none. */
enum cert_rule cert_rule_find(const char *name);

/* Answers error, and in d (or NULL) "file:line: meaning (detail): cure"; a
 * line of 0 and a detail of "" are left out. */
int cert_rule_refuse(struct diag *d, enum cert_rule rule, int error,
	const char *file, int line, const char *detail);

#endif
