/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "osc.h"

/* A literal's bytes, its last NUL included where the literal says so. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* /live/seq ,ifsisTFf 7 1.0 "/live/x" -2 "é" T F 0.5 */
static const char sample[] = "/live/seq\0\0\0,ifsisTFf\0\0\0"
			     "\0\0\0\x07\x3f\x80\0\0/live/x\0"
			     "\xff\xff\xff\xfe\xc3\xa9\0\0\x3f\0\0\0";

/* The datagram in memory of exactly its size, so that ASan sees any byte past it. */
static int decode_exact(const void *bytes, size_t size, struct osc_message *message,
			unsigned char **copy)
{
	*copy = malloc(size > 0 ? size : 1);
	assert_non_null(*copy);
	memcpy(*copy, bytes, size);
	return osc_decode(*copy, size, message, NULL);
}

static void expect_refused(const void *bytes, size_t size)
{
	struct osc_message message;
	unsigned char *copy;

	assert_int_equal(decode_exact(bytes, size, &message, &copy), -EBADMSG);
	free(copy);
}

static void expect_accepted(const void *bytes, size_t size, size_t count)
{
	struct osc_message message;
	unsigned char *copy;

	assert_int_equal(decode_exact(bytes, size, &message, &copy), 0);
	assert_int_equal(message.count, count);
	osc_message_fini(&message);
	free(copy);
}

static void every_type_is_decoded(void **state)
{
	struct osc_message message;

	(void)state;
	assert_int_equal(osc_decode(sample, sizeof sample - 1, &message, NULL), 0);
	assert_string_equal(message.address, "/live/seq");
	assert_int_equal(message.count, 8);
	assert_int_equal(message.values[0].tag, 'i');
	assert_int_equal(message.values[0].i, 7);
	assert_int_equal(message.values[1].tag, 'f');
	assert_true(message.values[1].f == 1.0f);
	assert_int_equal(message.values[2].tag, 's');
	assert_string_equal(message.values[2].s, "/live/x");
	assert_int_equal(message.values[3].i, -2);
	assert_string_equal(message.values[4].s, "\xc3\xa9");
	assert_int_equal(message.values[5].tag, 'T');
	assert_int_equal(message.values[6].tag, 'F');
	assert_true(message.values[7].f == 0.5f);
	osc_message_fini(&message);
}

static void message_without_arguments_is_accepted(void **state)
{
	(void)state;
	expect_accepted(BYTES("/live/x\0,\0\0\0"), 0);
	expect_accepted(BYTES("/\0\0\0,\0\0\0"), 0);
}

static void datagram_is_left_as_it_was(void **state)
{
	struct osc_message message;
	char copy[sizeof sample];

	(void)state;
	memcpy(copy, sample, sizeof copy);
	assert_int_equal(osc_decode(copy, sizeof copy - 1, &message, NULL), 0);
	osc_message_fini(&message);
	assert_memory_equal(copy, sample, sizeof copy);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof sample - 1; size++)
		expect_refused(sample, size);
}

static void bundle_is_refused(void **state)
{
	(void)state;
	expect_refused(BYTES("#bundle\0\0\0\0\0\0\0\0\x01"));
}

static void short_or_shapeless_datagrams_are_refused(void **state)
{
	(void)state;
	expect_refused(BYTES(""));
	expect_refused(BYTES("\0"));
	expect_refused(BYTES("/a\0\0"));
	expect_refused(BYTES("abc\0,i\0\0\0\0\0\1"));
	expect_refused(BYTES("\0\0\0\0\0\0\0\0"));
	expect_refused(BYTES("/live/seq\0\0\0"));
	expect_refused(BYTES("/live/seq\0\0\0ifs\0"));
	expect_refused(BYTES("/abcdefg/abcdefg"));
	expect_refused(BYTES("/a\0\0,iii"));
}

