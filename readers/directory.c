/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "prefault.h"
#include "sort.h"

/* Names are copied together once more than half of them is garbage. */
#define COMPACT_BYTES ((size_t)1 << 16)
#define DEADLINE_STEP 1024u

/* Guesses for expect_names, of what parse.c stores. */
#define EXPECTED_FAMILY_BYTES (sizeof(struct astshm_family) + 48)
#define EXPECTED_TAGS_BYTES 128u
#define EXPECTED_MOST_BYTES ((uint64_t)1 << 20)

/* What one update found. */
struct update {
	struct directory *directory;
	const struct reader_view *view;
	bool recheck;
	bool changed; /* rows must be sorted again */
};

void directory_clear(struct directory *directory)
{
	reader_arena_unref(directory->names);
	free(directory->entries);
	free(directory->families);
	free(directory->rows);
	*directory = (struct directory){ .names = NULL };
}

/* Room for `count` elements, the new ones zeroed. */
static bool reserve(void **array, uint32_t have, uint32_t count, size_t size)
{
	if (count <= have)
		return true;
	/* Not freed: the analyzer does not see that directory_clear nulls all pointers. */
	void *larger = reallocarray(*array, count, size); /* NOLINT(clang-analyzer-unix.Malloc) */
	if (larger == NULL)
		return false;
	prefault_heap((char *)larger + (size_t)have * size, (size_t)(count - have) * size);
	memset((char *)larger + (size_t)have * size, 0, (size_t)(count - have) * size);
	*array = larger;
	return true;
}

/* Room for one more row; at once for all that `expected` new records may be. */
static bool reserve_row(struct directory *directory, uint32_t expected)
{
	if (directory->row_count < directory->row_room)
		return true;
	uint64_t room = (uint64_t)directory->row_count + directory->row_count / 2 + expected + 1;
	if (room > UINT32_MAX)
		return false;
	void *rows = reallocarray(directory->rows, room, sizeof *directory->rows);
	if (rows == NULL)
		return false;
	directory->rows = rows;
	prefault_heap(directory->rows + directory->row_count,
		      (room - directory->row_count) * sizeof *directory->rows);
	directory->row_room = (uint32_t)room;
	return true;
}

static int late(const struct update *update, uint32_t step)
{
	return step % DEADLINE_STEP == 0 && view_late(update->view) ? -ETIMEDOUT : 0;
}

/* --- families ------------------------------------------------------ */

static bool family_changed(const struct directory_family *family,
			   const struct astshm_segment_family *record)
{
	return record != NULL && (load_relaxed(&record->unit_ref) != family->unit_ref ||
				  load_relaxed(&record->help_ref) != family->help_ref ||
				  family->bad);
}

static int update_families(struct update *update, uint32_t count)
{
	struct directory *directory = update->directory;
	uint32_t known = directory->family_count;
	if (!reserve((void **)&directory->families, known, count, sizeof *directory->families))
		return -ENOMEM;
	if (count > known)
		directory->family_count = count;
	uint32_t first = update->recheck ? 0 : known;
	struct view_walk walk = { .view = update->view,
				  .table = &view_header(update->view)->families,
				  .stride = sizeof(struct astshm_segment_family),
				  .index = first };
	for (uint32_t i = first; i < directory->family_count; i++) {
		const struct astshm_segment_family *record = view_walk(&walk);
		if (late(update, i) != 0)
			return -ETIMEDOUT;
		if (i < known && !family_changed(&directory->families[i], record))
			continue;
		if (parse_family(directory, update->view, i, record) == PARSE_NO_MEMORY)
			return -ENOMEM;
		update->changed = true;
	}
	return 0;
}

/* --- series -------------------------------------------------------- */

static bool is_monotonic(const struct directory_row *row)
{
	return row->series.kind == ASTSHM_KIND_COUNTER &&
	       (load_relaxed32(&row->record->flags) & ASTSHM_SERIES_UP_DOWN) == 0;
}

/* A row whose series is gone is marked; rebuilding leaves it out. */
static void recheck_rows(struct update *update)
{
	struct directory *directory = update->directory;
	for (uint32_t i = 0; i < directory->row_count; i++) {
		struct directory_row *row = &directory->rows[i];
		if (load_acquire(&row->record->state) != row->state_word) {
			directory->garbage_bytes += row->bytes;
			row->record = NULL;
			update->changed = true;
		} else if (row->series.monotonic != is_monotonic(row)) {
			update->changed = true;
		}
	}
}

