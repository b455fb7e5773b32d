/*
 * Cgroup slots, as cgroup.h describes them.  Runs in the launcher alone.
 */
#include "cgroup.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_TEXT = 16 * 1024,	/* bytes read of a cgroup file */
	PATH_BYTES = 4096,
	KILL_PASSES = 50,	/* without cgroup.kill */
	EMPTY_TRIES = 100,	/* of 1 ms, until a killed slot is removed */
	TRY_US = 1000
};

/* --- files ----------------------------------------------------------------- */

static int
write_at(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -1;
	rc = io_write_all(fd, text, strlen(text));
	io_close(&fd);
	return rc;
}

/* The file as a string, cut at `size` - 1: its length, or -1. */
static ssize_t
read_at(int dir_fd, const char *name, char *out, size_t size)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t k = 0;
	size_t n = 0;

	if (fd < 0)
		return -1;
	while (n < size - 1 && (k = io_read(fd, out + n, size - 1 - n)) > 0)
		n += (size_t)k;
	io_close(&fd);
	out[n] = 0;
	return k < 0 ? -1 : (ssize_t)n;
}

static bool
is_there(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

/* The number behind `key` at the start of a line; 0 if there is none. */
static uint64_t
value_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *p;

	for (p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (strncmp(p, key, len) == 0 && p[len] == ' ')
			return strtoull(p + len, NULL, 10);
	return 0;
}

/* --- where we are ---------------------------------------------------------- */

/* "0::/user.slice/x" -> "/user.slice/x" in `out`. */
static int
own_path(char *out, size_t size)
{
	char text[FILE_TEXT];
	const char *p;
	int n;

	if (read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof text) < 0)
		return -1;
	p = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!p)
		return -1;
	p += *p == '\n' ? 4 : 3;
	n = snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
	return n < 0 || (size_t)n >= size || strstr(out, "/..") ? -1 : 0;
}

/*
 * Finds the cgroup2 mount in mountinfo lines (proc_pid_mountinfo(5)):
 *   id parent major:minor root mountpoint options [tags] - type source ...
 * and puts mountpoint and path below its root into `out`.
 */
static int
find_directory(FILE *mounts, const char *own, char *out, size_t size)
{
	char line[PATH_BYTES], root[1024], point[1024];
	const char *type;
	size_t len;
	int n;

	while (fgets(line, sizeof line, mounts)) {
		type = strstr(line, " - cgroup2 ");
		if (!type ||
		    sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2)
			continue;
		len = strcmp(root, "/") == 0 ? 0 : strlen(root);
		if (strncmp(own, root, len) != 0)
			continue;
		n = snprintf(out, size, "%s%s", point, own + len);
		return n < 0 || (size_t)n >= size ? -1 : 0;
	}
	return -1;
}

static int
open_parent(struct cgroup *g, char *path, size_t size, struct err *e)
{
	char own[1024];
	FILE *mounts;
	int rc;

	if (own_path(own, sizeof own) < 0)
		return err_set(e, ENOENT,
		    "this process is in no cgroup of a v2 hierarchy");
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return err_sys(e, "cannot open /proc/self/mountinfo");
	rc = find_directory(mounts, own, path, size);
	fclose(mounts);
	if (rc < 0)
		return err_set(e, ENOENT, "no cgroup v2 hierarchy is mounted");
	g->parent_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->parent_fd < 0)
		return err_sys(e, "cannot open the cgroup %s", path);
	return 0;
}

/* --- making and removing --------------------------------------------------- */

