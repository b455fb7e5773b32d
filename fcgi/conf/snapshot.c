/*
 * Reading a snapshot: map it, check its header and the bounds of its tables,
 * and look things up.  Runs in the gateway, in plain CGI on every request, in
 * the launcher and the CLI; opening costs the same for any size.
 */
#include "snapshot.h"

#include "snapimage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- opening -------------------------------------------------------------- */

/* True if `count` items of `size` bytes lie inside the image, aligned. */
static bool
lies_inside(const struct snap_image *im, struct snap_list l, size_t size,
    size_t align)
{
	return l.count == 0 || (l.at % align == 0 && l.at < im->bytes &&
	    l.count <= (im->bytes - l.at) / size);
}

bool
snapimage_check(const struct snap_image *im, size_t n)
{
	if (n <= sizeof *im || n > SNAP_MAX_IMAGE)
		return false;
	return memcmp(im->magic, SNAP_MAGIC, sizeof im->magic) == 0 &&
	    im->layout == SNAP_LAYOUT && im->bytes == n &&
	    ((const char *)im)[n - 1] == '\0' &&
	    memchr(im->id, '\0', sizeof im->id) == im->id + SNAP_ID_SIZE - 1 &&
	    lies_inside(im, im->functions, sizeof(struct snap_function), 4) &&
	    lies_inside(im, im->by_name, sizeof(uint32_t), 4) &&
	    im->by_name.count == im->functions.count &&
	    lies_inside(im, im->routes, sizeof(struct snap_route), 4) &&
	    lies_inside(im, im->tables, sizeof(uint32_t), 4) &&
	    lies_inside(im, im->nodes, sizeof(struct snap_node), 4) &&
	    im->nodes.count > 0 &&
	    lies_inside(im, im->leaves, sizeof(struct snap_leaf), 4) &&
	    lies_inside(im, im->sources, sizeof(struct snap_source), 8);
}

/* Only we or root may have written it. */
static int
check_file(const char *path, const struct stat *st, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(e, EPERM, "%s belongs to uid %u, not to this "
		    "process's; remove it and run bothy check", path,
		    (unsigned)st->st_uid);
	if (st->st_mode & 022)
		return err_set(e, EPERM, "%s can be written by others; remove "
		    "it and run bothy check", path);
	if (st->st_size <= (off_t)sizeof(struct snap_image) ||
	    st->st_size > SNAP_MAX_IMAGE)
		return err_set(e, EINVAL, "%s is not a snapshot; run bothy "
		    "check", path);
	return 0;
}

static struct snapshot *
map(const char *path, int fd, struct err *e)
{
	struct snapshot *s;
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0) {
		err_sys(e, "cannot look at %s", path);
		return NULL;
	}
	if (check_file(path, &st, e) < 0)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(e, "cannot map %s", path);
		return NULL;
	}
	s = malloc(sizeof *s);
	if (!s || !snapimage_check(p, (size_t)st.st_size)) {
		err_set(e, s ? EINVAL : ENOMEM, "%s is of another version of "
		    "bothy, or damaged; run bothy check", path);
		munmap(p, (size_t)st.st_size);
		free(s);
		return NULL;
	}
	*s = (struct snapshot){p, true};
	return s;
}

struct snapshot *
snapshot_open(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct snapshot *s;

	if (fd < 0) {
		err_sys(e, "cannot open %s", path);
		return NULL;
	}
	s = map(path, fd, e);
	close(fd);
	return s;
}

void
snapshot_free(struct snapshot *s)
{
	union {
		const struct snap_image *image;
		void *p;
	} u;

	if (!s)
		return;
	u.image = s->image;
	if (s->mapped)
		munmap(u.p, s->image->bytes);
	else
		free(u.p);
	free(s);
}

/* --- lookups -------------------------------------------------------------- */

static const void *
item(const struct snapshot *s, struct snap_list l, size_t i, size_t size,
    size_t align)
{
	if (i >= l.count || !lies_inside(s->image, l, size, align))
		return NULL;
	return (const char *)s->image + l.at + i * size;
}

bool
snapshot_fresh(const struct snapshot *s)
{
	const struct snap_source *was;
	struct stamp now;
	size_t i;

	for (i = 0; i < s->image->sources.count; i++) {
		was = item(s, s->image->sources, i, sizeof *was, 8);
		if (!was)
			return false;
		now = stamp_take(snapshot_str(s, was->path));
		if (!stamp_same(&was->stamp, &now))
			return false;
	}
	return true;
}