static int parse_entry(struct update *update, uint32_t index)
{
	struct directory *directory = update->directory;
	struct directory_entry *entry = &directory->entries[index];
	/* Acquire: pairs with the release that made the series live. */
	uint64_t word = load_acquire(&entry->record->state);
	if (word == entry->state_word && !entry->bad)
		return 0;
	update->changed |= entry->bad; /* it may be counted no more */
	*entry = (struct directory_entry){ entry->record, word, false };
	if (ASTSHM_SERIES_STATE(word) != ASTSHM_SERIES_LIVE)
		return 0;
	if (!reserve_row(directory, directory->entry_count - index))
		return -ENOMEM;
	update->changed = true;
	switch (parse_series(directory, update->view, index, word,
			     &directory->rows[directory->row_count])) {
	case PARSE_GOOD:
		directory->row_count++;
		return 0;
	case PARSE_BAD:
		entry->bad = true;
		return 0;
	case PARSE_NOT_LIVE:
		entry->state_word = 0; /* looked at again with the next change */
		return 0;
	case PARSE_NO_MEMORY:
		entry->state_word = 0;
		return -ENOMEM;
	}
	return 0;
}

static int update_series(struct update *update, uint32_t count)
{
	struct directory *directory = update->directory;
	const struct reader_view *view = update->view;
	uint32_t known = directory->entry_count;
	if (!reserve((void **)&directory->entries, known, count, sizeof *directory->entries))
		return -ENOMEM;
	if (count > known)
		directory->entry_count = count;
	if (update->recheck)
		recheck_rows(update);
	/* Element 0 belongs to the null handle. */
	uint32_t first = update->recheck || known == 0 ? 1 : known;
	struct view_walk walk = { .view = view, .table = &view_header(view)->series,
				  .stride = sizeof(struct astshm_segment_series), .index = first };
	for (uint32_t i = first; i < directory->entry_count; i++) {
		struct directory_entry *entry = &directory->entries[i];
		const struct astshm_segment_series *record = view_walk(&walk);
		if (entry->record == NULL)
			entry->record = record;
		int code = late(update, i);
		if (code == 0 && entry->record != NULL)
			code = parse_entry(update, i);
		if (code != 0)
			return code;
	}
	return 0;
}

/* --- putting it in order -------------------------------------------- */

static int compare_key(const struct directory_row *row, enum astshm_kind kind, const char *key,
		       uint32_t length)
{
	if (row->series.kind != kind)
		return row->series.kind < kind ? -1 : 1;
	uint32_t common = row->series.key_len < length ? row->series.key_len : length;
	int order = memcmp(row->series.key, key, common);
	if (order != 0)
		return order;
	return (row->series.key_len > length) - (row->series.key_len < length);
}

static uint64_t last_word(const char *text, uint32_t length)
{
	uint64_t word;
	memcpy(&word, text + length - sizeof word, sizeof word);
	return word;
}

/* Keys that stand beside one another in order differ at their ends, most of them. */
static bool has_key(const struct directory_row *row, enum astshm_kind kind, const char *key,
		    uint32_t length)
{
	const struct directory_series *series = &row->series;
	if (series->kind != kind || series->key_len != length)
		return false;
	if (length >= sizeof(uint64_t) && last_word(series->key, length) != last_word(key, length))
		return false;
	return memcmp(series->key, key, length) == 0;
}

/* Keys of one kind's living rows behind those that are sorted already. */
static uint32_t sort_new(const struct directory *directory, unsigned kind, struct sort_key *keys)
{
	uint32_t count = 0;
	for (uint32_t i = directory->sorted_count; i < directory->row_count; i++) {
		const struct directory_row *row = &directory->rows[i];
		if (row->record != NULL && (unsigned)row->series.kind == kind)
			keys[count++] = (struct sort_key){ 0, row->series.key, row->series.key_len,
							   i };
	}
	sort_keys(keys, count);
	return count;
}

/* Where rows are going to stand: places in their present order. */
struct order {
	struct directory *directory;
	uint32_t *places;
	uint32_t count;
	uint32_t next; /* of the rows that are sorted already */
};

/* Appends sorted rows up to `end`, without those that are gone. */
static void append_sorted(struct order *order, uint32_t end)
{
	for (; order->next < end; order->next++)
		if (order->directory->rows[order->next].record != NULL)
			order->places[order->count++] = order->next;
}

