/* SPDX-License-Identifier: Apache-2.0 */
/* The version of all programs; meson.build holds the same, a test compares. */
#ifndef REGISTRAR_VERSION_H
#define REGISTRAR_VERSION_H

#define DIALTONE_VERSION "0.1.0"

#endif
