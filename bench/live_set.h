/* SPDX-License-Identifier: MIT */
/* A Live Set for ast-server to serve: 8 tracks with a device each, 8 scenes. */
#ifndef BENCH_LIVE_SET_H
#define BENCH_LIVE_SET_H

/* The path of a temporary file, which is removed when the bench ends. */
const char *bench_live_set(void);

#endif
