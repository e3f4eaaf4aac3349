/* SPDX-License-Identifier: MIT */
/* The document "astshm.snapshot/1" from msgpack. Unknown keys are ignored. */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "document.h"

/* A family or series of fewer bytes lacks what it must have. */
#define FAMILY_BYTES_MIN 12u
#define SERIES_BYTES_MIN 8u
/* An empty map is one byte and a source; each takes some hundred in memory. */
#define SOURCES_MAX 65536u

/* The values of the document's own keys; size 0: absent. */
enum part {
	SCHEMA, TIMESTAMP, UPTIME, INTERVAL, SEGMENT, SOURCES, FAMILIES, METRICS, WINDOW, PARTS
};

static const char *const part_names[PARTS] = {
	"schema",  "timestamp_ns", "uptime_seconds", "interval_seconds",
	"segment", "sources",      "families",       "metrics",          "window",
};

/* Remembers where and what; returns `code`. */
static int fail(struct decoder *decoder, const uint8_t *at, int code, const char *what)
{
	decoder->fault = at;
	decoder->what = what;
	return code;
}

static int find_parts(struct decoder *decoder, struct unpack_slice *rest,
		      struct unpack_slice parts[PARTS])
{
	struct unpack_slice document, inside, key, value;
	uint32_t pairs;
	const uint8_t *start = rest->at;
	int code = unpack_value(rest, &document);
	if (code == 0)
		code = unpack_map(document, &inside, &pairs);
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		for (int part = 0; code == 0 && part < PARTS; part++) {
			if (unpack_is_key(key, part_names[part]))
				parts[part] = value;
		}
	}
	if (code < 0)
		fail(decoder, start, code,
			    code == -ENODATA ? "ends too early" : "not a snapshot");
	return code;
}

/* --- header ------------------------------------------------------------- */

/* Unpacks one value (nil if it is absent) and hands it to `read`. */
static int with_object(struct decoder *decoder, struct unpack_slice part,
		       int (*read)(struct decoder *decoder, const msgpack_object *object))
{
	static const msgpack_object absent = { .type = MSGPACK_OBJECT_NIL };
	msgpack_unpacked unpacked;
	int code = 0;
	msgpack_unpacked_init(&unpacked);
	decoder->fault = part.size ? part.at : decoder->start;
	decoder->what = "not msgpack";
	if (part.size)
		code = unpack_object(part, &unpacked);
	if (code == 0)
		code = read(decoder, part.size ? &unpacked.data : &absent);
	msgpack_unpacked_destroy(&unpacked);
	return code;
}

static int read_schema(struct decoder *decoder, const msgpack_object *object)
{
	decoder->what = "no schema";
	if (object->type != MSGPACK_OBJECT_STR)
		return -EBADMSG;
	decoder->what = "another schema than " DOCUMENT_SCHEMA;
	return unpack_is_text(object, DOCUMENT_SCHEMA) ? 0 : -EPROTONOSUPPORT;
}

static int read_timestamp(struct decoder *decoder, const msgpack_object *object)
{
	decoder->what = "no timestamp_ns";
	if (object->type == MSGPACK_OBJECT_NIL)
		return -EBADMSG;
	return unpack_u64(object, &decoder->snapshot->timestamp_ns);
}

static int read_uptime(struct decoder *decoder, const msgpack_object *object)
{
	double seconds = 0;
	decoder->what = "uptime_seconds is not a number";
	int code = object->type == MSGPACK_OBJECT_NIL ? 0 : unpack_real(object, &seconds);
	decoder->snapshot->uptime_ns = number_ns(seconds);
	return code;
}

static int read_interval(struct decoder *decoder, const msgpack_object *object)
{
	double seconds;
	decoder->what = "interval_seconds is not a time";
	if (object->type == MSGPACK_OBJECT_NIL)
		return 0;
	int code = unpack_real(object, &seconds);
	decoder->snapshot->interval_ns = number_ns(seconds);
	return code == 0 && !decoder->snapshot->interval_ns ? -EBADMSG : code;
}

/* --- segment and sources -------------------------------------------------- */

static int read_generation(const msgpack_object *object, uint64_t *generation)
{
	*generation = 0;
	if (!object)
		return 0;
	if (object->type != MSGPACK_OBJECT_STR || object->via.str.size != 16)
		return -EBADMSG;
	for (int i = 0; i < 16; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, object->via.str.ptr[i], 16);
		if (!digit)
			return -EBADMSG;
		*generation = *generation << 4 | (uint64_t)(digit - digits);
	}
	return 0;
}

