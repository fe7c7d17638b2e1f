/* SPDX-License-Identifier: Apache-2.0 */
/* The Cisco manufacturing CAs that are known by their fingerprints. */
#ifndef TRUST_CISCO_H
#define TRUST_CISCO_H

/*
 * X(SHA-256 in lower hex, what people call it); specs certificates 3.
 */
#define TRUST_CISCO_LIST(X)                                                   \
	X("8327bc8c9d69947b3de3c27511537267f59c21b9fa7b613fafbccd53b7024000", \
		"Cisco Root CA 2048")                                         \
	X("c74d4b4a14519dd065191d96845e8d4ec851436bc559c4a45e24ca5c7c01fcd3", \
		"Cisco Manufacturing CA")                                     \
	X("65fab04aef298be3b942e60e1a9417b9c0c6a18ee045f2d1114d5567426583fb", \
		"ACT2 SUDI CA")                                               \
	X("705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378f8", \
		"Cisco Root CA M1")                                           \
	X("cd85167b3935e27bcc3b0f5fa24c8457882d0bb994f88269a7f72829d957eae9", \
		"Cisco Root CA M2")                                           \
	X("95a0e58a998e802ac77ad529b9add8e5b40cf90af39a856db514a36346501ec5", \
		"Cisco Manufacturing CA SHA2")                                \
	X("e7e12793643f18bee5b8e53ab5803bb3d59d8e63d14ce6346c004b0dfa34fecc", \
		"Cisco Root CA 2099")                                         \
	X("addb9f882c9931eb35aad51f08ebfc5030652c19a10129c0d6173ed8be704c2a", \
		"High Assurance SUDI CA")                                     \
	X("8db49f4b13eead89c5cca29ec03372591445865b7afde82c33760f1c947f3bfe", \
		"Cisco ECC Root CA")                                          \
	X("f2a392571e33549ab43693ef5567fbe6078b982805710c26fef6d84ac6e84bdb", \
		"ACT2 ECC SUDI CA")

/* Its name, or NULL when that fingerprint is none of theirs. */
const char *trust_cisco_name(const char *sha256);

#endif
