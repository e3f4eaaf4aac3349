/* SPDX-License-Identifier: MIT */
/*
 * Live events: a table of handlers, the checks before each, and the account of
 * what became of every event. Owned by the event thread.
 */
#ifndef SERVER_EVENTS_H
#define SERVER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_out.h"
#include "metrics.h"
#include "osc.h"

struct ast_server;

/* What a /live/seq envelope held. Strings live as long as the event. */
struct live_event {
	const char *path;
	int32_t sequence;
	double timestamp; /* a float32's value, steps of 128 s: only to be echoed */
	struct astshm_timer queued;
	size_t count;
	const struct osc_value *arguments;
};

/*
 * An event of its own memory, made of an envelope's parts; free with free().
 * NULL: no memory.
 */
struct live_event *live_event_create(const char *path, int32_t sequence, double timestamp,
				     const struct osc_value *arguments, size_t count);

/* What became of an event. Every measured one has exactly one of the first six. */
enum event_result {
	EVENT_PROCESSED,  /* a handler accepted it */
	EVENT_UNHANDLED,  /* no handler knows the path */
	EVENT_FAILED,     /* an argument could not be converted */
	EVENT_INVALID,    /* too few arguments */
	EVENT_NO_TARGET,  /* no such track, device, scene or attribute */
	EVENT_NO_AST,     /* nothing is loaded yet */
	EVENT_UNMEASURED, /* cursor events */
};

#define EVENT_ARGUMENTS_MAX 8u

/* An argument as sent, and as its letter in event_handler.arguments asked. */
struct event_value {
	const struct osc_value *sent;
	union {
		int64_t integer; /* 'i' */
		double number;   /* 'f' */
		bool truth;      /* 'b' */
		const char *text; /* 's' */
	};
	char number_text[JSON_NUMBER_MAX]; /* where `text` of a number stands */
};

struct event_call {
	const struct live_event *event;
	struct event_value values[EVENT_ARGUMENTS_MAX];
	void *context; /* of the handler */
};

enum event_handler_flags {
	EVENT_PREFIX = 1,  /* path is the beginning of the paths it takes */
	EVENT_SILENT = 2,  /* leaves no trace in the metrics, and needs no tree */
};

/* Strings and context outlive the server. */
struct event_handler {
	const char *group; /* tag of handler.duration */
	const char *path;
	unsigned flags; /* enum event_handler_flags */
	/*
	 * One letter an argument: i integer, f number, b truth, s text, v anything
	 * as it is. Fewer than these are EVENT_INVALID, a failing conversion is
	 * EVENT_FAILED, and neither reaches `apply`; more are passed over.
	 */
	const char *arguments;
	const char *processed_type; /* tag of events.processed.by_type; NULL: path */
	const char *duration_type;  /* tag of event.processing.duration; NULL: path */
	/* Any result but EVENT_UNMEASURED; what EVENT_SILENT ones return is passed over. */
	enum event_result (*apply)(struct ast_server *server, const struct event_call *call);
	void *context;
};

/* A handler with its series. */
struct event_route {
	struct event_handler handler;
	size_t path_length;
	size_t argument_count;
	struct route_metrics metrics;
};

struct event_table {
	struct event_route *routes; /* exact paths and prefixes, in the order they came */
	size_t count;
};

void event_table_fini(struct event_table *table);

/*
 * Adds a handler and registers its series. -EEXIST: the path is taken;
 * -EINVAL: too many arguments, an unknown letter, or a prefix without its two
 * types; -ENOMEM. Not while events are being processed.
 */
int event_table_add(struct event_table *table, struct server_metrics *metrics,
		    const struct event_handler *handler);
/* The handlers of the paths in the protocol. */
int event_table_add_defaults(struct event_table *table, struct server_metrics *metrics);

/* The route of that very path, else that of its longest prefix, else NULL. */
const struct event_route *event_table_find(const struct event_table *table, const char *path);

/*
 * Applies one event and records what became of it. The one way in, for the
 * event thread and for callers without sockets; one thread at a time.
 */
enum event_result process_live_event(struct ast_server *server, const struct live_event *event);

#endif
