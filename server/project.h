/* SPDX-License-Identifier: MIT */
/*
 * The project that events act on. It holds the transport alone: no Live Set is
 * loaded, so there are no tracks, devices, clip slots or scenes in it.
 */
#ifndef SERVER_PROJECT_H
#define SERVER_PROJECT_H

#include <stdbool.h>

/* An attribute appears with the first event that sets it. */
struct project_flag {
	bool known;
	bool value;
};

struct project_number {
	bool known;
	double value;
};

/* Written by the event thread alone. */
struct project {
	struct project_flag is_playing;
	struct project_number tempo;    /* beats per minute */
	struct project_number position; /* beats */
};

void project_init(struct project *project);
void project_set_playing(struct project *project, bool playing);
void project_set_tempo(struct project *project, double tempo);
void project_set_position(struct project *project, double position);

#endif