/* The first of the sorted rows from order->next on that is not below the key. */
static uint32_t seek(const struct order *order, enum astshm_kind kind, const struct sort_key *key)
{
	const struct directory_row *rows = order->directory->rows;
	uint32_t low = order->next, high = order->directory->sorted_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_key(&rows[middle], kind, key->text, key->length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Was the row's series retired since it was parsed? A key may move to another
 * record while this update looks at one after the other: the old one is retired
 * before the new one is live (acquire, in parse_entry), so whoever has seen both
 * sees that now.
 */
static bool is_stale(const struct directory_row *row)
{
	return load_relaxed(&row->record->state) != row->state_word;
}

/* Of two rows with one key: the second takes the place of a stale first, is
 * itself stale, or is bad. */
static void place_twin(struct order *order, uint32_t place)
{
	struct directory *directory = order->directory;
	uint32_t *placed = &order->places[order->count - 1];
	uint32_t left_out = place;
	if (is_stale(&directory->rows[*placed])) {
		left_out = *placed;
		*placed = place;
	} else if (!is_stale(&directory->rows[place])) {
		directory->entries[directory->rows[place].index].bad = true;
	}
	directory->garbage_bytes += directory->rows[left_out].bytes;
}

/* A new row; it may repeat the key of the row that was appended last, or of
 * the sorted one that comes next. */
static void append_new(struct order *order, enum astshm_kind kind, const struct sort_key *key)
{
	struct directory *directory = order->directory;
	append_sorted(order, seek(order, kind, key));
	if (order->next < directory->sorted_count &&
	    directory->rows[order->next].record != NULL &&
	    has_key(&directory->rows[order->next], kind, key->text, key->length))
		append_sorted(order, order->next + 1);
	if (order->count > 0 &&
	    has_key(&directory->rows[order->places[order->count - 1]], kind, key->text,
		    key->length))
		place_twin(order, key->place);
	else
		order->places[order->count++] = key->place;
}

/* Appends the places that order[0, count) leaves out. */
static bool order_rest(uint32_t *order, uint32_t count, uint32_t all)
{
	uint8_t *taken = calloc((size_t)all + 1, 1);
	if (taken == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++)
		taken[order[i]] = 1;
	for (uint32_t i = 0; i < all; i++)
		if (!taken[i])
			order[count++] = i;
	free(taken);
	return true;
}

/* rows[i] becomes what rows[order[i]] was, along the cycles of `order`: a
 * second array of rows would cost more in page faults than in copying. */
static void permute_rows(struct directory_row *rows, uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct directory_row first = rows[i];
		uint32_t at = i;
		while (order[at] != i) {
			uint32_t from = order[at];
			rows[at] = rows[from];
			order[at] = at;
			at = from;
		}
		rows[at] = first;
		order[at] = at;
	}
}

/* Only what is new is sorted: one more series is not worth a sort of all. */
static int sort_rows(struct directory *directory, struct sort_key *keys)
{
	uint32_t all = directory->row_count;
	struct order order = { .directory = directory };
	order.places = malloc(((size_t)all + 1) * sizeof *order.places);
	if (order.places == NULL)
		return -ENOMEM;
	for (unsigned kind = ASTSHM_KIND_COUNTER; kind <= ASTSHM_KIND_DISTRIBUTION; kind++) {
		uint32_t count = sort_new(directory, kind, keys);
		for (uint32_t i = 0; i < count; i++)
			append_new(&order, (enum astshm_kind)kind, &keys[i]);
	}
	append_sorted(&order, directory->sorted_count);
	bool ordered = order.count == all || order_rest(order.places, order.count, all);
	if (ordered) {
		permute_rows(directory->rows, order.places, all);
		directory->row_count = directory->sorted_count = order.count;
	}
	free(order.places);
	return ordered ? 0 : -ENOMEM;
}

/* Which families have live series, and an up-down counter among them. */
static void mark_families(struct directory *directory)
{
	for (uint32_t i = 0; i < directory->family_count; i++)
		directory->families[i].used = directory->families[i].up_down = false;
	for (uint32_t i = 0; i < directory->row_count; i++) {
		struct directory_row *row = &directory->rows[i];
		struct directory_family *family = &directory->families[row->family];
		row->series.monotonic = is_monotonic(row);
		family->used = true;
		family->up_down |= !row->series.monotonic;
	}
}

/* Gives every row its family as it is shown now. */
static int refresh_families(struct directory *directory)
{
	mark_families(directory);
	for (uint32_t i = 0; i < directory->family_count; i++) {
		struct directory_family *family = &directory->families[i];
		if (!family->used)
			continue;
		bool monotonic = family->shown->kind == ASTSHM_KIND_COUNTER && !family->up_down;
		if (family->shown->monotonic != monotonic &&
		    !parse_family_monotonic(directory, i, monotonic))
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < directory->row_count; i++) {
		struct directory_row *row = &directory->rows[i];
		row->series.family = directory->families[row->family].shown;
	}
	return 0;
}

/* Families of one kind; sorted by name, as keys. */
struct run {
	const struct sort_key *next, *end;
};

static int compare_texts(const struct sort_key *a, const struct sort_key *b)
{
	int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* Leaves out families that repeat another, which are bad; returns how many stay. */
static uint32_t drop_twins(struct directory *directory, struct sort_key *keys, uint32_t count)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct directory_family *family = &directory->families[keys[i].place];
		if (kept > 0 && compare_texts(&keys[kept - 1], &keys[i]) == 0) {
			family->bad = true;
			family->listed = false;
		} else {
			keys[kept++] = keys[i];
		}
	}
	return kept;
}

