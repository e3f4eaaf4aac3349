/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "message.h"
#include "runner.h"
#include "signals.h"

#define GRACE_NS 2000000000 /* between SIGTERM and SIGKILL */
#define POLL_NS 20000000

/* --- starting ------------------------------------------------------------- */

/* What we ignore or block is no business of the command. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t usual, none;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGHUP);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setsigdefault(attributes, &usual);
	posix_spawnattr_setsigmask(attributes, &none);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
						    POSIX_SPAWN_SETSIGDEF |
						    POSIX_SPAWN_SETSIGMASK);
}

/* Stdout is for lines of JSON alone, so what the command says goes to stderr. */
static int set_files(posix_spawn_file_actions_t *actions)
{
	int result = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
						      O_RDONLY, 0);

	return result ? result
		      : posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
}

static int spawn(char *const *words, char *const *environment, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int result = posix_spawn_file_actions_init(&actions);

	if (result != 0)
		return result;
	result = posix_spawnattr_init(&attributes);
	if (result == 0) {
		result = set_files(&actions);
		if (result == 0)
			result = set_attributes(&attributes);
		if (result == 0)
			result = posix_spawnp(pid, words[0], &actions, &attributes, words,
					      environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

static void start(struct runner *runner, struct job *job, enum alert_state state,
		  char **environment)
{
	pid_t pid;
	int result = spawn(runner->words, environment, &pid);

	event_environment_free(&environment);
	job->told = state;
	if (result != 0) {
		message("%s: cannot run %s: %s", job->label, runner->words[0],
			strerror(result));
		return;
	}
	job->pid = pid;
	job->signals = 0;
	job->deadline_ns = monotonic_ns() + runner->timeout_ns;
	runner->running++;
}

static void drop_queued(struct job *job)
{
	event_environment_free(&job->queued);
}

void runner_notify(struct runner *runner, size_t place, const struct rule *rule,
		   enum alert_state state, char **environment)
{
	struct job *job = &runner->jobs[place];

	job->label = rule->label;
	if (!environment) {
		message("%s: no memory to run a command", job->label);
		return;
	}
	drop_queued(job);
	if (job->pid > 0) {
		job->queued = environment;
		job->queued_state = state;
		return;
	}
	start(runner, job, state, environment);
}

/* --- ending --------------------------------------------------------------- */

static void tell_end(const struct runner *runner, const struct job *job,
		     const siginfo_t *info)
{
	if (job->signals > 0)
		message("%s: %s took longer than %g s and was ended", job->label,
			runner->words[0], (double)runner->timeout_ns / 1e9);
	else if (info->si_code != CLD_EXITED)
		message("%s: %s ended by signal %d", job->label, runner->words[0],
			info->si_status);
	else if (info->si_status != 0)
		message("%s: %s exited with %d", job->label, runner->words[0],
			info->si_status);
}

/*
 * Looks before it collects: while the process is a zombie its id is nobody
 * else's, and what is left of its group can be ended with it.
 */
static bool collect(struct runner *runner, struct job *job)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
		if (errno == EINTR)
			return false;
	} else if (info.si_pid == 0) {
		return false;
	} else {
		if (job->signals > 0)
			kill(-job->pid, SIGKILL);
		tell_end(runner, job, &info);
		waitpid(job->pid, NULL, 0);
	}
	job->pid = 0;
	runner->running--;
	return true;
}

static void bound(struct job *job, int64_t now_ns)
{
	if (now_ns < job->deadline_ns)
		return;
	kill(-job->pid, job->signals == 0 ? SIGTERM : SIGKILL);
	job->signals++;
	job->deadline_ns = now_ns + GRACE_NS;
}

/* Gone and come again while the command ran: it knows already. */
static void start_queued(struct runner *runner, struct job *job)
{
	char **environment = job->queued;

	job->queued = NULL;
	if (job->queued_state != job->told)
		start(runner, job, job->queued_state, environment);
	else
		event_environment_free(&environment);
}

void runner_poll(struct runner *runner)
{
	for (size_t i = 0; i < RULES_MAX && runner->running > 0; i++) {
		struct job *job = &runner->jobs[i];

		if (job->pid == 0)
			continue;
		if (!collect(runner, job))
			bound(job, monotonic_ns());
		else if (job->queued)
			start_queued(runner, job);
	}
}

/* The signal that ended the watching must not cut the waiting short. */
static void pause_briefly(void)
{
	struct timespec pause = { 0, POLL_NS };

	nanosleep(&pause, NULL);
}

void runner_finish(struct runner *runner)
{
	for (size_t i = 0; i < RULES_MAX; i++)
		drop_queued(&runner->jobs[i]);
	while (runner->running > 0) {
		runner_poll(runner);
		if (runner->running > 0)
			pause_briefly();
	}
}
