/*
 * Room, as room.h describes it.
 */
#include "room.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int look(struct room *r, struct err *e);
static int refuse_bytes(const struct room *r, uint64_t need, uint64_t held,
    struct err *e);
static const char *size_text(uint64_t bytes, char out[32]);

void
room_init(struct room *r, int store_fd, const char *where)
{
	*r = (struct room){.fd = store_fd};
	snprintf(r->where, sizeof r->where, "%s", where);
	room_forget(r);
}

void
room_reserve(struct room *r, uint64_t bytes, uint64_t inodes)
{
	r->reserve_bytes = bytes;
	r->reserve_inodes = inodes;
}

int
room_check(struct room *r, uint64_t bytes, uint64_t documents, bool deletes,
    struct err *e)
{
	uint64_t held = deletes ? 0 : r->reserve_bytes;
	uint64_t need = bytes, inodes = 0;

	if (clock_mono_ms() - r->looked_ms >= ROOM_LOOK_MS &&
	    look(r, e) == -1)
		return -1;
	if (!deletes) {
		need += bytes + documents * r->block;
		inodes = documents;
	}
	if (r->free_bytes < held || r->free_bytes - held < need)
		return refuse_bytes(r, need, held, e);
	if (inodes && (r->free_inodes < r->reserve_inodes ||
	    r->free_inodes - r->reserve_inodes < inodes))
		return err_set(e, FAULT_NO_ROOM,
		    "no room at %s: %llu new files are needed and %llu are "
		    "held back, but the file system has inodes for %llu",
		    r->where, (unsigned long long)inodes,
		    (unsigned long long)r->reserve_inodes,
		    (unsigned long long)r->free_inodes);
	r->free_bytes -= need;
	r->free_inodes -= inodes;
	return 0;
}

void
room_forget(struct room *r)
{
	r->looked_ms = clock_mono_ms() - ROOM_LOOK_MS;
}

/* Root may use what a file system keeps for it. */
static int
look(struct room *r, struct err *e)
{
	struct statvfs v;
	bool root = geteuid() == 0;

	while (fstatvfs(r->fd, &v) == -1)
		if (errno != EINTR)
			return err_sys(e, "can't ask for the room at %s",
			    r->where);
	r->block = v.f_bsize;
	r->free_bytes = (uint64_t)(root ? v.f_bfree : v.f_bavail) *
	    v.f_frsize;
	r->free_inodes = v.f_files == 0 ? UINT64_MAX :
	    root ? v.f_ffree : v.f_favail;
	r->looked_ms = clock_mono_ms();
	return 0;
}

static int
refuse_bytes(const struct room *r, uint64_t need, uint64_t held,
    struct err *e)
{
	char a[32], b[32], c[32];

	if (held == 0)
		return err_set(e, FAULT_NO_ROOM,
		    "no room at %s: %s are needed, but the file system has "
		    "%s free", r->where, size_text(need, a),
		    size_text(r->free_bytes, b));
	return err_set(e, FAULT_NO_ROOM,
	    "no room at %s: %s are needed and %s are held back, but the file "
	    "system has %s free", r->where, size_text(need, a),
	    size_text(held, b), size_text(r->free_bytes, c));
}

static const char *
size_text(uint64_t bytes, char out[32])
{
	static const char *const UNITS[] = {"bytes", "KB", "MB", "GB", "TB"};
	double n = (double)bytes;
	size_t i = 0;

	while (n >= 1024 && i + 1 < sizeof UNITS / sizeof *UNITS) {
		n /= 1024;
		i++;
	}
	snprintf(out, 32, "%.*f %s", i ? 1 : 0, n, UNITS[i]);
	return out;
}
