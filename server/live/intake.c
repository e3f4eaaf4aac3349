/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "intake.h"

/* Parts of the envelope: number, timestamp, path; the event's own arguments follow. */
#define ENVELOPE_PARTS 3u

void intake_init(struct intake *intake, struct server_metrics *metrics, struct queue *queue)
{
	memset(intake, 0, sizeof *intake);
	intake->metrics = metrics;
	intake->queue = queue;
	sequence_init(&intake->sequence);
}

static void count_malformed(struct intake *intake, const char *reason)
{
	intake->statistics.parse_errors++;
	astshm_counter_add(intake->metrics->udp_parse_error, 1);
	log_limited(&intake->malformed, LOG_WARNING, "malformed datagram: %s", reason);
}

static void count_refused(struct intake *intake, const char *reason)
{
	intake->statistics.dropped++;
	intake->statistics.refused++;
	astshm_counter_add(intake->metrics->udp_dropped, 1);
	log_limited(&intake->refused, LOG_WARNING, "event dropped: %s", reason);
}

static void count_duplicate(struct intake *intake)
{
	intake->statistics.dropped++;
	intake->statistics.duplicates++;
	astshm_counter_add(intake->metrics->udp_duplicate, 1);
}

static void count_gap(struct intake *intake, uint32_t missing)
{
	intake->statistics.gaps++;
	intake->statistics.lost += missing;
	/* Relaxed: figures on their own, intake_observe orders nothing by them. */
	__atomic_store_n(&intake->seen_lost, intake->statistics.lost, __ATOMIC_RELAXED);
	astshm_counter_add(intake->metrics->udp_gap, 1);
	astshm_counter_add(intake->metrics->udp_lost, missing);
	astshm_counter_add(intake->metrics->udp_dropped, missing);
}

static void count_late(struct intake *intake)
{
	intake->statistics.late++;
	astshm_counter_add(intake->metrics->udp_late, 1);
}

/* False: a duplicate. */
static bool judge_sequence(struct intake *intake, int32_t number,
			   const struct sequence_source *source)
{
	uint32_t missing;

	switch (sequence_accept(&intake->sequence, number, source, &missing)) {
	case SEQUENCE_DUPLICATE:
		count_duplicate(intake);
		return false;
	case SEQUENCE_GAP:
		count_gap(intake, missing);
		break;
	case SEQUENCE_LATE:
		count_late(intake);
		break;
	case SEQUENCE_RESTART:
		log_write(LOG_DEBUG, "the sender started anew at %d", number);
		break;
	case SEQUENCE_FIRST:
	case SEQUENCE_NEXT:
		break;
	}
	astshm_gauge_set(intake->metrics->udp_sequence, intake->sequence.highest);
	return true;
}

static void queue_event(struct intake *intake, const struct osc_message *envelope,
			int32_t number, double timestamp)
{
	struct live_event *event = live_event_create(envelope->values[2].s, number, timestamp,
						     envelope->values + ENVELOPE_PARTS,
						     envelope->count - ENVELOPE_PARTS);

	if (!event) {
		count_refused(intake, "no memory");
		return;
	}
	event->queued = astshm_timer_start();
	if (queue_push(intake->queue, event) < 0) {
		free(event);
		count_refused(intake, "the queue is full");
		return;
	}
	intake->statistics.processed++;
}

static bool is_integer(char tag)
{
	return tag == 'i' || tag == 'T' || tag == 'F';
}

static void take_envelope(struct intake *intake, const struct osc_message *envelope,
			  const struct sequence_source *source)
{
	const struct osc_value *values = envelope->values;

	if (envelope->count < ENVELOPE_PARTS) {
		count_malformed(intake, "an envelope of fewer than 3 arguments");
		return;
	}
	if (!is_integer(values[0].tag) || (values[1].tag != 'i' && values[1].tag != 'f') ||
	    values[2].tag != 's') {
		count_malformed(intake, "an envelope that is not number, timestamp, path");
		return;
	}
	int32_t number = values[0].tag == 'i' ? values[0].i : values[0].tag == 'T';
	double timestamp = values[1].tag == 'i' ? values[1].i : (double)values[1].f;
	if (judge_sequence(intake, number, source))
		queue_event(intake, envelope, number, timestamp);
}

static void take_batch_mark(struct intake *intake, const struct osc_message *message)
{
	if (message->count == 0)
		count_malformed(intake, "a batch without an id");
	else
		intake->statistics.processed++;
}

static void take_message(struct intake *intake, const struct osc_message *message,
			 const struct sequence_source *source)
{
	if (strcmp(message->address, "/live/seq") == 0) {
		take_envelope(intake, message, source);
	} else if (strcmp(message->address, "/live/batch/start") == 0 ||
		   strcmp(message->address, "/live/batch/end") == 0) {
		take_batch_mark(intake, message);
	} else {
		intake->statistics.processed++;
		log_limited(&intake->unknown, LOG_WARNING,
			    "%s came outside an envelope: not applied", message->address);
	}
}

void intake_datagram(struct intake *intake, const void *datagram, size_t size, bool cut,
		     const struct sequence_source *source)
{
	struct osc_message message;
	const char *reason = "more than 4096 bytes";

	intake->statistics.received++;
	/* Relaxed: as in count_gap. */
	__atomic_store_n(&intake->seen_received, intake->statistics.received, __ATOMIC_RELAXED);
	int result = cut ? -EBADMSG : osc_decode(datagram, size, &message, &reason);
	if (result == -ENOMEM) {
		count_refused(intake, "no memory");
	} else if (result < 0) {
		count_malformed(intake, reason);
	} else {
		take_message(intake, &message, source);
		osc_message_fini(&message);
	}
	/* The last, so that who sees it finds what came of the datagram, too. */
	astshm_counter_add(intake->metrics->udp_received, 1);
}

void intake_observe(const struct intake *intake, uint64_t *received, uint64_t *lost)
{
	/* Relaxed: two figures, each true for itself. */
	*received = __atomic_load_n(&intake->seen_received, __ATOMIC_RELAXED);
	*lost = __atomic_load_n(&intake->seen_lost, __ATOMIC_RELAXED);
}

static const char malformed_subject[] = "malformed datagrams";
static const char unknown_subject[] = "messages outside an envelope";
static const char refused_subject[] = "events dropped";

/* Of two times to wait, where negative is never. */
static int sooner(int one_ms, int other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

int intake_tell_withheld(struct intake *intake)
{
	int due_ms = log_withheld(&intake->malformed, LOG_WARNING, malformed_subject);

	due_ms = sooner(due_ms, log_withheld(&intake->unknown, LOG_WARNING, unknown_subject));
	return sooner(due_ms, log_withheld(&intake->refused, LOG_WARNING, refused_subject));
}

void intake_tell_withheld_at_end(struct intake *intake)
{
	log_withheld_at_end(&intake->malformed, LOG_WARNING, malformed_subject);
	log_withheld_at_end(&intake->unknown, LOG_WARNING, unknown_subject);
	log_withheld_at_end(&intake->refused, LOG_WARNING, refused_subject);
}

void intake_kernel_dropped(struct intake *intake, uint32_t count)
{
	intake->statistics.kernel_dropped += count;
	astshm_counter_add(intake->metrics->udp_kernel_dropped, count);
}