static int read_state(const msgpack_object *object, enum astshm_state *state)
{
	for (int i = ASTSHM_STATE_NONE; i <= ASTSHM_STATE_REPLACED; i++) {
		*state = (enum astshm_state)i;
		if (unpack_is_text(object, astshm_state_name(*state)))
			return 0;
	}
	*state = ASTSHM_STATE_NONE;
	return object ? -EBADMSG : 0;
}

static int read_heartbeat(const msgpack_object *object, int64_t *age_ns)
{
	double seconds;
	int code = unpack_real(object, &seconds);
	uint64_t ns = number_ns(seconds);
	*age_ns = !object ? -1 : ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
	return code;
}

static int read_segment_counts(const msgpack_object *map, struct astshm_segment_info *segment)
{
	const struct {
		const char *key;
		uint64_t *value;
	} fields[] = {
		{ "epoch", &segment->epoch },
		{ "counters_epoch", &segment->counters_epoch },
		{ "bytes", &segment->bytes },
		{ "threads", &segment->threads },
		{ "dropped", &segment->dropped },
		{ "other_tag_sets", &segment->other_tag_sets },
		{ "torn", &segment->torn },
		{ "bad_records", &segment->bad_records },
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (unpack_u64(unpack_find(map, fields[i].key), fields[i].value) < 0)
			return -EBADMSG;
	}
	return unpack_u32(unpack_find(map, "pid"), &segment->pid);
}

static int read_segment_info(struct decoder *decoder, const msgpack_object *map,
			     struct astshm_segment_info *segment)
{
	const msgpack_object *enabled = unpack_find(map, "enabled");
	uint32_t length;
	decoder->what = "not a segment";
	if (map->type != MSGPACK_OBJECT_MAP || (enabled && enabled->type != MSGPACK_OBJECT_BOOLEAN))
		return -EBADMSG;
	segment->recording = enabled && enabled->via.boolean;
	int code = unpack_text(unpack_find(map, "name"), DECODE_TEXT_LIMIT(ASTSHM_NAME_MAX),
			       decoder->snapshot->arena, &segment->name, &length);
	if (code == 0)
		code = read_segment_counts(map, segment);
	if (code == 0)
		code = read_state(unpack_find(map, "state"), &segment->state);
	if (code == 0)
		code = read_generation(unpack_find(map, "generation"), &segment->generation);
	if (code == 0)
		code = read_heartbeat(unpack_find(map, "heartbeat_age_seconds"),
				      &segment->heartbeat_age_ns);
	return code;
}

static int read_segment(struct decoder *decoder, const msgpack_object *object)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	snapshot->has_segment = object->type != MSGPACK_OBJECT_NIL;
	if (!snapshot->has_segment)
		return 0;
	return read_segment_info(decoder, object, &snapshot->segment);
}

static int read_sources(struct decoder *decoder, const msgpack_object *object)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	if (object->type == MSGPACK_OBJECT_NIL || snapshot->has_segment)
		return 0;
	decoder->what = "sources are not a list";
	if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size > SOURCES_MAX)
		return -EBADMSG;
	uint32_t count = object->via.array.size;
	snapshot->sources = reader_arena_array(snapshot->arena, count, sizeof *snapshot->sources);
	if (!snapshot->sources)
		return -ENOMEM;
	for (; snapshot->source_count < count; snapshot->source_count++) {
		int code = read_segment_info(decoder,
					     &object->via.array.ptr[snapshot->source_count],
					     &snapshot->sources[snapshot->source_count]);
		if (code < 0)
			return code;
	}
	return 0;
}

static int read_header(struct decoder *decoder, const struct unpack_slice parts[PARTS])
{
	static int (*const readers[FAMILIES])(struct decoder *, const msgpack_object *) = {
		[SCHEMA] = read_schema,     [TIMESTAMP] = read_timestamp,
		[UPTIME] = read_uptime,     [INTERVAL] = read_interval,
		[SEGMENT] = read_segment,   [SOURCES] = read_sources,
	};
	int code = 0;
	for (int part = SCHEMA; code == 0 && part < FAMILIES; part++)
		code = with_object(decoder, parts[part], readers[part]);
	return code;
}

/* --- families -------------------------------------------------------------- */

