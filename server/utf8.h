/* SPDX-License-Identifier: MIT */
#ifndef SERVER_UTF8_H
#define SERVER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 sequence at `text`, of which `left` > 0 may be read; 0: none (RFC 3629). */
size_t utf8_sequence(const unsigned char *text, size_t left);
bool utf8_valid(const void *text, size_t length);

#endif
