/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lo/lo.h>

#include "osc.h"
#include "utf8.h"

/* What is left of a datagram while it is checked. */
struct cursor {
	const unsigned char *next;
	size_t left;
};

/* Steps over a string, its NUL and its padding (zeroes to a multiple of 4). */
static const char *skip_string(struct cursor *cursor)
{
	const unsigned char *end = memchr(cursor->next, '\0', cursor->left);

	if (!end)
		return "a string without an end";
	size_t length = (size_t)(end - cursor->next);
	size_t padded = (length + 4) & ~(size_t)3;
	if (padded > cursor->left)
		return "a string without its padding";
	for (size_t i = length; i < padded; i++) {
		if (cursor->next[i] != '\0')
			return "padding that is not zero";
	}
	if (!utf8_valid(cursor->next, length))
		return "a string that is not UTF-8";
	cursor->next += padded;
	cursor->left -= padded;
	return NULL;
}

static const char *skip_argument(struct cursor *cursor, char tag)
{
	switch (tag) {
	case 'T':
	case 'F':
		return NULL;
	case 's':
		return skip_string(cursor);
	case 'i':
	case 'f':
		if (cursor->left < 4)
			return "arguments that end too early";
		cursor->next += 4;
		cursor->left -= 4;
		return NULL;
	default:
		return "an argument of an unknown type";
	}
}

static const char *check_arguments(struct cursor *cursor, const char *tags)
{
	for (; *tags; tags++) {
		const char *fault = skip_argument(cursor, *tags);
		if (fault)
			return fault;
	}
	return cursor->left == 0 ? NULL : "bytes after the last argument";
}

static const char *check_message(struct cursor *cursor)
{
	if (cursor->left < OSC_DATAGRAM_MIN)
		return "less than 8 bytes";
	if (cursor->left > OSC_DATAGRAM_MAX)
		return "more than 4096 bytes";
	if (memcmp(cursor->next, "#bundle", 8) == 0)
		return "a bundle";
	if (cursor->next[0] != '/')
		return "an address that does not begin with '/'";
	const char *fault = skip_string(cursor);
	if (fault)
		return fault;
	if (cursor->left == 0 || cursor->next[0] != ',')
		return "no type tags";
	const char *tags = (const char *)cursor->next + 1;
	fault = skip_string(cursor);
	return fault ? fault : check_arguments(cursor, tags);
}

const char *osc_check(const void *datagram, size_t size)
{
	struct cursor cursor = { datagram, size };

	return check_message(&cursor);
}

/*
 * liblo points at arguments where they lie in the message, on 4-byte bounds,
 * while its union wants 8: the bytes are copied out instead.
 */
static struct osc_value value_of(char tag, const void *argument)
{
	struct osc_value value = { .tag = tag };

	if (tag == 'i')
		memcpy(&value.i, argument, sizeof value.i);
	else if (tag == 'f')
		memcpy(&value.f, argument, sizeof value.f);
	else if (tag == 's')
		value.s = argument;
	return value;
}

static int copy_values(lo_message decoded, struct osc_message *message)
{
	size_t count = (size_t)lo_message_get_argc(decoded);
	const char *tags = lo_message_get_types(decoded);
	lo_arg **arguments = lo_message_get_argv(decoded);

	message->values = calloc(count > 0 ? count : 1, sizeof *message->values);
	if (!message->values)
		return -ENOMEM;
	message->count = count;
	for (size_t i = 0; i < count; i++)
		message->values[i] = value_of(tags[i], arguments[i]);
	return 0;
}

/* liblo takes a writable pointer but only copies from it. */
static int decode_checked(const void *datagram, size_t size, struct osc_message *message)
{
	int lo_result = 0;
	lo_message decoded = lo_message_deserialise((void *)(uintptr_t)datagram, size, &lo_result);

	if (!decoded)
		return lo_result == LO_EALLOC ? -ENOMEM : -EBADMSG;
	if (copy_values(decoded, message) < 0) {
		lo_message_free(decoded);
		return -ENOMEM;
	}
	message->address = datagram;
	message->decoded = decoded;
	return 0;
}

int osc_decode(const void *datagram, size_t size, struct osc_message *message,
	       const char **reason)
{
	const char *fault = osc_check(datagram, size);
	int result = fault ? -EBADMSG : decode_checked(datagram, size, message);

	if (result == -EBADMSG && reason)
		*reason = fault ? fault : "bytes that liblo refuses";
	return result;
}

void osc_message_fini(struct osc_message *message)
{
	free(message->values);
	lo_message_free(message->decoded);
	*message = (struct osc_message){ 0 };
}
