/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcp/pmapi.h>
#include <pcp/mmv_stats.h>

#include "../clock.h"
#include "../fail.h"
#include "pcp.h"

#define FILE_NAME "astshm-bench"
#define FILE_PATH "mmv/astshm-bench"
#define CLUSTER 321

/* The folder holds mmv/, where libpcp_mmv maps its file, and a configuration
 * that says so: without one libpcp ends the program. */
struct bench_pcp {
	mmv_registry_t *registry;
	void *mapping;
	pmAtomValue *value;
	char folder[64];
	char names[BENCH_PCP_METRICS][32]; /* the registry keeps the pointers */
};

static void path_in(const struct bench_pcp *pcp, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", pcp->folder, name);
}

static void make_folder(struct bench_pcp *pcp)
{
	char path[128];

	/* tmpfs, as our own segment. */
	strcpy(pcp->folder, "/dev/shm/astshm-bench-XXXXXX");
	if (!mkdtemp(pcp->folder))
		bench_fail("mkdtemp: %s", strerror(errno));
	path_in(pcp, "mmv", path);
	if (mkdir(path, 0700) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	path_in(pcp, "pcp.conf", path);
	FILE *file = fopen(path, "w");
	if (!file || fprintf(file, "PCP_TMP_DIR=%s\n", pcp->folder) < 0 || fclose(file) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	setenv("PCP_CONF", path, 1);
	setenv("PCP_TMP_DIR", pcp->folder, 1);
}

static void remove_folder(const struct bench_pcp *pcp)
{
	static const char *const names[] = { FILE_PATH, "mmv", "pcp.conf", "" };
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_in(pcp, names[i], path);
		(void)remove(path);
	}
}

static void add_metrics(struct bench_pcp *pcp)
{
	pmUnits count = MMV_UNITS(0, 0, 1, 0, 0, PM_COUNT_ONE);

	for (int i = 0; i < (int)BENCH_PCP_METRICS; i++) {
		char *name = pcp->names[i];
		snprintf(name, sizeof pcp->names[i], "requests.%03d", i);
		if (mmv_stats_add_metric(pcp->registry, name, i + 1, MMV_TYPE_U64, MMV_SEM_COUNTER,
					 count, (int)PM_INDOM_NULL, "", "") != 0)
			bench_fail("mmv_stats_add_metric: %s", name);
	}
}

bool bench_pcp_built(void)
{
	return true;
}

struct bench_pcp *bench_pcp_open(void)
{
	struct bench_pcp *pcp = bench_array(1, sizeof *pcp);

	make_folder(pcp);
	pcp->registry = mmv_stats_registry(FILE_NAME, CLUSTER, 0);
	if (!pcp->registry)
		bench_fail("mmv_stats_registry: %s", strerror(errno));
	add_metrics(pcp);
	pcp->mapping = mmv_stats_start(pcp->registry);
	if (!pcp->mapping)
		bench_fail("mmv_stats_start: %s", strerror(errno));
	pcp->value = mmv_lookup_value_desc(pcp->mapping, BENCH_PCP_NAME, NULL);
	if (!pcp->value)
		bench_fail("mmv_lookup_value_desc: " BENCH_PCP_NAME);
	return pcp;
}

void bench_pcp_close(struct bench_pcp *pcp)
{
	mmv_stats_free(pcp->registry);
	remove_folder(pcp);
	free(pcp);
}

void bench_pcp_add(struct bench_pcp *pcp, uint64_t iterations)
{
	for (uint64_t i = 0; i < iterations; i++) {
		mmv_inc(pcp->mapping, pcp->value);
		BENCH_STEP(i);
	}
}

void bench_pcp_add_named(struct bench_pcp *pcp, uint64_t iterations)
{
	for (uint64_t i = 0; i < iterations; i++) {
		mmv_stats_inc(pcp->mapping, BENCH_PCP_NAME, NULL);
		BENCH_STEP(i);
	}
}

uint64_t bench_pcp_read(struct bench_pcp *pcp)
{
	return pcp->value->ull;
}
