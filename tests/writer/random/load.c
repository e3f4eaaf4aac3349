/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define STRANGERS 32u
#define LATE_BURSTS 12u
#define CROWD_BURSTS 24u

struct load load;

static pthread_key_t late_key;

/* What the handler adds; the signal is raised by the thread that it is for. */
static __thread struct {
	struct astshm_counter counter;
	uint64_t amount;
} in_signal;

static void on_signal(int number)
{
	(void)number;
	astshm_counter_add_signal(in_signal.counter, in_signal.amount);
}

/* --- one record ---------------------------------------------------------- */

static struct astshm_tag tag_of(const struct subject *subject, uint32_t stranger, char text[8])
{
	if (!subject->strangers)
		return (struct astshm_tag){ "k", subject->value };
	snprintf(text, 8, "%u", stranger);
	return (struct astshm_tag){ "k", text };
}

static void record_named(const struct subject *subject, uint32_t place, uint32_t stranger)
{
	char text[8];
	struct astshm_tag tag = tag_of(subject, stranger, text);
	size_t tags = *tag.value ? 1 : 0;
	int64_t amount = palette_amount(subject->action, place);

	switch (subject->action) {
	case ADD:
	case SIGNAL:
		astshm_increment(load.writer, subject->name, (uint64_t)amount, &tag, tags);
		break;
	case SUBTRACT_TOO:
		/* Never the first as an increment: see model.c. */
		if (amount > 0)
			astshm_increment(load.writer, subject->name, (uint64_t)amount, &tag, tags);
		else
			astshm_decrement(load.writer, subject->name, (uint64_t)-amount, &tag, tags);
		break;
	case SET:
		astshm_set(load.writer, subject->name, palette_double(place), &tag, tags);
		break;
	case RAISE:
		astshm_add(load.writer, subject->name, (double)amount, &tag, tags);
		break;
	case TIME:
		astshm_time(load.writer, subject->name, amount, &tag, tags);
		break;
	case OBSERVE:
		astshm_observe(load.writer, subject->name, amount, &tag, tags);
		break;
	}
}

static void record_handle(const struct subject *subject, union handle handle, uint32_t place)
{
	int64_t amount = palette_amount(subject->action, place);

	switch (subject->action) {
	case ADD:
		astshm_counter_add(handle.counter, (uint64_t)amount);
		break;
	case SIGNAL:
		in_signal.counter = handle.counter;
		in_signal.amount = (uint64_t)amount;
		(void)raise(SIGUSR1);
		break;
	case SUBTRACT_TOO:
		if (amount > 0)
			astshm_counter_add(handle.counter, (uint64_t)amount);
		else
			astshm_counter_sub(handle.counter, (uint64_t)-amount);
		break;
	case SET:
		astshm_gauge_set(handle.gauge, palette_double(place));
		break;
	case RAISE:
		astshm_gauge_add(handle.gauge, (double)amount);
		break;
	case TIME:
		astshm_timing_record(handle.timing, amount);
		break;
	case OBSERVE:
		astshm_distribution_record(handle.distribution, amount);
		break;
	}
}

void load_record(const struct subject *subject, union handle handle, uint32_t place,
		 uint32_t stranger)
{
	if (subject->manner == BY_NAME)
		record_named(subject, place, stranger);
	else
		record_handle(subject, handle, place);
}

int load_register(const struct subject *subject, union handle *handle)
{
	struct astshm_tag tag = { "k", subject->value };
	struct astshm_metric metric = {
		.name = subject->name, .tags = &tag, .tag_count = *subject->value ? 1 : 0,
		.flags = subject->action == SUBTRACT_TOO ? ASTSHM_UP_DOWN
			 : subject->action == SIGNAL     ? ASTSHM_SIGNAL_SAFE
							 : 0,
	};

	switch (subject->kind) {
	case ASTSHM_KIND_COUNTER:
		return astshm_counter_register(load.writer, &metric, &handle->counter, NULL);
	case ASTSHM_KIND_GAUGE:
		return astshm_gauge_register(load.writer, &metric, &handle->gauge, NULL);
	case ASTSHM_KIND_TIMING:
		return astshm_timing_register(load.writer, &metric, &handle->timing, NULL);
	case ASTSHM_KIND_DISTRIBUTION:
		return astshm_distribution_register(load.writer, &metric, &handle->distribution,
						    NULL);
	}
	return -EINVAL;
}

/* --- bursts: what a lane does between two looks at the controller -------- */

/* The interval in which the records to come begin, at the earliest. */
static uint32_t interval_before(void)
{
	/* Pairs with the release after an operation: what comes now is after it. */
	return __atomic_load_n(&load.round.sequence, __ATOMIC_ACQUIRE) / 2;
}

