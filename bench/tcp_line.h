/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a TCP connection, as far as the other side reads them. */
#ifndef BENCH_TCP_LINE_H
#define BENCH_TCP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* Hands n bytes to the socket; false: too many wait there already. */
bool tcp_line_send(uv_tcp_t *tcp, const uint8_t *data, size_t n);

#endif
