/* SPDX-License-Identifier: MIT */
/*
 * Reads the stream of snapshots that `astshm-cat -f msgpack -w 1` writes, with
 * nothing but msgpack-c, and prints the counters and timings of each. The
 * documents are those of doc/snapshot.md; keys that are not known are passed
 * over, as every consumer should. It trusts its input, being behind our own
 * tool; astshm_decode_msgpack is the one that takes input from strangers.
 *
 * usage: astshm-cat -f msgpack -w 1 SEGMENT | msgpack-consumer
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <msgpack.h>

#define READ_BYTES 65536

static bool is_text(const msgpack_object *object, const char *text)
{
	return object->type == MSGPACK_OBJECT_STR && object->via.str.size == strlen(text) &&
	       memcmp(object->via.str.ptr, text, object->via.str.size) == 0;
}

/* The value of a key in a map, or NULL. */
static const msgpack_object *member(const msgpack_object *map, const char *key)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++)
		if (is_text(&map->via.map.ptr[i].key, key))
			return &map->via.map.ptr[i].val;
	return NULL;
}

static void print_number(const msgpack_object *value)
{
	if (value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		printf("%" PRIu64, value->via.u64);
	else if (value && value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		printf("%" PRId64, value->via.i64);
	else if (value && value->type == MSGPACK_OBJECT_FLOAT64)
		printf("%.9g", value->via.f64);
	else
		printf("-");
}

/* One line for each series: its key, then the fields that were asked for. */
static void print_section(const msgpack_object *section, const char *const *fields)
{
	if (!section || section->type != MSGPACK_OBJECT_MAP)
		return;
	for (uint32_t i = 0; i < section->via.map.size; i++) {
		const msgpack_object_kv *series = &section->via.map.ptr[i];

		if (series->key.type != MSGPACK_OBJECT_STR)
			continue;
		printf("%.*s", (int)series->key.via.str.size, series->key.via.str.ptr);
		for (const char *const *field = fields; *field; field++) {
			printf(" %s=", *field);
			print_number(member(&series->val, *field));
		}
		putchar('\n');
	}
}

static int print_document(const msgpack_object *document)
{
	static const char *const counter_fields[] = { "value", NULL };
	static const char *const timing_fields[] = { "count", "p50", "p95", NULL };
	const msgpack_object *schema = member(document, "schema");
	const msgpack_object *metrics = member(document, "metrics");

	if (!schema || !is_text(schema, "astshm.snapshot/1")) {
		fprintf(stderr, "msgpack-consumer: not an astshm.snapshot/1 document\n");
		return -1;
	}
	printf("timestamp_ns ");
	print_number(member(document, "timestamp_ns"));
	putchar('\n');
	print_section(member(metrics, "counters"), counter_fields);
	print_section(member(metrics, "timings"), timing_fields);
	fflush(stdout);
	return 0;
}

/* Every document that is complete by now. */
static int print_complete(msgpack_unpacker *unpacker)
{
	msgpack_unpacked result;
	msgpack_unpack_return state;
	int status = 0;

	msgpack_unpacked_init(&result);
	while ((state = msgpack_unpacker_next(unpacker, &result)) == MSGPACK_UNPACK_SUCCESS &&
	       status == 0)
		status = print_document(&result.data);
	msgpack_unpacked_destroy(&result);
	if (state != MSGPACK_UNPACK_CONTINUE && status == 0) {
		fprintf(stderr, "msgpack-consumer: this is not msgpack\n");
		status = -1;
	}
	return status;
}

static int consume(msgpack_unpacker *unpacker)
{
	for (;;) {
		if (!msgpack_unpacker_reserve_buffer(unpacker, READ_BYTES))
			return -1;
		ssize_t got = read(STDIN_FILENO, msgpack_unpacker_buffer(unpacker), READ_BYTES);
		if (got <= 0)
			return (int)got;
		msgpack_unpacker_buffer_consumed(unpacker, (size_t)got);
		if (print_complete(unpacker) != 0)
			return -1;
	}
}

int main(void)
{
	msgpack_unpacker unpacker;

	if (!msgpack_unpacker_init(&unpacker, READ_BYTES))
		return 1;
	int status = consume(&unpacker);
	msgpack_unpacker_destroy(&unpacker);
	return status == 0 ? 0 : 1;
}