static int
open_directory(int at_fd, const char *name)
{
	if (mkdirat(at_fd, name, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Removes a cgroup whose children have no children; what is in use stays. */
static void
remove_cgroup(int at_fd, const char *name)
{
	int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *de;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		io_close(&fd);
		return;
	}
	while ((de = readdir(d)))
		if (de->d_type == DT_DIR && de->d_name[0] != '.')
			unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	closedir(d);
	unlinkat(at_fd, name, AT_REMOVEDIR);
}

/* What launchers that are gone could not remove. */
static void
remove_stale(const struct cgroup *g)
{
	int fd = dup(g->parent_fd);
	const struct dirent *de;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int pid;

	if (!d) {
		io_close(&fd);
		return;
	}
	rewinddir(d);
	while ((de = readdir(d)))
		if (sscanf(de->d_name, "bothy-%d", &pid) == 1 && pid > 0 &&
		    kill(pid, 0) < 0 && errno == ESRCH)
			remove_cgroup(g->parent_fd, de->d_name);
	closedir(d);
}

/*
 * Asks for the memory and pids controllers.  They can be handed on only by a
 * cgroup without processes, hence main/; a stranger in ours means none.
 */
static void
enable_controllers(struct cgroup *g)
{
	char text[FILE_TEXT];
	int main_fd;

	if (read_at(g->parent_fd, "cgroup.controllers", text, sizeof text) <=
	        0 ||
	    (!strstr(text, "memory") && !strstr(text, "pids")))
		return;
	main_fd = open_directory(g->top_fd, "main");
	if (main_fd < 0)
		return;
	g->in_main = write_at(main_fd, "cgroup.procs", "0") == 0;
	io_close(&main_fd);
	if (!g->in_main)
		return;
	write_at(g->parent_fd, "cgroup.subtree_control", "+memory");
	write_at(g->parent_fd, "cgroup.subtree_control", "+pids");
	g->memory = write_at(g->top_fd, "cgroup.subtree_control", "+memory") ==
	    0;
	g->pids = write_at(g->top_fd, "cgroup.subtree_control", "+pids") == 0;
}

int
cgroup_init(struct cgroup *g, struct err *e)
{
	char path[PATH_BYTES];

	*g = (struct cgroup){.parent_fd = -1, .top_fd = -1};
	if (open_parent(g, path, sizeof path, e) < 0)
		return -1;
	remove_stale(g);
	snprintf(g->name, sizeof g->name, "bothy-%d", (int)getpid());
	g->top_fd = open_directory(g->parent_fd, g->name);
	if (g->top_fd < 0) {
		err_sys(e, "the cgroup %s is not delegated to this user", path);
		goto fail;
	}
	/* To be moved, a process must be in a part that is ours (cgroups(7)). */
	if (faccessat(g->parent_fd, "cgroup.procs", W_OK, AT_EACCESS) < 0) {
		err_sys(e, "cannot move processes in the cgroup %s", path);
		goto fail;
	}
	g->kill = is_there(g->top_fd, "cgroup.kill");
	enable_controllers(g);
	return 0;
fail:
	cgroup_release(g);
	return -1;
}

static void
release_slot(struct cgroup *g, size_t i)
{
	char name[24];
	int tries;

	snprintf(name, sizeof name, "%zu", i);
	cgroup_slot_kill(g, (int)i);
	for (tries = 0; tries < EMPTY_TRIES; tries++) {
		if (unlinkat(g->top_fd, name, AT_REMOVEDIR) == 0)
			break;
		usleep(TRY_US);
	}
	io_close(&g->slots[i].dir_fd);
}

void
cgroup_release(struct cgroup *g)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		release_slot(g, i);
	free(g->slots);
	g->slots = NULL;
	g->count = 0;
	if (g->in_main) {
		write_at(g->top_fd, "cgroup.subtree_control", "-memory -pids");
		write_at(
		    g->parent_fd, "cgroup.subtree_control", "-memory -pids");
		write_at(g->parent_fd, "cgroup.procs", "0");
		g->in_main = false;
	}
	io_close(&g->top_fd);
	if (g->parent_fd >= 0)
		remove_cgroup(g->parent_fd, g->name);
	io_close(&g->parent_fd);
}

/* --- slots ----------------------------------------------------------------- */

static int
add_slot(struct cgroup *g)
{
	struct cgroup_slot *slots;
	char name[24];
	int fd;

	if (g->count == CGROUP_SLOTS_MAX) {
		errno = EMFILE;
		return -1;
	}
	slots = realloc(g->slots, (g->count + 1) * sizeof *slots);
	if (!slots)
		return -1;
	g->slots = slots;
	snprintf(name, sizeof name, "%zu", g->count);
	fd = open_directory(g->top_fd, name);
	if (fd < 0)
		return -1;
	slots[g->count] = (struct cgroup_slot){.dir_fd = fd};
	return (int)g->count++;
}

static int
find_slot(struct cgroup *g)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		if (!g->slots[i].taken && cgroup_slot_empty(g, (int)i))
			return (int)i;
	return add_slot(g);
}

