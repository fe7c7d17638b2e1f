/* SPDX-License-Identifier: Apache-2.0 */
/* What people of a CA outside read beside the requests. */
#include "registrar/capf/offline.h"
#include "registrar/memory.h"

char *capf_offline_extensions(const struct capf_csr *c)
{
	return memory_format("basicConstraints = critical,CA:FALSE\n"
			     "keyUsage = critical,digitalSignature,%s\n"
			     "extendedKeyUsage = "
			     "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5\n"
			     "subjectAltName = URI:%s\n"
			     "subjectKeyIdentifier = hash\n"
			     "authorityKeyIdentifier = keyid\n",
		c->ec ? "keyAgreement" : "keyEncipherment", c->device);
}

char *capf_offline_readme(const struct config *config)
{
	return memory_format(
		"Phones that wait for their certificate (LSC), from dialtoned\n"
		"\n"
		"Each request is three files; NAME is the phone, KEYID begins "
		"the SHA-256 of\nits key:\n"
		"  NAME-KEYID.csr      PKCS #10, for a CA that reads such\n"
		"  NAME-KEYID.pub.pem  the phone's public key alone\n"
		"  NAME-KEYID.ext      the extensions, for openssl x509\n"
		"They go when the phone's certificate is there, or when the "
		"phone made another\nkey.\n"
		"\n"
		"The private key never leaves the phone, so that nobody can "
		"sign the request\nwith it: its signature is "
		"id-alg-noSignature (RFC 5272, 1.3.6.1.5.5.7.6.2).\n"
		"Programs that insist on a proof of possession refuse it; "
		"dialtoned has\nauthenticated the phone, and vouches for the "
		"key.\n"
		"\n"
		"Sign them all with OpenSSL 3 (your CA: ca.pem, ca.key), in "
		"this folder:\n"
		"\n"
		"  for pub in *.pub.pem; do\n"
		"    key=${pub%%.pub.pem}\n"
		"    openssl x509 -new -force_pubkey \"$pub\" -subj "
		"\"/CN=${key%%-*}\" \\\n"
		"      -extfile \"$key.ext\" -days %u -sha256 \\\n"
		"      -set_serial \"0x$(openssl rand -hex 16)\" \\\n"
		"      -CA ca.pem -CAkey ca.key -out \"signed/.$key\" &&\n"
		"      mv \"signed/.$key\" \"signed/$key.pem\"\n"
		"  done\n"
		"\n"
		"Bring it with `dialtone capf csr import FILE...`, or put "
		"it into the folder `signed`: PEM or DER, one "
		"or many in a file\n(512 at most), %s.\n"
		"A file goes to `done`, or to `refused` with FILE.why beside "
		"it. dialtoned\nbelieves files that belong to root, to its own "
		"user or to the owner of\n`signed`, and that not anybody may "
		"write.\n"
		"\n"
		"A certificate must have the phone's key, name the phone and "
		"nobody else, be no\nCA's, allow clientAuth and "
		"digitalSignature, be valid now and for at most\n%u days; and "
		"its CA must be in both trust folders of dialtoned already, "
		"else the\nphone would be locked out.\n"
		"\n"
		"Microsoft and EJBCA: docs/capf-outside.md of dialtone says "
		"what is known.\n",
		config->capf_validity_days,
		"whole ones: write them under a hidden name (.x) and\nrename "
		"them, or copy them from elsewhere",
		config->capf_validity_days);
}