static int read_kind(const msgpack_object *object, enum astshm_kind *kind)
{
	for (int i = 1; i <= SNAPSHOT_KINDS; i++) {
		*kind = (enum astshm_kind)i;
		if (unpack_is_text(object, snapshot_kind_name(*kind)))
			return 0;
	}
	return -EBADMSG;
}

static enum astshm_merge merge_of(const msgpack_object *object)
{
	return unpack_is_text(object, "sum")   ? ASTSHM_MERGE_SUM
	       : unpack_is_text(object, "min") ? ASTSHM_MERGE_MIN
	       : unpack_is_text(object, "max") ? ASTSHM_MERGE_MAX
					       : ASTSHM_MERGE_LAST;
}

/* Appends one family; there is room for as many as the bytes could hold. */
static int add_family(struct decoder *decoder, const msgpack_object *map, const char *name,
		      uint32_t name_len)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	struct astshm_family *family = reader_arena_alloc(snapshot->arena, sizeof *family);
	const msgpack_object *monotonic = unpack_find(map, "monotonic");
	if (!family)
		return -ENOMEM;
	family->name = name;
	family->name_len = name_len;
	family->merge = merge_of(unpack_find(map, "merge"));
	family->monotonic = monotonic && monotonic->type == MSGPACK_OBJECT_BOOLEAN &&
			    monotonic->via.boolean;
	snapshot->families[snapshot->family_count] = family;
	int code = read_kind(unpack_find(map, "kind"), &family->kind);
	if (code == 0)
		code = unpack_text(unpack_find(map, "unit"), DECODE_TEXT_LIMIT(ASTSHM_UNIT_MAX),
				   snapshot->arena, &family->unit, &family->unit_len);
	if (code == 0)
		code = unpack_text(unpack_find(map, "help"), DECODE_TEXT_LIMIT(ASTSHM_HELP_MAX),
				   snapshot->arena, &family->help, &family->help_len);
	snapshot->family_count += code == 0;
	return code;
}

static int add_family_kinds(struct decoder *decoder, const msgpack_object *map, const char *name,
			    uint32_t name_len)
{
	const msgpack_object *also = unpack_find(map, "also");
	int code = add_family(decoder, map, name, name_len);
	if (code < 0 || !also)
		return code;
	if (also->type != MSGPACK_OBJECT_ARRAY || also->via.array.size >= SNAPSHOT_KINDS)
		return -EBADMSG;
	for (uint32_t i = 0; code == 0 && i < also->via.array.size; i++)
		code = add_family(decoder, &also->via.array.ptr[i], name, name_len);
	return code;
}

static int read_family(struct decoder *decoder, struct unpack_slice key, struct unpack_slice value)
{
	const msgpack_object text = { .type = MSGPACK_OBJECT_STR,
				      .via.str = { (uint32_t)key.size, (const char *)key.at } };
	msgpack_unpacked unpacked;
	const char *name;
	uint32_t name_len;
	decoder->fault = value.at;
	decoder->what = "not a family";
	msgpack_unpacked_init(&unpacked);
	int code = unpack_text(&text, DECODE_TEXT_LIMIT(ASTSHM_NAME_MAX), decoder->snapshot->arena,
			       &name, &name_len);
	if (code == 0)
		code = unpack_object(value, &unpacked);
	if (code == 0)
		code = add_family_kinds(decoder, &unpacked.data, name, name_len);
	msgpack_unpacked_destroy(&unpacked);
	return code;
}

static int sort_families(struct decoder *decoder)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	const struct astshm_family **families = snapshot->families;
	qsort(families, snapshot->family_count, sizeof *families, derive_compare_families);
	for (size_t i = 1; i < snapshot->family_count; i++) {
		if (derive_compare_families(&families[i - 1], &families[i]) == 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_families(struct decoder *decoder, struct unpack_slice part)
{
	struct unpack_slice inside, key, value;
	uint32_t pairs;
	int code = part.size ? unpack_map(part, &inside, &pairs) : -EBADMSG;
	if (code < 0)
		return fail(decoder, part.size ? part.at : decoder->start, code,
				   "no families");
	decoder->snapshot->families =
		reader_arena_array(decoder->snapshot->arena,
				   part.size / FAMILY_BYTES_MIN + SNAPSHOT_KINDS,
				   sizeof *decoder->snapshot->families);
	if (!decoder->snapshot->families)
		return -ENOMEM;
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		if (code == 0)
			code = read_family(decoder, key, value);
	}
	return code < 0 ? code : sort_families(decoder);
}

/* --- metrics ---------------------------------------------------------------- */

const struct decode_kind decode_kinds[SNAPSHOT_KINDS] = {
	{ "counters", ASTSHM_KIND_COUNTER },
	{ "gauges", ASTSHM_KIND_GAUGE },
	{ "timings", ASTSHM_KIND_TIMING },
	{ "distributions", ASTSHM_KIND_DISTRIBUTION },
};

/* Room in snapshot->series must be there already. */
static int read_kind_series(struct decoder *decoder, enum astshm_kind kind,
			    struct unpack_slice part)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	struct unpack_slice inside, key, value;
	uint32_t pairs;
	int code = unpack_map(part, &inside, &pairs);
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		if (code == 0)
			code = decode_series(decoder, kind, key, value,
					     &snapshot->series[snapshot->series_count]);
		snapshot->series_count += code == 0;
	}
	return code;
}

