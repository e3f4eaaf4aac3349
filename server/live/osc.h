/* SPDX-License-Identifier: MIT */
/*
 * OSC 1.0 messages as the sender makes them: one a datagram, arguments of the
 * types i f s T F alone. A datagram is checked byte by byte first and decoded
 * by liblo then, so that liblo sees only what it can decode.
 */
#ifndef SERVER_OSC_H
#define SERVER_OSC_H

#include <stddef.h>
#include <stdint.h>

/* Longer datagrams are refused: the sender's receiver reads no more. */
#define OSC_DATAGRAM_MAX 4096u
#define OSC_DATAGRAM_MIN 8u

/* tag: 'i', 'f', 's', 'T' or 'F'; T and F carry no value. */
struct osc_value {
	char tag;
	union {
		int32_t i;
		float f;
		const char *s; /* NUL-terminated, valid UTF-8 */
	};
};

/* A decoded message. Strings live until osc_message_fini. */
struct osc_message {
	const char *address; /* points into the datagram */
	size_t count;
	struct osc_value *values;
	void *decoded; /* liblo's message, which owns the strings */
};

/* NULL, or why these bytes are no message, in words. Allocates nothing. */
const char *osc_check(const void *datagram, size_t size);

/*
 * Checks and decodes; `datagram` must outlive the message. -EBADMSG: no
 * message (*reason, if given, says why); -ENOMEM.
 */
int osc_decode(const void *datagram, size_t size, struct osc_message *message,
	       const char **reason);
void osc_message_fini(struct osc_message *message);

#endif
