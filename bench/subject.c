/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "operations.h"

const char *bench_form_name(enum bench_form form)
{
	static const char *const names[] = { "back to back", "in turn", "fenced" };

	return names[form];
}

const struct bench_operation *bench_operation(const char *name)
{
	for (size_t i = 0; i < bench_ours_count; i++) {
		if (strcmp(bench_ours[i].name, name) == 0)
			return &bench_ours[i];
	}
	for (size_t i = 0; i < bench_rivals_count; i++) {
		if (strcmp(bench_rivals[i].name, name) == 0)
			return &bench_rivals[i];
	}
	bench_fail("no operation %s", name);
}

struct bench_subject *bench_subject_create(struct bench_scene *scene, const char *label,
					   const struct bench_operation *operation)
{
	struct bench_subject *subject = aligned_alloc(64, sizeof *subject);

	if (!subject)
		bench_fail("no memory for a subject");
	memset(subject, 0, sizeof *subject);
	subject->scene = scene;
	pthread_mutex_init(&subject->lock, NULL);
	for (size_t k = 0; k < BENCH_TURNS; k++)
		snprintf(subject->name[k], sizeof subject->name[k], "requests.%s.%zu", label, k);
	subject->tags[0] = (struct astshm_tag){ "event_type", "/live/track/mute" };
	subject->tags[1] = (struct astshm_tag){ "result", "ok" };
	subject->tags[2] = (struct astshm_tag){ "worker", "3" };
	if (operation->prepare)
		operation->prepare(subject);
	return subject;
}

void bench_subject_free(struct bench_subject *subject)
{
	if (subject->original)
		bench_original_free(subject->original);
	if (subject->pcp)
		bench_pcp_close(subject->pcp);
	free(subject->log_linear);
	free(subject);
}

void bench_subject_check(struct bench_subject *subject, const struct bench_operation *operation,
			 uint64_t iterations)
{
	if (operation->total)
		bench_expect(operation->name, iterations, operation->total(subject));
}