static void broken_envelope_of_the_recorded_dialogue_is_refused(void **state)
{
	(void)state;
	expect_refused(BYTES("/live/seq\0\0\0\0\0\0\0,ifd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

static void other_types_are_refused(void **state)
{
	static const char tags[] = "hdtbcmrNIS[]{}xAZ0 *";
	char datagram[24] = "/a\0\0,?\0\0";

	(void)state;
	for (const char *tag = tags; *tag; tag++) {
		datagram[5] = *tag;
		for (size_t size = 8; size <= sizeof datagram; size += 4)
			expect_refused(datagram, size);
	}
}

static void trailing_bytes_and_dirty_padding_are_refused(void **state)
{
	(void)state;
	expect_refused(BYTES("/a\0\0,i\0\0\0\0\0\1\0\0\0\0"));
	expect_refused(BYTES("/a\0\0,i\0\0\0\0\0\1\0"));
	expect_refused(BYTES("/a\0x,i\0\0\0\0\0\1"));
	expect_refused(BYTES("/a\0\0,i\0x\0\0\0\1"));
	expect_refused(BYTES("/a\0\0,s\0\0b\0\0x"));
}

static void bad_utf8_is_refused_wherever_it_stands(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
		"\xf0\x80\x80", "\xf4\x90\x80", "\xff", "\xe2\x82",
	};
	char datagram[12];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memcpy(datagram, "/a\0\0,s\0\0", 8);
		memset(datagram + 8, 0, 4);
		memcpy(datagram + 8, bad[i], strlen(bad[i]));
		expect_refused(datagram, sizeof datagram);
		memset(datagram, 0, sizeof datagram);
		datagram[0] = '/';
		memcpy(datagram + 1, bad[i], strlen(bad[i]) < 3 ? strlen(bad[i]) : 2);
		datagram[4] = ',';
		expect_refused(datagram, 8);
	}
}

static void good_utf8_is_accepted(void **state)
{
	(void)state;
	expect_accepted(BYTES("/a\0\0,s\0\0\xc2\x80\0\0"), 1);
	expect_accepted(BYTES("/a\0\0,s\0\0\xe0\xa0\x80\0"), 1);
	expect_accepted(BYTES("/a\0\0,s\0\0\xed\x9f\xbf\0"), 1);
	expect_accepted(BYTES("/a\0\0,s\0\0\xf0\x90\x80\x80\0\0\0\0"), 1);
	expect_accepted(BYTES("/a\0\0,s\0\0\xf4\x8f\xbf\xbf\0\0\0\0"), 1);
	expect_accepted(BYTES("/a\0\0,s\0\0\0\0\0\0"), 1);
}

static void largest_datagram_is_accepted_and_one_more_is_not(void **state)
{
	char *datagram = calloc(1, OSC_DATAGRAM_MAX + 4);

	(void)state;
	assert_non_null(datagram);
	memcpy(datagram, "/a\0\0,s\0\0", 8);
	memset(datagram + 8, 'x', OSC_DATAGRAM_MAX - 8 - 1);
	expect_accepted(datagram, OSC_DATAGRAM_MAX, 1);
	memset(datagram + 8, 'x', OSC_DATAGRAM_MAX - 8 + 3);
	expect_refused(datagram, OSC_DATAGRAM_MAX + 4);
	free(datagram);
}

static void arguments_without_values_may_be_many(void **state)
{
	char *datagram = calloc(1, OSC_DATAGRAM_MAX);
	size_t flags = OSC_DATAGRAM_MAX - 4 - 1 - 3;

	(void)state;
	assert_non_null(datagram);
	memcpy(datagram, "/a\0\0,", 5);
	memset(datagram + 5, 'T', flags);
	expect_accepted(datagram, OSC_DATAGRAM_MAX, flags);
	free(datagram);
}

static void reason_is_given_in_words(void **state)
{
	struct osc_message message;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(osc_decode("#bundle\0\0\0\0\0", 12, &message, &reason), -EBADMSG);
	assert_string_equal(reason, "a bundle");
}

/* xorshift64*: the same mutations in every run. */
static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

static size_t mutate(unsigned char *bytes, size_t size, uint64_t *seed)
{
	for (uint64_t edits = 1 + random_next(seed) % 4; edits > 0; edits--) {
		uint64_t random = random_next(seed);
		size_t at = (size_t)(random % size);
		if (random >> 60 < 4)
			bytes[at] ^= (unsigned char)(1u << (random >> 32) % 8);
		else if (random >> 60 < 8)
			bytes[at] = (unsigned char)"\0,/ifsTFbhd\xff\x80"[(random >> 32) % 13];
		else if (random >> 60 < 12)
			bytes[at] = (unsigned char)(random >> 40);
		else
			size = at > 0 ? at : size;
	}
	return size;
}

/* Whatever is accepted must hold what its tags promise, inside the datagram's size. */
static void check_accepted(const struct osc_message *message, size_t size)
{
	size_t bytes = strlen(message->address) + 1;

	for (size_t i = 0; i < message->count; i++) {
		assert_non_null(strchr("ifsTF", message->values[i].tag));
		if (message->values[i].tag == 's')
			bytes += strlen(message->values[i].s) + 1;
	}
	assert_true(bytes <= size);
}

static void mutated_datagrams_do_no_harm(void **state)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	unsigned accepted = 0;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		unsigned char bytes[sizeof sample - 1];
		struct osc_message message;
		unsigned char *copy;

		memcpy(bytes, sample, sizeof bytes);
		size_t size = mutate(bytes, sizeof bytes, &seed);
		int result = decode_exact(bytes, size, &message, &copy);
		/* What the check lets through, liblo must be able to decode. */
		assert_int_equal(result, osc_check(copy, size) ? -EBADMSG : 0);
		if (result == 0) {
			check_accepted(&message, size);
			osc_message_fini(&message);
			accepted++;
		}
		free(copy);
	}
	assert_true(accepted > 1000);
	assert_true(accepted < 99000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_decoded),
		cmocka_unit_test(message_without_arguments_is_accepted),
		cmocka_unit_test(datagram_is_left_as_it_was),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(bundle_is_refused),
		cmocka_unit_test(short_or_shapeless_datagrams_are_refused),
		cmocka_unit_test(broken_envelope_of_the_recorded_dialogue_is_refused),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(trailing_bytes_and_dirty_padding_are_refused),
		cmocka_unit_test(bad_utf8_is_refused_wherever_it_stands),
		cmocka_unit_test(good_utf8_is_accepted),
		cmocka_unit_test(largest_datagram_is_accepted_and_one_more_is_not),
		cmocka_unit_test(arguments_without_values_may_be_many),
		cmocka_unit_test(reason_is_given_in_words),
		cmocka_unit_test(mutated_datagrams_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
