/* SPDX-License-Identifier: MIT */
/*
 * What the files of shm/ share among themselves. Functions return 0 or a
 * negative errno value; those that take an error fill it.
 */
#ifndef SHM_INTERNAL_H
#define SHM_INTERNAL_H

#include "segment.h"

#define SHM_FOLDER "/dev/shm"
#define SHM_PREFIX "astshm."
#define SHM_PREFIX_LEN (sizeof SHM_PREFIX - 1)
#define SHM_NAME_MAX 200u /* bytes of NAME: room for prefix and "~K" in 255 */
#define SHM_KEEP_MAX 999u /* NAME~K has at most three digits */

/*
 * Most bytes a segment may claim. Readers map what the header says, so this
 * caps what a stranger can make them map; 1 TiB leaves room for more than a
 * hundred segments in 47 bits of address space.
 */
#define SHM_MAX_BYTES ((uint64_t)1 << 40)

/* --- name.c --- */

/* May readers and writers use this NAME (no '/')? */
bool shm_name_valid(const char *name);
/* The name in the header of a segment to be made at `path`: its last component
 * without the prefix. -EINVAL: not a name a writer may take. */
int shm_name_of_path(const char *path, char name[ASTSHM_SEGMENT_NAME_BYTES],
		     struct astshm_error *error);
/* The folder a path lies in; `folder` has PATH_MAX bytes. */
void shm_folder_of_path(const char *path, char *folder);

/* --- file.c --- */

/* The words of a header that say whose it is. */
struct shm_identity {
	uint32_t pid;
	uint64_t pid_start_ticks;
	uint64_t generation;
};

/* A new file, to be linked to `path`: unnamed, or under a temporary name made
 * of the generation where the file system or a missing /proc wants one. */
int shm_file_create(const char *path, uint64_t generation, int *fd);
int shm_file_set_owner(int fd, mode_t mode, gid_t group);
/* Links it to `path`. -EEXIST: the name is taken. -ENOENT: the folder is gone,
 * or the file had a name and lost it (Linux links no such inode again). */
int shm_file_link(int fd, const char *path, uint64_t generation);
/* Removes the temporary name, if there is one. */
void shm_file_forget(int fd, const char *path, uint64_t generation);
/* Does `path` itself (no link followed) lead to this inode? */
bool shm_file_is_at(const char *path, dev_t device, ino_t inode);
/* -EBADMSG: no segment. Reads, never maps. */
int shm_file_identity(int fd, struct shm_identity *identity);

/* --- lock.c --- */

/* Takes a writer's lock. -EBUSY: another writer has it; -EAGAIN: read locks are in
 * the way, or somebody who retires the file, or the holder is just gone. Never
 * blocks. */
int shm_lock_take(int fd);

/* --- grow.c --- */

/* Allocates the bytes [from, to) of a file. -ENOSPC, -EFBIG, ... */
int shm_file_allocate(int fd, uint64_t from, uint64_t to);
uint64_t shm_round_to_pages(uint64_t bytes);

/* --- map.c --- */

/* Maps `fd` for writing, at `where` if that is not NULL (replacing what is
 * there in one step). Forked children do not get the mapping. */
int shm_map_writable(int fd, void *where, uint64_t bytes, uint8_t **base);

/* --- process.c --- */

/* Field 22 of /proc/PID/stat, pid 0 being this process; 0: unknown. */
uint64_t shm_process_start_ticks(uint32_t pid);
/* The pid that a process has in its own namespace; `pid` itself if unknown. */
uint32_t shm_process_inner_pid(uint32_t pid);

#endif