/* An option that is absent is as good as an empty one. */
static bool
same_option(const struct snapshot *s, uint32_t was, const char *is)
{
	return strcmp(snapshot_str(s, was), is ? is : "") == 0;
}

bool
snapshot_suits(const struct snapshot *s, const struct conf_options *opt)
{
	const struct snap_function *f;
	size_t i;

	if (!same_option(s, s->image->stage_option, opt->stage) ||
	    !same_option(s, s->image->env_file_option, opt->env_file))
		return false;
	for (i = 0; opt->require_builds && i < snapshot_functions(s); i++) {
		f = snapshot_function(s, i);
		if (!f || f->binary == 0)
			return false;
	}
	return true;
}

const char *
snapshot_id(const struct snapshot *s)
{
	return s->image->id;
}

const struct snap_site *
snapshot_site(const struct snapshot *s)
{
	return &s->image->site;
}

size_t
snapshot_functions(const struct snapshot *s)
{
	return s->image->functions.count;
}

const struct snap_function *
snapshot_function(const struct snapshot *s, size_t i)
{
	return item(s, s->image->functions, i, sizeof(struct snap_function),
	    4);
}

size_t
snapshot_tables(const struct snapshot *s)
{
	return s->image->tables.count;
}

const char *
snapshot_table(const struct snapshot *s, size_t i)
{
	return snapshot_item(s, s->image->tables, i);
}

const char *
snapshot_settings(const struct snapshot *s)
{
	return snapshot_str(s, s->image->settings);
}

bool
snapshot_any_file_system(const struct snapshot *s)
{
	return s->image->any_file_system != 0;
}

int
snapshot_find(const struct snapshot *s, const char *name)
{
	size_t low = 0, high = s->image->by_name.count, mid;
	const struct snap_function *f;
	const uint32_t *number;
	int d;

	while (low < high) {
		mid = low + (high - low) / 2;
		number = item(s, s->image->by_name, mid, sizeof *number, 4);
		f = number ? snapshot_function(s, *number) : NULL;
		if (!f)
			return -1;
		d = strcmp(snapshot_str(s, f->name), name);
		if (d == 0)
			return (int)*number;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

size_t
snapshot_routes(const struct snapshot *s)
{
	return s->image->routes.count;
}

const struct snap_route *
snapshot_route(const struct snapshot *s, size_t i)
{
	return item(s, s->image->routes, i, sizeof(struct snap_route), 4);
}

size_t
snapshot_nodes(const struct snapshot *s)
{
	return s->image->nodes.count;
}

const struct snap_node *
snapshot_node(const struct snapshot *s, uint32_t i)
{
	return item(s, s->image->nodes, i, sizeof(struct snap_node), 4);
}

const struct snap_leaf *
snapshot_leaf(const struct snapshot *s, uint32_t i)
{
	if (i == 0)
		return NULL;
	return item(s, s->image->leaves, i, sizeof(struct snap_leaf), 4);
}

uint32_t
snapshot_default(const struct snapshot *s)
{
	return s->image->default_route;
}

const struct snap_edge *
snapshot_edges(const struct snapshot *s, struct snap_list l, size_t *count)
{
	const struct snap_edge *first = item(s, l, 0, sizeof *first, 4);

	*count = first ? l.count : 0;
	return first;
}

const char *
snapshot_str(const struct snapshot *s, uint32_t at)
{
	if (at == 0 || at >= s->image->bytes)
		return "";
	return (const char *)s->image + at;
}

const char *
snapshot_item(const struct snapshot *s, struct snap_list l, size_t i)
{
	const uint32_t *at = item(s, l, i, sizeof *at, 4);

	return at ? snapshot_str(s, *at) : "";
}

const struct snap_pair *
snapshot_pair(const struct snapshot *s, struct snap_list l, size_t i)
{
	return item(s, l, i, sizeof(struct snap_pair), 4);
}

const struct snap_param *
snapshot_param(const struct snapshot *s, struct snap_list l, size_t i)
{
	return item(s, l, i, sizeof(struct snap_param), 4);
}

const char *
snapshot_method_name(uint32_t method)
{
	static const char *const names[SNAP_METHODS] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
		"ANY"
	};

	return method < SNAP_METHODS ? names[method] : "";
}
