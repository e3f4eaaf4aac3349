/* SPDX-License-Identifier: MIT */
/*
 * Feeds mutated seeds to a target. An input depends on the seed and its number
 * alone, so that one can be made again by itself: --first N --count 1.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mutate.h"

/* An input that takes longer hangs: most take less than a hundredth of a second. */
#define INPUT_SECONDS 60u

struct settings {
	uint64_t seed;
	uint64_t first;
	uint64_t count;
	const char *corpus; /* folder to put the seeds into; then nothing else is done */
	const char *folder; /* to put the inputs into, instead of feeding them */
	bool dictionary;
};

static const char usage[] =
	"usage: fuzz [--seed N] [--first N] [--count N]\n"
	"       fuzz --write FOLDER [--seed N] [--first N] [--count N]\n"
	"       fuzz --corpus FOLDER    (writes the seeds, for libFuzzer)\n"
	"       fuzz --dictionary       (prints the words, for libFuzzer)\n";

static bool parse(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'n' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "write", required_argument, NULL, 'w' },
		{ "dictionary", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			settings->seed = strtoull(optarg, NULL, 0);
		else if (option == 'f')
			settings->first = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			settings->count = strtoull(optarg, NULL, 0);
		else if (option == 'c')
			settings->corpus = optarg;
		else if (option == 'w')
			settings->folder = optarg;
		else if (option == 'd')
			settings->dictionary = true;
		else
			return false;
	}
	return optind == argc;
}

/* --- files ------------------------------------------------------------ */

static bool write_input(const char *folder, uint64_t number, const char *kind,
			const struct fuzz_input *input)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%" PRIu64 "-%s", folder, number, kind);
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(input->bytes, 1, input->size, file) == input->size;
	if (file && fclose(file) != 0)
		written = false;
	if (!written)
		perror(path);
	return written;
}

/* --- for libFuzzer ---------------------------------------------------- */

static bool write_corpus(const char *folder)
{
	static struct fuzz_input input;
	bool written = true;

	for (size_t i = 0; written && fuzz_target.seed(i, &input); i++) {
		written = write_input(folder, i, "plain", &input);
		if (written && fuzz_target.pack) {
			fuzz_target.pack(&input);
			written = write_input(folder, i, "packed", &input);
		}
	}
	return written;
}

static bool print_dictionary(void)
{
	const char *word;

	for (size_t i = 0; (word = fuzz_target.word(i)); i++) {
		putchar('"');
		for (; *word; word++)
			printf("\\x%02x", (unsigned char)*word);
		puts("\"");
	}
	return fflush(stdout) == 0;
}

/* --- the run ---------------------------------------------------------- */

static size_t count_seeds(void)
{
	static struct fuzz_input input;
	size_t count = 0;

	while (fuzz_target.seed(count, &input))
		count++;
	return count;
}

/* Mostly damage is refused early: what is to get far must stay valid. */
static void change(struct fuzz_input *input, const struct fuzz_input *other,
		   struct fuzz_random *random)
{
	size_t how = fuzz_target.reshape ? fuzz_random_below(random, 4) : 3;
	size_t reshapes = how < 3 ? 1 + fuzz_random_below(random, 8) : 0;

	if (fuzz_target.rigid && how >= 2 && fuzz_random_below(random, 8) > 0) {
		how = 0;
		reshapes = 1;
	}
	for (size_t i = 0; i < reshapes; i++)
		fuzz_target.reshape(input, random);
	if (how >= 2)
		fuzz_mutate(input, other, random);
}

static void make_one(uint64_t seed, uint64_t number, size_t seeds, struct fuzz_input *input)
{
	static struct fuzz_input other;
	struct fuzz_random random = { seed };

	random.state = fuzz_random_next(&random) + number;
	fuzz_target.seed(fuzz_random_below(&random, seeds), input);
	fuzz_target.seed(fuzz_random_below(&random, seeds), &other);
	/* A wrapping that is damaged hides what is inside: it may come last, or never. */
	size_t wrap = fuzz_target.pack ? fuzz_random_below(&random, 4) : 3;
	if (wrap == 0) {
		fuzz_target.pack(input);
		fuzz_mutate(input, &other, &random);
	} else {
		change(input, &other, &random);
	}
	if (wrap == 1)
		fuzz_target.pack(input);
}

/* The output says which thousand it was; --first finds the one. */
static void hang(int number)
{
	static const char text[] = "this input hangs\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	abort();
}

static bool take_one(const struct settings *settings, uint64_t number, size_t seeds)
{
	static struct fuzz_input input;

	make_one(settings->seed, number, seeds, &input);
	if (settings->folder)
		return write_input(settings->folder, number, "input", &input);
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(input.bytes, input.size);
	alarm(0);
	return true;
}

static bool run(const struct settings *settings)
{
	size_t seeds = count_seeds();

	printf("seed %" PRIu64 ", inputs %" PRIu64 " to %" PRIu64 ", of %zu seeds\n",
	       settings->seed, settings->first, settings->first + settings->count - 1, seeds);
	/* Ahead of a crash, for --first: the thousand, and of a thousand each. */
	uint64_t step = settings->count > 1000 ? 1000 : 1;
	signal(SIGALRM, hang);
	for (uint64_t i = 0; i < settings->count; i++) {
		if (i % step == 0) {
			printf("input %" PRIu64 "\n", settings->first + i);
			fflush(stdout);
		}
		if (!take_one(settings, settings->first + i, seeds))
			return false;
	}
	bool whole = settings->folder || fuzz_target.report();
	/* Too few to have seen everything. */
	return whole || settings->count < 1000;
}

int main(int argc, char **argv)
{
	struct settings settings = { .seed = 1, .count = 10000 };
	bool fine;

	if (!parse(argc, argv, &settings)) {
		fputs(usage, stderr);
		return 2;
	}
	if (settings.corpus)
		fine = write_corpus(settings.corpus);
	else if (settings.dictionary)
		fine = print_dictionary();
	else
		fine = run(&settings);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