/* Adds up how many series there are, as far as their bytes can hold them. */
static int count_kind_series(struct decoder *decoder, struct unpack_slice part, size_t *count)
{
	struct unpack_slice inside;
	uint32_t pairs;
	int code = unpack_map(part, &inside, &pairs);
	if (code < 0)
		return fail(decoder, part.at, code, "not a map of series");
	if (pairs > part.size / SERIES_BYTES_MIN)
		return fail(decoder, part.at, -EBADMSG, "series without values");
	*count += pairs;
	return 0;
}

/* Counts the series (count not NULL) or reads them. */
static int walk_metrics(struct decoder *decoder, struct unpack_slice part, size_t *count)
{
	struct unpack_slice inside, key, value;
	uint32_t pairs;
	int code = unpack_map(part, &inside, &pairs);
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		for (int k = 0; code == 0 && k < SNAPSHOT_KINDS; k++) {
			if (!unpack_is_key(key, decode_kinds[k].plural))
				continue;
			code = count ? count_kind_series(decoder, value, count)
				     : read_kind_series(decoder, decode_kinds[k].kind, value);
		}
	}
	return code;
}

static int read_metrics(struct decoder *decoder, struct unpack_slice part)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	size_t count = 0;
	decoder->what = "no metrics";
	decoder->fault = part.size ? part.at : decoder->start;
	int code = part.size ? walk_metrics(decoder, part, &count) : -EBADMSG;
	if (code < 0)
		return code;
	snapshot->series = reader_arena_array(snapshot->arena, count, sizeof *snapshot->series);
	return snapshot->series ? walk_metrics(decoder, part, NULL) : -ENOMEM;
}

/* Sorts; the families stay those of the document, used or not. */
static int finish(struct decoder *decoder)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	const struct astshm_family **families = snapshot->families;
	size_t count = snapshot->family_count;
	int code = snapshot_finish(snapshot);
	snapshot->families = families;
	snapshot->family_count = count;
	if (code == -EEXIST)
		return fail(decoder, decoder->start, -EBADMSG, "one series twice");
	return code;
}

static int decode_document(struct decoder *decoder, struct unpack_slice *rest)
{
	struct unpack_slice parts[PARTS] = { 0 };
	int code = find_parts(decoder, rest, parts);
	if (code == 0)
		code = read_header(decoder, parts);
	if (code == 0)
		code = read_families(decoder, parts[FAMILIES]);
	if (code == 0)
		code = read_metrics(decoder, parts[METRICS]);
	if (code == 0)
		code = finish(decoder);
	return code == 0 && parts[WINDOW].size ? decode_window(decoder, parts[WINDOW]) : code;
}

static void describe(const struct decoder *decoder, int code, struct astshm_error *error)
{
	if (!error)
		return;
	error->code = code;
	error->position = (uint64_t)(decoder->fault - decoder->start);
	snprintf(error->text, sizeof error->text, "%s",
		 code == -ENOMEM ? "out of memory" : decoder->what);
}

int astshm_decode_msgpack(const void *bytes, size_t size, size_t *used,
			  struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	struct unpack_slice rest = { bytes, size };
	struct decoder decoder = { .start = bytes, .fault = bytes, .what = "" };
	decoder.snapshot = snapshot_create();
	int code = decoder.snapshot ? decode_document(&decoder, &rest) : -ENOMEM;
	if (code < 0) {
		astshm_snapshot_free(&decoder.snapshot);
		describe(&decoder, code, error);
		return code;
	}
	if (used)
		*used = size - rest.size;
	*snapshot = decoder.snapshot;
	return 0;
}
