/* SPDX-License-Identifier: MIT */
#include <unistd.h>
#include <astshm/writer.h>

int main(int argc, char **argv)
{
	struct astshm_writer *writer;
	struct astshm_timing work;

	if (astshm_writer_open(&writer, argc > 1 ? argv[1] : "demo", NULL, NULL) != 0)
		return 1;
	astshm_timing_register(writer, &(struct astshm_metric){ .name = "work" }, &work, NULL);
	for (int i = 0; i < 600; i++) {
		ASTSHM_TIME_SCOPE(work);
		astshm_increment(writer, "jobs", 1, ASTSHM_TAGS({ "odd", i % 2 ? "yes" : "no" }));
		usleep(100000);
	}
	astshm_writer_close(&writer);
}