static int
set_limit(int dir_fd, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	return write_at(dir_fd, name, value ? text : "max");
}

/* Limits stay on a slot, so they are written only when they change. */
static int
set_limits(const struct cgroup *g, struct cgroup_slot *s,
    uint64_t memory_bytes, uint32_t processes)
{
	if (g->memory && s->memory_bytes != memory_bytes) {
		if (set_limit(s->dir_fd, "memory.max", memory_bytes) < 0)
			return -1;
		/* One process too large ends the request, not itself alone. */
		write_at(s->dir_fd, "memory.oom.group", "1");
		s->memory_bytes = memory_bytes;
	}
	if (g->pids && s->processes != processes) {
		if (set_limit(s->dir_fd, "pids.max", processes) < 0)
			return -1;
		s->processes = processes;
	}
	return 0;
}

static uint64_t
cpu_of(const struct cgroup_slot *s)
{
	char text[1024];

	if (read_at(s->dir_fd, "cpu.stat", text, sizeof text) < 0)
		return 0;
	return value_of(text, "usage_usec");
}

int
cgroup_slot_take(struct cgroup *g, uint64_t memory_bytes, uint32_t processes)
{
	int i = find_slot(g);

	if (i < 0 || set_limits(g, &g->slots[i], memory_bytes, processes) < 0)
		return -1;
	g->slots[i].taken = true;
	g->slots[i].cpu_base_us = g->memory ? cpu_of(&g->slots[i]) : 0;
	return i;
}

int
cgroup_slot_enter(struct cgroup *g, int slot, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", (int)pid);
	return write_at(g->slots[slot].dir_fd, "cgroup.procs", text);
}

/* Before Linux 5.14: what is frozen can't fork away from the kill. */
static int
kill_each(int dir_fd)
{
	char text[FILE_TEXT];
	char *p, *end;
	int passes = KILL_PASSES;
	long pid;

	write_at(dir_fd, "cgroup.freeze", "1");
	while (passes-- > 0 &&
	    read_at(dir_fd, "cgroup.procs", text, sizeof text) > 0)
		for (p = text; *(end = p + strcspn(p, "\n")); p = end + 1) {
			pid = strtol(p, NULL, 10);
			if (pid > 0)
				kill((pid_t)pid, SIGKILL);
		}
	return write_at(dir_fd, "cgroup.freeze", "0");
}

int
cgroup_slot_kill(struct cgroup *g, int slot)
{
	int dir_fd = g->slots[slot].dir_fd;

	if (g->kill)
		return write_at(dir_fd, "cgroup.kill", "1");
	return kill_each(dir_fd);
}

bool
cgroup_slot_empty(const struct cgroup *g, int slot)
{
	char text[256];

	if (read_at(g->slots[slot].dir_fd, "cgroup.events", text,
	        sizeof text) < 0)
		return false;
	return value_of(text, "populated") == 0;
}

void
cgroup_slot_give(struct cgroup *g, int slot)
{
	cgroup_slot_kill(g, slot);
	g->slots[slot].taken = false;
}

int
cgroup_slot_usage(const struct cgroup *g, int slot, struct usage *u)
{
	const struct cgroup_slot *s = &g->slots[slot];
	char text[FILE_TEXT];

	if (!g->memory) {
		errno = ENOTSUP;
		return -1;
	}
	if (read_at(s->dir_fd, "memory.stat", text, sizeof text) < 0)
		return -1;
	u->memory_bytes = value_of(text, "anon") + value_of(text, "shmem");
	u->cpu_us = cpu_of(s) - s->cpu_base_us;
	u->processes = 1;
	if (g->pids && read_at(s->dir_fd, "pids.current", text, 32) > 0)
		u->processes = (uint32_t)strtoul(text, NULL, 10);
	return 0;
}
