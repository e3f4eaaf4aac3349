/* SPDX-License-Identifier: MIT */
/* Events in, messages out: what a test sends, and what it expects to hear. */
#ifndef TEST_SERVER_DIALOGUE_H
#define TEST_SERVER_DIALOGUE_H

#include "fixture.h"

/* Arguments. */
#define I(number) { .tag = 'i', .i = (number) }
#define F(number) { .tag = 'f', .f = (number) }
#define S(string) { .tag = 's', .s = (string) }
#define TRUE { .tag = 'T' }
#define FALSE { .tag = 'F' }

/* SEND_AS(number, server, path, arguments...): the result of the event of that number. */
#define SEND_AS(number, server, path, ...)                                             \
	dialogue_send((server), (number), (path),                                      \
		      (const struct osc_value[]){ __VA_ARGS__ },                       \
		      sizeof((const struct osc_value[]){ __VA_ARGS__ }) /              \
			      sizeof(struct osc_value))
#define SEND(server, path, ...) SEND_AS(0, server, path, __VA_ARGS__)
#define SEND_BARE(server, path) dialogue_send((server), 0, (path), NULL, 0)

enum event_result dialogue_send(struct ast_server *server, int32_t number, const char *path,
				const struct osc_value *arguments, size_t count);

/* A server with fixture_live_set loaded, of which nothing was heard yet. */
struct ast_server *dialogue_begin(const char *case_name);

/*
 * JSON, with ' for " outside the printf arguments; the text "*" stands for any
 * text. Numbers are equal if their kinds are.
 */
void expect_json(const char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Since the last time exactly one message was heard, and it is this one. */
void expect_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* None was. */
void expect_silence(void);
/* Exactly one was, and it says that an event of that path failed. */
void expect_failure(const char *path);

#define DIFF(changes, added, removed, modified)                                        \
	"{'type':'DIFF_UPDATE','payload':{'diff':{'changes':[" changes "],'added':["   \
	added "],'removed':[" removed "],'modified':[" modified "],'unchanged':[]}}}"

/* The attributes of the node are these, all of them, whatever their order. */
void expect_attributes(const struct node *node, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The children in order, one word each: "device_0_1", "slot2" and "scene2" (by
 * their index), "mixer_0". Valid until the next call.
 */
const char *dialogue_children(const struct node *node);

/* The id of the scene, or of the slot in that track, which must be there. */
const char *scene_id(struct ast_server *server, int64_t index);
const char *slot_id(struct ast_server *server, int64_t track, int64_t scene);

/* The whole tree as JSON text with hashes; to be freed. */
char *dialogue_tree(struct ast_server *server);

#endif
