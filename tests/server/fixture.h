/* SPDX-License-Identifier: MIT */
/* A server without a socket, over a segment whose name holds pid and case. */
#ifndef TEST_SERVER_FIXTURE_H
#define TEST_SERVER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "server.h"

/* A server with metrics; fails the test if it cannot be had. One a case. */
struct ast_server *fixture_create(const char *case_name, size_t queue_capacity);

/* Destroys it, also after a failed case. */
int fixture_teardown(void **state);

/* The untagged counter; -1: there is no such metric. */
int64_t fixture_counter(struct ast_server *server, const char *name);
/*
 * Waits until it has that value: a stop leaves only so much time to what is
 * queued, which a busy machine may not have.
 */
void fixture_await(struct ast_server *server, const char *name, int64_t value);
/* The counter tagged event_type=TYPE; -1 as above. */
int64_t fixture_tagged(struct ast_server *server, const char *name, const char *type);
/* The samples of a timing, untagged if type is NULL; -1 as above. */
int64_t fixture_samples(struct ast_server *server, const char *name, const char *type);
double fixture_gauge(struct ast_server *server, const char *name);

/* The next event that waits; it must be there, and is the caller's to free. */
struct live_event *fixture_pop(struct ast_server *server);

/*
 * Track 0 with two devices, track 1 with none and a clip in its slot 1, return
 * track 2, master 3; scenes 0 to 3.
 */
extern const char fixture_live_set[];
/* Loads it. */
void fixture_load(struct ast_server *server);
/* The path of a file that holds the text, the same each time; gone after teardown. */
const char *fixture_file(const char *text);

/*
 * What was broadcast since the last call, as JSON texts ("null": a message that
 * could not be made); a NULL follows the last. Valid until the next call.
 */
char *const *fixture_heard(void);

/* received = processed + unhandled + errors + ignored.*, to the last event. */
void fixture_check_identity(struct ast_server *server);

#endif
