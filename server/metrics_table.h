/* SPDX-License-Identifier: MIT */
/*
 * Every metric of ast-server, once: X(kind, field, name, unit, help). The
 * handles (struct server_metrics), the registration and the test of the
 * manual's list come from here.
 *
 * SERVER_METRICS are single series with a handle in `field`;
 * SERVER_TAGGED_METRICS are the families of series tagged with event_type.
 */
#ifndef SERVER_METRICS_TABLE_H
#define SERVER_METRICS_TABLE_H

#define SERVER_METRICS(X)                                                                  \
	X(counter, udp_received, "udp.packet.received", "packets",                         \
	  "Datagrams that arrived")                                                        \
	X(counter, udp_dropped, "udp.packet.dropped", "packets",                           \
	  "Packets missing in gaps, and events refused by a full queue")                   \
	X(counter, udp_duplicate, "udp.packet.duplicate", "packets",                       \
	  "Datagrams whose sequence number was among the last 100 accepted")               \
	X(counter, udp_late, "udp.packet.late", "packets",                                 \
	  "Datagrams accepted after a higher sequence number")                             \
	X(counter, udp_parse_error, "udp.parse.error", "packets",                          \
	  "Datagrams that are no valid OSC message or envelope")                           \
	X(counter, udp_gap, "udp.sequence.gap", "gaps",                                    \
	  "Gaps seen in the sequence numbers")                                             \
	X(counter, udp_lost, "udp.sequence.lost", "packets",                               \
	  "Sequence numbers left out by gaps, late arrivals not taken back")               \
	X(gauge, udp_sequence, "udp.current_sequence", "",                                 \
	  "Highest sequence number accepted")                                              \
	X(counter, udp_kernel_dropped, "udp.kernel.dropped", "packets",                    \
	  "Datagrams the kernel dropped because the receive buffer was full")              \
	X(gauge, queue_depth, "udp.queue.depth", "events",                                 \
	  "Events waiting between the UDP thread and the event thread")                    \
	X(timing, queue_wait, "event.queue.wait", "seconds",                               \
	  "Time an event waited in the queue")                                             \
	X(counter, events_received, "events.received", "events",                           \
	  "Events taken from the queue, cursor events apart")                              \
	X(counter, events_processed, "events.processed", "events",                         \
	  "Events that a handler accepted")                                                \
	X(counter, events_unhandled, "events.unhandled", "events",                         \
	  "Events of a path that no handler knows")                                        \
	X(counter, events_invalid, "events.ignored.invalid", "events",                     \
	  "Events with too few arguments")                                                 \
	X(counter, events_no_target, "events.ignored.no_target", "events",                 \
	  "Events for a track, device, scene or attribute that does not exist")            \
	X(counter, events_failed, "errors.event_processing", "events",                     \
	  "Events whose arguments could not be converted")                                 \
	X(timing, event_duration, "event.processing.duration", "seconds",                  \
	  "Time spent on an event, whatever became of it")

#define SERVER_TAGGED_METRICS(X)                                                           \
	X(counter, received_by_type, "events.received.by_type", "events",                  \
	  "Events taken from the queue, by path")                                          \
	X(counter, processed_by_type, "events.processed.by_type", "events",                \
	  "Events that a handler accepted, by path or kind")                               \
	X(counter, unhandled_by_type, "events.unhandled.by_type", "events",                \
	  "Events of a path that no handler knows, by path")                               \
	X(counter, failed_by_type, "errors.event_processing.by_type", "events",            \
	  "Events whose arguments could not be converted, by path")

#endif
