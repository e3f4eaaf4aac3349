/* SPDX-License-Identifier: MIT */
/* Recording where the entry of the row is null: switched off, or never touched. */
#ifndef BENCH_RECORD_STATES_H
#define BENCH_RECORD_STATES_H

#include "report.h"
#include "rounds.h"

void bench_record_disabled(struct bench_plan *plan, struct bench_report *report);
void bench_record_first_touch(struct bench_plan *plan, struct bench_report *report);

#endif
