/* SPDX-License-Identifier: MIT */
/*
 * Segments for the tests of shm/: named after the process and the case, with
 * tables filled in, removed with everything that was made of them.
 */
#ifndef TESTS_SHM_FIXTURE_H
#define TESTS_SHM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <segment.h>

#define FIXTURE_FIRST_BYTES 8192u
#define FIXTURE_MAX_BYTES ((uint64_t)4 << 20)

struct fixture {
	char name[64];
	char path[PATH_MAX]; /* /dev/shm/astshm.NAME */
	struct shm_create how;
	struct astshm_error error;
};

/* `name` of a case, usually __func__. */
void fixture_init(struct fixture *fixture, const char *name);
/* Removes the name, NAME~1 to NAME~9, and what lies at them. */
void fixture_fini(struct fixture *fixture);

/* shm_create with empty but valid tables. */
int fixture_create(struct fixture *fixture, struct shm_segment *segment);
/* The same, published. */
int fixture_publish(struct fixture *fixture, struct shm_segment *segment);
/* Leaves a dead writer's segment under the name; its generation. */
uint64_t fixture_leave_dead(struct fixture *fixture);
/* Empty tables, as a writer would make them. */
void fixture_fill_tables(struct astshm_segment_header *header);

/* A child process that holds the segment until fixture_reap. */
struct fixture_holder {
	pid_t pid;
	int stop;
};
void fixture_hold(struct fixture *fixture, struct fixture_holder *holder);
void fixture_reap(struct fixture_holder *holder, int signal);

/* The generation in the header of the file at `path`; 0: no segment there. */
uint64_t fixture_generation_at(const char *path);
/* NAME~K of the fixture's path. */
const char *fixture_numbered(const struct fixture *fixture, unsigned number);

#endif