/* The interval in which the records just made ended, at the latest. */
static uint32_t interval_after(void)
{
	/* Pairs with the fence before an operation: if this load does not see it
	 * begin, then it sees our records. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (__atomic_load_n(&load.round.sequence, __ATOMIC_ACQUIRE) + 1) / 2;
}

static void note(struct lane *lane, uint32_t subject, uint32_t from, uint32_t to,
		 const uint8_t *places, uint32_t count)
{
	struct span *span = &lane->tally.spans[subject][from][to];

	for (uint32_t i = 0; i < count; i++)
		span->counts[places[i]]++;
	lane->tally.order += count;
	span->last_order = lane->tally.order;
	span->last_place = places[count - 1];
}

static void burst(struct lane *lane, uint32_t number)
{
	const struct subject *subject = &subjects[number];
	union handle handle =
		subject->lane == SHARED ? load.handles[number] : lane->handles[number];
	uint32_t count = 1 + random_below(&lane->random, load.most_per_burst);
	uint8_t places[64];

	for (uint32_t i = 0; i < count; i++)
		places[i] = (uint8_t)random_below(&lane->random, PALETTE);
	uint32_t from = interval_before();
	for (uint32_t i = 0; i < count; i++)
		load_record(subject, handle, places[i], random_below(&lane->random, STRANGERS));
	note(lane, number, from, interval_after(), places, count);
}

static void complain(struct lane *lane, const struct subject *subject, const char *call,
		     int result)
{
	printf("  %s: %s gave %d\n", subject->key, call, result);
	lane->wrong++;
}

static int remove_subject(const struct subject *subject)
{
	return astshm_remove(load.writer, subject->kind, subject->name,
			     &(struct astshm_tag){ "k", subject->value }, 1);
}

/* Another registration, or one less; the last one takes the values along. */
static void change_registration(struct lane *lane, uint32_t number)
{
	const struct subject *subject = &subjects[number];
	uint32_t *held = &lane->tally.registered[number];
	union handle handle;

	if (*held == 0 || (*held == 1 && random_below(&lane->random, 2))) {
		int result = load_register(subject, &handle);
		if (result < 0 ||
		    (*held > 0 && memcmp(&handle, &lane->handles[number], sizeof handle) != 0))
			complain(lane, subject, "register", result);
		lane->handles[number] = handle;
		++*held;
		return;
	}
	int result = remove_subject(subject);
	--*held;
	if (result != (*held == 0))
		complain(lane, subject, "remove", result);
	if (*held == 0)
		tally_forget(&lane->tally, number);
}

static void remove_own(struct lane *lane, uint32_t number)
{
	int result = remove_subject(&subjects[number]);

	if (result != 1 && result != -ENOENT)
		complain(lane, &subjects[number], "remove", result);
	tally_forget(&lane->tally, number);
}

static void one_step(struct lane *lane)
{
	uint32_t number = random_below(&lane->random, subject_count);
	const struct subject *subject = &subjects[number];

	if (random_below(&lane->random, 3) == 0) {
		/* Long enough to meet others there, between two waits. */
		for (uint32_t i = 0; i < CROWD_BURSTS; i++)
			burst(lane, load.crowded);
		return;
	}
	if (subject->lane != SHARED && subject->lane != lane->number)
		number = random_below(&lane->random, subject_count);
	subject = &subjects[number];
	if (subject->lane != SHARED && subject->lane != lane->number)
		return;
	/* Rarely: a removal waits for a grace period. */
	if (subject->manner == REGISTERED &&
	    (lane->tally.registered[number] == 0 || random_below(&lane->random, 30) == 0))
		change_registration(lane, number);
	else if (subject->lane != SHARED && subject->manner == BY_NAME &&
		 random_below(&lane->random, 60) == 0)
		remove_own(lane, number);
	else
		burst(lane, number);
}

/* Of a key made after the library's own: runs when the thread has given its slot
 * back, so what it records is shared with others in the same case. */
static void record_late(void *argument)
{
	struct lane *lane = argument;

	for (uint32_t i = 0; i < LATE_BURSTS; i++)
		burst(lane, subjects[load.crowded].manner == BY_HANDLE ? load.crowded : 0);
}

int load_init(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	if (pthread_key_create(&late_key, record_late) != 0)
		return -ENOMEM;
	return sigaction(SIGUSR1, &action, NULL) < 0 ? -errno : 0;
}

void load_run(struct lane *lane)
{
	if (lane->number >= VETERANS)
		(void)pthread_setspecific(late_key, lane);
	for (; lane->bursts > 0; lane->bursts--)
		one_step(lane);
}
