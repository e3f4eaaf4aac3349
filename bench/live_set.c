/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "live_set.h"

#define TRACKS 8
#define SCENES 8

static char path[] = "/tmp/astshm-bench-XXXXXX.xml";

static void remove_file(void)
{
	unlink(path);
}

static void write_set(FILE *file)
{
	fputs("<Ableton><LiveSet><Tracks>", file);
	for (int track = 0; track < TRACKS; track++)
		fprintf(file, "<MidiTrack><Name><EffectiveName Value=\"%d-MIDI\"/></Name>"
			"<DeviceChain><Mixer/><Devices><Eq8/></Devices></DeviceChain></MidiTrack>",
			track + 1);
	fputs("</Tracks><MainTrack/><Scenes>", file);
	for (int scene = 0; scene < SCENES; scene++)
		fprintf(file, "<Scene><Name Value=\"Scene %d\"/></Scene>", scene + 1);
	fputs("</Scenes></LiveSet></Ableton>", file);
}

const char *bench_live_set(void)
{
	static bool made;

	if (made)
		return path;
	int descriptor = mkstemps(path, (int)strlen(".xml"));
	FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	if (!file)
		bench_fail("%s cannot be made", path);
	made = true;
	atexit(remove_file);
	write_set(file);
	if (fclose(file) != 0)
		bench_fail("%s cannot be written", path);
	return path;
}
