/* SPDX-License-Identifier: MIT */
/*
 * Every metric of ast-server, once: X(kind, field, name, unit, help). The
 * handles (struct server_metrics), the registration and the test of the
 * manual's list come from here.
 *
 * SERVER_METRICS are single series with a handle in `field`;
 * SERVER_TAGGED_METRICS are families of tagged series: X(kind, tags, name, ...).
 */
#ifndef SERVER_METRICS_TABLE_H
#define SERVER_METRICS_TABLE_H

#define SERVER_METRICS(X)                                                                  \
	X(counter, udp_received, "udp.packet.received", "packets",                         \
	  "Datagrams that arrived")                                                        \
	X(counter, udp_dropped, "udp.packet.dropped", "packets",                           \
	  "Packets missing in gaps, and events refused by a full queue or a stop")         \
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
	X(counter, events_no_ast, "events.ignored.no_ast", "events",                       \
	  "Events that came before a Live Set was loaded")                                 \
	X(counter, events_invalid, "events.ignored.invalid", "events",                     \
	  "Events with too few arguments")                                                 \
	X(counter, events_no_target, "events.ignored.no_target", "events",                 \
	  "Events for a track, device, scene or attribute that does not exist")            \
	X(counter, events_failed, "errors.event_processing", "events",                     \
	  "Events that failed: arguments that cannot be converted, or no memory")          \
	X(timing, event_duration, "event.processing.duration", "seconds",                  \
	  "Time spent on an event, whatever became of it")                                 \
	X(counter, load_failures, "errors.project_load", "files",                          \
	  "Live Sets that could not be loaded at the start")                               \
	X(counter, reload_failures, "errors.reload", "files",                              \
	  "Changed Live Sets that could not be loaded again")                              \
	X(counter, client_failures, "errors.client_message", "messages",                   \
	  "Messages of clients that were answered with an error or a close")               \
	X(gauge, websocket_clients, "websocket.clients", "clients",                        \
	  "WebSocket clients connected")                                                   \
	X(counter, broadcast_attempt, "websocket.broadcast.attempt", "messages",           \
	  "Messages for all clients")                                                      \
	X(counter, broadcast_success, "websocket.broadcast.success", "messages",           \
	  "Messages for all clients that no client lost")                                  \
	X(counter, broadcast_failure, "websocket.broadcast.failure", "messages",           \
	  "Messages for all clients that could not be made, or that some client lost")     \
	X(distribution, message_size, "websocket.message.size", "bytes",                   \
	  "Sizes of the messages for all clients")                                         \
	X(counter, client_dropped, "websocket.queue.dropped", "messages",                  \
	  "Messages that single clients lost because their queue was full")                \
	X(counter, cache_hit, "cache.hit", "lookups",                                      \
	  "Tracks and scenes found in the cache")                                          \
	X(counter, cache_miss, "cache.miss", "lookups",                                    \
	  "Tracks and scenes looked up in the tree")                                       \
	X(gauge, cache_hit_rate, "cache.hit_rate", "",                                     \
	  "Hits of the cache among all its lookups, 0 to 1")                               \
	X(timing, load_project, "operation.load_project", "seconds",                       \
	  "Time to load a Live Set")                                                       \
	X(timing, find_nodes, "operation.find_nodes", "seconds",                           \
	  "Time to find nodes that a client asked for")                                    \
	X(timing, compute_diff, "operation.compute_diff", "seconds",                       \
	  "Time to compare a reloaded Live Set with the tree")                             \
	X(timing, serialize, "operation.serialize", "seconds",                             \
	  "Time to write a tree or a list of nodes as JSON")

#define SERVER_TAGGED_METRICS(X)                                                           \
	X(counter, event_type, "events.received.by_type", "events",                        \
	  "Events taken from the queue, by path")                                          \
	X(counter, event_type, "events.processed.by_type", "events",                       \
	  "Events that a handler accepted, by path or kind")                               \
	X(counter, event_type, "events.unhandled.by_type", "events",                       \
	  "Events of a path that no handler knows, by path")                               \
	X(counter, event_type, "errors.event_processing.by_type", "events",                \
	  "Events that failed, by path")                                                   \
	X(timing, handler, "handler.duration", "seconds",                                  \
	  "Time spent on an event, by the group of handlers that took it")                 \
	X(gauge, node_type, "ast.nodes", "nodes",                                          \
	  "Nodes of the tree, by type")                                                    \
	X(gauge, version_revision, "astshm.build_info", "",                                \
	  "Always 1; the tags say what was built")

#endif
