/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "outlet.h"

#define FIRST_CAPACITY 64u

void outlet_init(struct outlet *outlet, size_t broadcasts_limit, size_t bytes_limit,
		 outlet_wake_fn *wake, void *context)
{
	*outlet = (struct outlet){ .broadcasts_limit = broadcasts_limit,
				   .bytes_limit = bytes_limit, .wake = wake,
				   .context = context };
	pthread_mutex_init(&outlet->lock, NULL);
}

void outlet_fini(struct outlet *outlet)
{
	outlet_line_fini(&outlet->line);
	pthread_mutex_destroy(&outlet->lock);
}

void outlet_line_clear(struct outlet_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		message_release(line->entries[i].message);
	line->count = 0;
	line->lost = 0;
}

void outlet_line_fini(struct outlet_line *line)
{
	outlet_line_clear(line);
	free(line->entries);
	*line = (struct outlet_line){ 0 };
}

static int reserve(struct outlet_line *line)
{
	if (line->count < line->capacity)
		return 0;
	size_t capacity = line->capacity ? 2 * line->capacity : FIRST_CAPACITY;
	struct outlet_entry *entries = realloc(line->entries, capacity * sizeof *entries);
	if (!entries)
		return -ENOMEM;
	line->entries = entries;
	line->capacity = capacity;
	return 0;
}

/* One message of any size finds room in a line without others. */
static bool has_room(const struct outlet *outlet, size_t bytes)
{
	if (outlet->broadcasts >= outlet->broadcasts_limit)
		return false;
	return outlet->bytes == 0 || (outlet->bytes <= outlet->bytes_limit &&
				      bytes <= outlet->bytes_limit - outlet->bytes);
}

static int append(struct outlet *outlet, enum outlet_kind kind, uint64_t client,
		  struct message *message)
{
	struct outlet_line *line = &outlet->line;

	if (kind == OUTLET_BROADCAST && !has_room(outlet, message->length))
		return -ENOBUFS;
	int result = reserve(line);
	if (result < 0)
		return result;
	line->entries[line->count++] = (struct outlet_entry){ kind, client, message, line->lost };
	line->lost = 0;
	if (kind == OUTLET_BROADCAST) {
		outlet->broadcasts++;
		outlet->bytes += message->length;
	}
	return 0;
}

static int put_locked(struct outlet *outlet, enum outlet_kind kind, uint64_t client,
		      struct message *message)
{
	if (outlet->closed)
		return -EPIPE;
	if (!message && kind == OUTLET_SEND)
		return -ENOMEM;
	bool was_empty = outlet->line.count == 0 && outlet->line.lost == 0;
	int result = !message && kind == OUTLET_BROADCAST ?
		     -ENOMEM : append(outlet, kind, client, message);
	if (result < 0 && kind == OUTLET_BROADCAST)
		outlet->line.lost++;
	if (was_empty && outlet->wake)
		outlet->wake(outlet->context);
	return result;
}

int outlet_put(struct outlet *outlet, enum outlet_kind kind, uint64_t client,
	       struct message *message)
{
	pthread_mutex_lock(&outlet->lock);
	int result = put_locked(outlet, kind, client, message);
	pthread_mutex_unlock(&outlet->lock);
	if (result < 0)
		message_release(message);
	return result;
}

void outlet_close(struct outlet *outlet)
{
	pthread_mutex_lock(&outlet->lock);
	if (!outlet->closed && outlet->wake)
		outlet->wake(outlet->context);
	outlet->closed = true;
	pthread_mutex_unlock(&outlet->lock);
}

bool outlet_take(struct outlet *outlet, struct outlet_line *line)
{
	struct outlet_line empty = *line;

	pthread_mutex_lock(&outlet->lock);
	*line = outlet->line;
	outlet->line = empty;
	outlet->broadcasts = 0;
	outlet->bytes = 0;
	bool open = !outlet->closed;
	pthread_mutex_unlock(&outlet->lock);
	return open;
}
