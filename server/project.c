/* SPDX-License-Identifier: MIT */
#include "project.h"

void project_init(struct project *project)
{
	*project = (struct project){ .is_playing = { .known = false } };
}

void project_set_playing(struct project *project, bool playing)
{
	project->is_playing = (struct project_flag){ true, playing };
}

void project_set_tempo(struct project *project, double tempo)
{
	project->tempo = (struct project_number){ true, tempo };
}

void project_set_position(struct project *project, double position)
{
	project->position = (struct project_number){ true, position };
}
