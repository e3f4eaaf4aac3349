/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "fifo.h"

#define FIRST_CAPACITY 16u

void fifo_init(struct fifo *fifo, size_t count_limit, size_t bytes_limit)
{
	*fifo = (struct fifo){ .count_limit = count_limit, .bytes_limit = bytes_limit };
}

void fifo_fini(struct fifo *fifo)
{
	while (fifo->count > 0)
		fifo_drop_head(fifo);
	free(fifo->items);
	fifo->items = NULL;
	fifo->capacity = 0;
}

static size_t position(const struct fifo *fifo, size_t i)
{
	return (fifo->head + i) & (fifo->capacity - 1);
}

static int grow(struct fifo *fifo)
{
	size_t capacity = fifo->capacity ? 2 * fifo->capacity : FIRST_CAPACITY;
	struct fifo_item *items = calloc(capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < fifo->count; i++)
		items[i] = fifo->items[position(fifo, i)];
	free(fifo->items);
	fifo->items = items;
	fifo->capacity = capacity;
	fifo->head = 0;
	return 0;
}

static int append(struct fifo *fifo, struct message *message, size_t bytes)
{
	int result = fifo->count == fifo->capacity ? grow(fifo) : 0;

	if (result < 0)
		return result;
	fifo->items[position(fifo, fifo->count)] = (struct fifo_item){ message, bytes };
	fifo->count++;
	fifo->bytes += bytes;
	return 0;
}

static bool has_room(const struct fifo *fifo, size_t bytes)
{
	if (fifo->count >= fifo->count_limit)
		return false;
	return fifo->bytes == 0 ||
	       (fifo->bytes <= fifo->bytes_limit && bytes <= fifo->bytes_limit - fifo->bytes);
}

int fifo_put(struct fifo *fifo, struct message *message)
{
	if (!has_room(fifo, message->length))
		return -ENOBUFS;
	return append(fifo, message, message->length);
}

int fifo_put_unlimited(struct fifo *fifo, struct message *message)
{
	return append(fifo, message, 0);
}

struct message *fifo_head(const struct fifo *fifo)
{
	return fifo->count > 0 ? fifo->items[fifo->head].message : NULL;
}

void fifo_drop_head(struct fifo *fifo)
{
	struct fifo_item item = fifo->items[fifo->head];

	fifo->head = position(fifo, 1);
	fifo->count--;
	fifo->bytes -= item.bytes;
	message_release(item.message);
}
