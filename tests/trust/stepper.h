/* SPDX-License-Identifier: MIT */
/*
 * A writer in a process of its own, driven instruction by instruction.
 *
 * It is single-stepped with ptrace(2). What another process can see of it
 * changes only by a store that changes bytes of its segment, or by a system
 * call: the parent compares the bytes after each instruction and stops at
 * both. A step between two stops leaves the same bytes, names and locks as the
 * stop before it, so the stops stand for all instructions.
 */
#ifndef TESTS_TRUST_STEPPER_H
#define TESTS_TRUST_STEPPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Shared by both processes. */
struct stepper_page {
	/* 0: setting up; k: its k-th action is under way. */
	uint32_t stage;
	/* How many stages there will be: the last one has no action. */
	uint32_t stages;
};

enum stepper_reason {
	STEPPER_STORE,   /* the segment's bytes changed */
	STEPPER_CALL,    /* a system call was made */
	STEPPER_ENDED,   /* all actions are done; the process lives on */
	STEPPER_EXITED,  /* it ended by itself: a failure of the actions */
};

struct stepper {
	struct stepper_page *page;
	pid_t pid;
	int exit_status;       /* with STEPPER_EXITED, as from waitpid(2) */
	int fd;                /* of the watched segment, or -1 */
	const uint8_t *bytes;  /* its mapping */
	uint8_t *seen;         /* what the bytes were at the last stop */
	uint64_t size;
	uint64_t instructions; /* stepped so far */
	uint64_t calls;        /* system calls made since the first mark */
};

/* Can this machine single-step and tell a system call? If not, why. */
const char *stepper_missing(void);

/*
 * Forks a process that runs `act(context)`, in which stepper_mark() is called
 * `marks` times: before the first action, between two, and after the last.
 * Returns when it is at its first mark.
 */
void stepper_start(struct stepper *stepper, void (*act)(void *context), void *context,
		   uint32_t marks);

/* In that process: the end of one action and the beginning of the next. */
void stepper_mark(void);

/* Runs to the next mark, without stepping. False: it ended. */
bool stepper_run_to_mark(struct stepper *stepper);

/* Watches the bytes of the segment at `path`; of none with NULL. */
void stepper_watch(struct stepper *stepper, const char *path);

/* Is the file at `path` the watched one, or is there none? */
bool stepper_watches(const struct stepper *stepper, const char *path);

/* Steps to the next stop; to the next system call if nothing is watched. */
enum stepper_reason stepper_next(struct stepper *stepper);

/* Runs, without stepping, until `calls` system calls are made. */
void stepper_run_calls(struct stepper *stepper, uint64_t calls);

/* SIGKILL, and waits until it is gone. */
void stepper_kill(struct stepper *stepper);

#endif
