/* SPDX-License-Identifier: Apache-2.0 */
/* An export, as its own files see it. */
#ifndef TRUST_EXPORT_INSIDE_H
#define TRUST_EXPORT_INSIDE_H

#include <stdio.h>

#include "trust/export.h"

struct trust_export {
	enum trust_export_for to;
	time_t now;
	struct trust_snapshot *trust;
	struct trust_export_ca *ca;
	size_t n;      /* CAs, of which the first */
	size_t n_here; /* are in the files */
	char uncounted[256];
	struct cert_folder_file *file;
	size_t n_files;
};

/* A file being written; its end makes it one of the export's. */
struct trust_export_text {
	FILE *f;
	char *data;
	size_t n;
};
void trust_export_begin(struct trust_export_text *t);
void trust_export_end(
	struct trust_export *e, struct trust_export_text *t, const char *name);
void trust_export_link(
	struct trust_export *e, const char *name, const char *to);

/* One that has not ended. */
bool trust_export_has_list(
	const struct trust_export *e, const struct trust_export_ca *ca);
/* "its list is good until ...", "no list": for people. */
void trust_export_list_state(const struct trust_export *e,
	const struct trust_export_ca *ca, char *out, size_t size);
/* Has the CA a list that none before it has? One renewed with its key shares
 * that of the other. */
bool trust_export_owns_list(const struct trust_export *e, size_t i);
void trust_export_print_list(FILE *f, const struct trust_crl *crl);
/* All of them as crl.pem, if there are any. */
void trust_export_bundle_lists(struct trust_export *e);

/* Names by which a CA can be a file, and a trustpoint, among all n. */
void trust_export_name_all(struct trust_export_ca *ca, size_t n);
/* Foreign text as it can stand in a comment of anybody's configuration:
 * printable ASCII without '?' (which a router answers) and "--" (which might
 * begin a PEM block). */
void trust_export_plain(const char *text, char *out, size_t size);

/* What `to` asks for; then what people read. */
void trust_export_write_files(struct trust_export *e);
void trust_export_write_notes(struct trust_export *e);

#endif
