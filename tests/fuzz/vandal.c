/* SPDX-License-Identifier: MIT */
/*
 * A segment is damaged while it is read, as fast as a process can.
 *
 * usage: vandal                    a reader looks on, and must stand it
 *        vandal --only SORT        the same, of one sort of damage
 *        vandal PATH flip|cut|replace      the damage alone, until killed
 *        vandal --seed PATH        writes a sound segment
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <astshm/reader.h>

#include "segment_check.h"
#include "segment_damage.h"
#include "segment_seeds.h"

/* The scene that has all kinds and a history, of a writer that lives. */
#define SEED 14u
#define DAMAGES 40
#define WANTED 60u
#define HANG_SECONDS 240u

/* segment_damage.c is a target's as well, and asks for nothing of this one. */
const struct fuzz_target fuzz_target = { .size_max = FUZZ_INPUT_MAX };

static struct fuzz_input sound;
static uint8_t spoilt[FUZZ_INPUT_MAX];

static void put_file(const char *path, const uint8_t *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	fuzz_expect(file >= 0, "a file");
	fuzz_expect(pwrite(file, bytes, size, 0) == (ssize_t)size, "room in it");
	close(file);
}

/*
 * As a writer does: to readers the file is a living one's. One that comes in its place
 * needs the lock before it has the name.
 */
static void own(const char *path)
{
	static int owned = -1;
	const struct flock first_byte = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int file = open(path, O_RDWR | O_CLOEXEC);

	fuzz_expect(file >= 0 && fcntl(file, F_OFD_SETLK, &first_byte) == 0, "a lock");
	if (owned >= 0)
		close(owned);
	owned = file;
}

/* --- damage -------------------------------------------------------------- */

/* Sound again after a while: else there is soon nothing left to read. */
static void flip(const char *path, struct fuzz_random *random)
{
	static uint8_t *mapping;
	struct segment_image image = { .size = sound.size, .room = sound.size };

	if (!mapping) {
		int file = open(path, O_RDWR | O_CLOEXEC);

		mapping = mmap(NULL, sound.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		fuzz_expect(mapping != MAP_FAILED, "a mapping");
		close(file);
	}
	image.bytes = mapping;
	for (int i = 0; i < DAMAGES; i++)
		segment_damage(&image, random);
	memcpy(mapping, sound.bytes, sound.size);
}

static void cut(const char *path, struct fuzz_random *random)
{
	fuzz_expect(truncate(path, (off_t)fuzz_random_below(random, sound.size)) == 0, "a cut");
	put_file(path, sound.bytes, sound.size);
}

static void replace(const char *path, struct fuzz_random *random)
{
	struct segment_image image = { spoilt, sound.size, sizeof spoilt };
	size_t damages = fuzz_random_below(random, 3);
	char other[300];

	memcpy(spoilt, sound.bytes, sound.size);
	for (size_t i = 0; i < damages; i++)
		segment_damage(&image, random);
	snprintf(other, sizeof other, "%s.new", path);
	unlink(other);
	put_file(other, image.bytes, image.size);
	own(other);
	fuzz_expect(rename(other, path) == 0, "another file under the name");
}

static const struct sort {
	const char *name;
	void (*damage)(const char *path, struct fuzz_random *random);
} sorts[] = { { "flip", flip }, { "cut", cut }, { "replace", replace } };

#define SORTS (sizeof sorts / sizeof sorts[0])

/* Until killed, or until nobody is there to do so. */
static void vandalize(const char *path, const struct sort *sort)
{
	struct fuzz_random random = { 1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	own(path);
	for (;;)
		sort->damage(path, &random);
}

/* --- who looks on ---------------------------------------------------------- */

struct tally {
	unsigned whole, partly, failed;
};

static void mend(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!astshm_reader_handle_sigbus(info->si_addr))
		signal(number, SIG_DFL); /* the instruction runs again, now fatally */
}

static bool is_documented(int code)
{
	return code == -EBADMSG || code == -EPROTONOSUPPORT || code == -ETIMEDOUT;
}

static int look(struct astshm_reader *reader, unsigned flags, struct tally *tally)
{
	struct astshm_snapshot *snapshot = NULL;
	int code = astshm_reader_snapshot(reader, flags, &snapshot, NULL);

	if (code != 0)
		return code;
	check_snapshot(snapshot);
	if (astshm_snapshot_segment(snapshot)->bad_records > 0)
		tally->partly++;
	else
		tally->whole++;
	astshm_snapshot_free(&snapshot);
	return 0;
}

/* Attaches and polls, until a pass fails: a broken reader stays so. */
static void watch(const char *path, struct tally *tally)
{
	struct astshm_reader *reader = NULL;
	int code = astshm_reader_open(&reader, path, NULL, NULL);

	for (int i = 0; code == 0 && i < 20; i++) {
		code = look(reader, i % 2 ? ASTSHM_PER_THREAD : 0, tally);
		(void)astshm_reader_state(reader);
	}
	fuzz_expect(code == 0 || is_documented(code), "a documented error");
	tally->failed += code != 0;
	astshm_reader_close(&reader);
}

static bool has_seen_enough(const struct tally *tally)
{
	return tally->whole + tally->partly >= WANTED && tally->partly + tally->failed >= WANTED;
}

static void try(const struct sort *sort)
{
	struct tally tally = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/dev/shm/fuzz-vandal-%d", (int)getpid());
	put_file(path, sound.bytes, sound.size);
	pid_t vandal = fork();
	fuzz_expect(vandal >= 0, "a process");
	if (vandal == 0)
		vandalize(path, sort);
	while (!has_seen_enough(&tally))
		watch(path, &tally);
	kill(vandal, SIGKILL);
	waitpid(vandal, NULL, 0);
	unlink(path);
	strcat(path, ".new");
	unlink(path);
	printf("ok %s: %u snapshots whole, %u in part, %u errors\n", sort->name, tally.whole,
	       tally.partly, tally.failed);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };

	fuzz_expect(segment_seed(SEED, &sound), "a seed");
	if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
		put_file(argv[2], sound.bytes, sound.size);
		return EXIT_SUCCESS;
	}
	const char *only = argc == 3 ? argv[2] : NULL;
	bool damages = only && strcmp(argv[1], "--only") != 0;
	size_t known = 0;
	alarm(damages ? 0 : HANG_SECONDS); /* what has to happen happens in a second or two */
	sigaction(SIGBUS, &action, NULL);
	for (size_t i = 0; (only || argc == 1) && i < SORTS; i++) {
		if (only && strcmp(only, sorts[i].name) != 0)
			continue;
		known++;
		if (damages)
			vandalize(argv[1], &sorts[i]);
		try(&sorts[i]);
	}
	return known > 0 ? EXIT_SUCCESS : 2;
}
