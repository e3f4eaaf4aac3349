/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "osc_load.h"

/*
 * What a set of 8 tracks with a device each and 8 scenes has. Types are the
 * wire's but for n, an integer from 0 to 7, and z, the integer 0.
 */
static const struct {
	const char *path, *types;
} events[BENCH_OSC_KINDS] = {
	{ "/live/transport/play", "T" },     { "/live/track/renamed", "ns" },
	{ "/live/transport/tempo", "f" },    { "/live/track/mute", "nT" },
	{ "/live/transport/position", "f" }, { "/live/device/param", "nznf" },
	{ "/live/track/volume", "nf" },      { "/live/scene/renamed", "ns" },
};

/* Strings end with a NUL and are filled up to four bytes. */
static uint8_t *put_string(uint8_t *at, const char *text)
{
	size_t length = strlen(text), padded = (length / 4 + 1) * 4;

	memset(at, 0, padded);
	memcpy(at, text, length);
	return at + padded;
}

static uint8_t *put_word(uint8_t *at, uint32_t word)
{
	uint32_t big = htonl(word);

	memcpy(at, &big, sizeof big);
	return at + sizeof big;
}

static uint8_t *put_float(uint8_t *at, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	return put_word(at, bits);
}

static uint8_t *put_argument(uint8_t *at, char type, int32_t number)
{
	switch (type) {
	case 'n':
		return put_word(at, (uint32_t)number / BENCH_OSC_KINDS % 8);
	case 'z':
		return put_word(at, 0);
	case 'f':
		return put_float(at, (float)(number % 1000) / 8.0f);
	case 's':
		return put_string(at, "Bass");
	default:
		return at; /* T and F carry no value */
	}
}

size_t bench_osc_event(uint8_t datagram[BENCH_OSC_BYTES], int32_t number)
{
	size_t kind = (uint32_t)number % BENCH_OSC_KINDS;
	char types[16];
	uint8_t *at;

	snprintf(types, sizeof types, ",ifs%s", events[kind].types);
	for (char *type = types; *type; type++) {
		if (*type == 'n' || *type == 'z')
			*type = 'i';
	}
	at = put_string(datagram, "/live/seq");
	at = put_string(at, types);
	at = put_word(at, (uint32_t)number);
	at = put_float(at, 1.7e9f);
	at = put_string(at, events[kind].path);
	for (const char *type = events[kind].types; *type; type++)
		at = put_argument(at, *type, number);
	return (size_t)(at - datagram);
}
