/* SPDX-License-Identifier: MIT */
#include "stepper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WATCHED_MAX_BYTES ((size_t)16 << 20)
/* A process that runs in a circle fails the test instead of hanging it. */
#define INSTRUCTIONS_MAX UINT64_C(50000000)

static struct stepper_page *own_page; /* in the stepped process */

#ifdef __x86_64__
#define SYSCALL_BYTES 0x050fu

/* Is the next instruction a system call? */
static bool at_system_call(pid_t pid)
{
	long at = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), NULL);
	errno = 0;
	long word = ptrace(PTRACE_PEEKTEXT, pid, at, NULL);
	return errno == 0 && ((unsigned long)word & 0xffffu) == SYSCALL_BYTES;
}

const char *stepper_missing(void)
{
	pid_t pid = fork();
	int status = 0;
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return "ptrace(2) is not permitted here";
	return NULL;
}
#else
static bool at_system_call(pid_t pid)
{
	(void)pid;
	return false;
}

const char *stepper_missing(void)
{
	return "system calls are told apart on x86-64 alone";
}
#endif

static void live_traced(struct stepper *stepper, void (*act)(void *context), void *context)
{
	own_page = stepper->page;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(100);
	act(context);
	for (;;)
		pause();
}

/*
 * On one processor the two take turns several times faster than on two. Where that is
 * permitted they go before what else is there: else each of half a million steps may wait
 * until another's slice of 3 ms has ended. (A nice value counts among the processes of one
 * session alone, where the kernel groups by these, and each test is a session.)
 */
static void take_turns_fast(void)
{
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	(void)sched_setaffinity(0, sizeof one, &one);
	(void)sched_setscheduler(0, SCHED_RR, &lowest);
}

void stepper_start(struct stepper *stepper, void (*act)(void *context), void *context,
		   uint32_t marks)
{
	*stepper = (struct stepper){ .fd = -1 };
	stepper->page = mmap(NULL, sizeof *stepper->page, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(stepper->page != MAP_FAILED);
	stepper->page->stages = marks;
	take_turns_fast();
	stepper->pid = fork();
	assert_true(stepper->pid >= 0);
	if (stepper->pid == 0)
		live_traced(stepper, act, context);
	int status;
	assert_int_equal(waitpid(stepper->pid, &status, 0), stepper->pid);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
		fail_msg("the setup ended with status %#x", status);
	/* A test that is killed leaves no stopped process behind. */
	(void)ptrace(PTRACE_SETOPTIONS, stepper->pid, NULL,
		     PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
}

void stepper_mark(void)
{
	own_page->stage++;
	raise(SIGSTOP);
}

/* Resumes it and waits for the next stop. False: it ended. */
static bool resume(struct stepper *stepper, enum __ptrace_request how, int *signal)
{
	int status = 0;
	if (ptrace(how, stepper->pid, NULL, NULL) ||
	    waitpid(stepper->pid, &status, 0) != stepper->pid)
		fail_msg("ptrace: %s", strerror(errno));
	if (!WIFSTOPPED(status)) {
		stepper->exit_status = status;
		stepper->pid = 0;
		return false;
	}
	*signal = WSTOPSIG(status);
	return true;
}

bool stepper_run_to_mark(struct stepper *stepper)
{
	int signal = 0;
	return resume(stepper, PTRACE_CONT, &signal) && signal == SIGSTOP;
}

static void stop_watching(struct stepper *stepper)
{
	if (stepper->fd < 0)
		return;
	munmap((void *)(uintptr_t)stepper->bytes, WATCHED_MAX_BYTES);
	free(stepper->seen);
	close(stepper->fd);
	stepper->fd = -1;
}

static void look(struct stepper *stepper)
{
	struct stat file;
	assert_int_equal(fstat(stepper->fd, &file), 0);
	stepper->size = (uint64_t)file.st_size;
	assert_true(stepper->size <= WATCHED_MAX_BYTES);
	memcpy(stepper->seen, stepper->bytes, stepper->size);
}

void stepper_watch(struct stepper *stepper, const char *path)
{
	stop_watching(stepper);
	if (!path)
		return;
	stepper->fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(stepper->fd >= 0);
	stepper->bytes = mmap(NULL, WATCHED_MAX_BYTES, PROT_READ, MAP_SHARED, stepper->fd, 0);
	stepper->seen = malloc(WATCHED_MAX_BYTES);
	assert_true(stepper->bytes != MAP_FAILED && stepper->seen);
	look(stepper);
}

bool stepper_watches(const struct stepper *stepper, const char *path)
{
	struct stat named, watched;
	if (stat(path, &named))
		return true;
	return stepper->fd >= 0 && fstat(stepper->fd, &watched) == 0 &&
	       named.st_dev == watched.st_dev && named.st_ino == watched.st_ino;
}

/* The file grows by system calls alone, and each of them ends in look(). */
static bool has_stored(struct stepper *stepper)
{
	if (memcmp(stepper->seen, stepper->bytes, stepper->size) == 0)
		return false;
	look(stepper);
	return true;
}

#define SYSCALL_STOP (SIGTRAP | 0x80) /* with PTRACE_O_TRACESYSGOOD */

/* To the end of the next system call, without stepping. False: it ended, or it
 * has come to its last mark. */
static bool finish_call(struct stepper *stepper)
{
	int signal = 0;
	for (int stops = 0; stops < 2; stops += signal == SYSCALL_STOP)
		if (stepper->page->stage >= stepper->page->stages ||
		    !resume(stepper, PTRACE_SYSCALL, &signal))
			return false;
	stepper->calls++;
	return true;
}

/* Nothing is watched: nobody sees what it stores. */
static enum stepper_reason leap(struct stepper *stepper)
{
	if (finish_call(stepper))
		return STEPPER_CALL;
	return stepper->pid ? STEPPER_ENDED : STEPPER_EXITED;
}

enum stepper_reason stepper_next(struct stepper *stepper)
{
	int signal = 0;
	if (stepper->fd < 0)
		return leap(stepper);
	while (stepper->page->stage < stepper->page->stages) {
		bool call = at_system_call(stepper->pid);
		if (stepper->instructions++ > INSTRUCTIONS_MAX)
			fail_msg("more than %lu instructions", (unsigned long)INSTRUCTIONS_MAX);
		if (!resume(stepper, PTRACE_SINGLESTEP, &signal))
			return STEPPER_EXITED;
		if (signal != SIGTRAP && signal != SIGSTOP)
			fail_msg("the writer got %s", strsignal(signal));
		if (call) {
			stepper->calls++;
			look(stepper);
			return STEPPER_CALL;
		}
		if (has_stored(stepper))
			return STEPPER_STORE;
	}
	return STEPPER_ENDED;
}

void stepper_run_calls(struct stepper *stepper, uint64_t calls)
{
	while (stepper->calls < calls)
		if (!finish_call(stepper))
			fail_msg("the writer ended after %lu calls",
				 (unsigned long)stepper->calls);
	if (stepper->fd >= 0)
		look(stepper);
}

void stepper_kill(struct stepper *stepper)
{
	int status;
	if (stepper->pid > 0) {
		kill(stepper->pid, SIGKILL);
		/* A stop that is still to be told of comes first. */
		while (waitpid(stepper->pid, &status, 0) == stepper->pid && WIFSTOPPED(status))
			;
	}
	stop_watching(stepper);
	munmap(stepper->page, sizeof *stepper->page);
	*stepper = (struct stepper){ .fd = -1 };
}