/* The series of such families are bad as well. */
static void drop_unlisted(struct directory *directory)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < directory->row_count; i++) {
		const struct directory_row *row = &directory->rows[i];
		if (directory->families[row->family].listed) {
			directory->rows[kept++] = *row;
			continue;
		}
		directory->entries[row->index].bad = true;
		directory->garbage_bytes += row->bytes;
	}
	directory->row_count = directory->sorted_count = kept;
}

/* Appends the families of a kind's rows, of which *next is the first. Rows
 * are sorted by key, so their families are nearly always sorted by name. */
static struct run list_kind(struct directory *directory, unsigned kind, uint32_t *next,
			    struct sort_key *keys, uint32_t *count)
{
	uint32_t first = *count;
	bool sorted = true, untagged = false; /* the one before */
	for (; *next < directory->row_count; (*next)++) {
		const struct directory_row *row = &directory->rows[*next];
		struct directory_family *family = &directory->families[row->family];
		if ((unsigned)row->series.kind != kind)
			break;
		if (family->listed)
			continue;
		family->listed = true;
		keys[*count] = (struct sort_key){ 0, family->shown->name, family->shown->name_len,
						  row->family };
		/* Rows without tags have their family's name for a key. */
		sorted &= *count == first || (untagged && row->series.tag_count == 0) ||
			  compare_texts(&keys[*count - 1], &keys[*count]) < 0;
		untagged = row->series.tag_count == 0;
		(*count)++;
	}
	if (!sorted) {
		sort_keys(keys + first, *count - first);
		*count = first + drop_twins(directory, keys + first, *count - first);
	}
	return (struct run){ keys + first, keys + *count };
}

/* The least of what the runs have left; of equals that of the earliest run. */
static const struct sort_key *take_least(struct run *runs, unsigned count)
{
	struct run *least = NULL;
	if (count == 1)
		return runs[0].next++;
	for (unsigned i = 0; i < count; i++)
		if (runs[i].next < runs[i].end &&
		    (least == NULL || compare_texts(runs[i].next, least->next) < 0))
			least = &runs[i];
	assert(least); /* asked for as often as list_kind put keys into the runs */
	return least->next++;
}

