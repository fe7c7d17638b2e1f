/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, among anchors of one name, the one that issued a certificate. */
#include "trust/issuer.h"

#include <stdbool.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

/* Candidates are compared by these, the first first. */
struct rank {
	bool signed_it;
	bool in_force;
	const ASN1_TIME *not_after;
};

static bool in_force(const X509 *cert, time_t now)
{
	/* X509_cmp_time: 0 is "unreadable", equal counts as before. */
	return X509_cmp_time(X509_get0_notBefore(cert), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(cert), &now) > 0;
}

static bool signed_by(X509 *cert, X509 *ca)
{
	ERR_set_mark();
	bool yes = X509_verify(cert, X509_get0_pubkey(ca)) == 1;
	ERR_pop_to_mark();
	return yes;
}

static bool better(const struct rank *a, const struct rank *b)
{
	if (a->signed_it != b->signed_it)
		return a->signed_it;
	if (a->in_force != b->in_force)
		return a->in_force;
	return ASN1_TIME_compare(a->not_after, b->not_after) > 0;
}

static X509 *best_of(STACK_OF(X509) * fitting, X509 *cert, time_t now)
{
	X509 *best = NULL;
	struct rank best_rank = {0};
	for (int i = 0; i < sk_X509_num(fitting); i++) {
		X509 *ca = sk_X509_value(fitting, i);
		struct rank rank = {
			.signed_it = signed_by(cert, ca),
			.in_force = in_force(ca, now),
			.not_after = X509_get0_notAfter(ca),
		};
		if (best && !better(&rank, &best_rank))
			continue;
		best = ca;
		best_rank = rank;
	}
	return best;
}

int trust_issuer_pick(X509 **issuer, X509_STORE_CTX *ctx, X509 *cert)
{
	*issuer = NULL;
	STACK_OF(X509) *fitting =
		X509_STORE_CTX_get1_certs(ctx, X509_get_issuer_name(cert));
	if (!fitting)
		return 0;
	X509_STORE_CTX_check_issued_fn fits =
		X509_STORE_CTX_get_check_issued(ctx);
	for (int i = sk_X509_num(fitting) - 1; i >= 0; i--)
		if (!fits(ctx, cert, sk_X509_value(fitting, i)))
			X509_free(sk_X509_delete(fitting, i));
	time_t now = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx));
	/* One alone is verified by OpenSSL in any case: not twice. */
	X509 *best = sk_X509_num(fitting) == 1 ? sk_X509_value(fitting, 0)
					       : best_of(fitting, cert, now);
	if (best && X509_up_ref(best))
		*issuer = best;
	sk_X509_pop_free(fitting, X509_free);
	return *issuer != NULL;
}
