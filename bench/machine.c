/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cores.h"
#include "machine.h"

/* The text behind the colon of the first line that begins with `key`. */
static void read_value(const char *path, const char *key, char *value, size_t size)
{
	char line[256];
	FILE *file = fopen(path, "r");

	snprintf(value, size, "unknown");
	if (!file)
		return;
	while (fgets(line, sizeof line, file)) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, key, strlen(key)) != 0 || (key[0] && !colon))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%.*s", (int)size - 1, key[0] ? colon + 2 : line);
		break;
	}
	fclose(file);
}

void bench_machine_look(struct bench_machine *machine)
{
	struct utsname names;
	time_t now = time(NULL);
	struct tm utc;

	memset(machine, 0, sizeof *machine);
	read_value("/proc/cpuinfo", "model name", machine->processor, sizeof machine->processor);
	read_value("/sys/devices/system/clocksource/clocksource0/current_clocksource", "",
		   machine->clock_source, sizeof machine->clock_source);
	if (uname(&names) == 0)
		snprintf(machine->kernel, sizeof machine->kernel, "%s", names.release);
#if defined(__clang__)
	snprintf(machine->compiler, sizeof machine->compiler, "clang %s", __clang_version__);
#else
	snprintf(machine->compiler, sizeof machine->compiler, "gcc %s", __VERSION__);
#endif
	gmtime_r(&now, &utc);
	strftime(machine->date, sizeof machine->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
	machine->cores = bench_core_count();
}