/* The families of living rows in the order of (name, kind). */
static int list_families(struct directory *directory, struct sort_key *keys)
{
	struct run runs[ASTSHM_KIND_DISTRIBUTION];
	uint32_t count = 0, next = 0, unlisted = 0;
	unsigned kinds = 0; /* that have families */
	for (uint32_t i = 0; i < directory->family_count; i++)
		directory->families[i].listed = false;
	for (unsigned kind = ASTSHM_KIND_COUNTER; kind <= ASTSHM_KIND_DISTRIBUTION; kind++) {
		runs[kinds] = list_kind(directory, kind, &next, keys, &count);
		kinds += runs[kinds].next < runs[kinds].end;
	}
	for (uint32_t i = 0; i < directory->family_count; i++)
		unlisted += directory->families[i].used && !directory->families[i].listed;
	if (unlisted > 0)
		drop_unlisted(directory);
	const struct astshm_family **shown =
		reader_arena_take(directory->names, count * sizeof *shown);
	if (shown == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		shown[i] = directory->families[take_least(runs, kinds)->place].shown;
	directory->garbage_bytes += directory->shown_count * sizeof *shown;
	directory->shown = shown;
	directory->shown_count = count;
	return 0;
}

static void count_bad(struct directory *directory)
{
	directory->bad_records = 0;
	for (uint32_t i = 0; i < directory->entry_count; i++)
		directory->bad_records += directory->entries[i].bad;
	for (uint32_t i = 0; i < directory->family_count; i++)
		directory->bad_records += directory->families[i].bad;
}

static int rebuild(struct directory *directory)
{
	uint32_t most = directory->row_count > directory->family_count ?
				directory->row_count : directory->family_count;
	struct sort_key *keys = malloc(((size_t)most + 1) * sizeof *keys);
	if (keys == NULL)
		return -ENOMEM;
	prefault_heap(keys, most * sizeof *keys);
	int code = sort_rows(directory, keys);
	if (code == 0)
		code = refresh_families(directory);
	if (code == 0)
		code = list_families(directory, keys);
	free(keys);
	count_bad(directory);
	return code;
}

static bool wants_compaction(const struct directory *directory)
{
	return directory->garbage_bytes > COMPACT_BYTES &&
	       directory->garbage_bytes > reader_arena_bytes(directory->names) / 2;
}

/*
 * What there is to read, each loaded with acquire. Series before families: the
 * family of each series that is seen then exists. Both before the changes: if
 * a series is retired and its key made again meanwhile, the new one is not
 * seen without the word that tells of the old one.
 */
struct extent {
	uint32_t series, families;
	uint64_t changes; /* pairs with the release that follows a change */
};

/* Memory for the names of a whole segment, in one piece. */
static void expect_names(const struct directory *directory, const struct extent *extent)
{
	uint64_t names = (uint64_t)extent->families * EXPECTED_FAMILY_BYTES;
	if (extent->series > extent->families) /* then they have tags */
		names += (uint64_t)(extent->series - extent->families) * EXPECTED_TAGS_BYTES;
	if (names > EXPECTED_MOST_BYTES)
		names = EXPECTED_MOST_BYTES;
	reader_arena_reserve(directory->names, names, true);
}

static struct extent load_extent(struct directory *directory, const struct reader_view *view)
{
	const struct astshm_segment_header *header = view_header(view);
	struct extent extent;
	uint64_t bad = 0;
	extent.series = view_table_count(view, &header->series,
					 sizeof(struct astshm_segment_series), &bad);
	extent.families = view_table_count(view, &header->families,
					   sizeof(struct astshm_segment_family), &bad);
	extent.changes = load_acquire(&header->directory_changes);
	directory->bad_extents = bad;
	return extent;
}

int directory_update(struct directory *directory, const struct reader_view *view,
		     uint64_t retiring, bool recheck)
{
	if (directory->names != NULL && wants_compaction(directory))
		directory_clear(directory);
	if (directory->names == NULL)
		directory->names = reader_arena_create();
	if (directory->names == NULL)
		return -ENOMEM;
	/* A change after this raises the word again or is seen anyway. */
	struct extent extent = load_extent(directory, view);
	struct update update = { .directory = directory, .view = view };
	if (directory->entry_count == 0)
		expect_names(directory, &extent);
	update.recheck = recheck || extent.changes != directory->changes ||
			 retiring != directory->retiring ||
			 (directory->bad_records != 0 && view->committed != directory->committed);
	int code = update_families(&update, extent.families);
	if (code == 0)
		code = update_series(&update, extent.series);
	if (code == 0 && update.changed)
		code = rebuild(directory);
	if (code != 0) {
		directory_clear(directory); /* half of it may be known: start over */
		return code;
	}
	directory->changes = extent.changes;
	directory->retiring = retiring;
	directory->committed = view->committed;
	return 0;
}

const struct directory_row *directory_find(const struct directory *directory,
					   enum astshm_kind kind, const char *key,
					   uint32_t length)
{
	uint32_t low = 0, high = directory->row_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare_key(&directory->rows[middle], kind, key, length);
		if (order == 0)
			return &directory->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
