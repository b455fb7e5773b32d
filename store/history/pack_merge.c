/*
 * The copying of pack_merge.h.  Runs in upkeep, in bounded memory: one index,
 * and the pack read from front to back.
 */
#include "pack_merge.h"

#include "pack_source.h"

static int
copy_entry(struct pack_source *s, size_t at, git_odb *odb,
    struct pack_out *out, struct err *e)
{
	git_odb_object *o;
	git_oid id;
	int type = pack_source_type(s), r;

	pack_source_id(s, at, &id);
	if (type >= GIT_OBJECT_COMMIT && type <= GIT_OBJECT_TAG)
		return pack_out_raw(out, s->entry.data, s->entry.len, &id, e);
	if (git_odb_read(&o, odb, &id))
		return pack_source_broken(s, e);
	r = pack_out_known(out, git_odb_object_type(o),
	    git_odb_object_data(o), git_odb_object_size(o), &id, e);
	git_odb_object_free(o);
	return r;
}

int
pack_copy(int dir_fd, const char *name, git_odb *odb, struct pack_out *out,
    struct err *e)
{
	struct pack_source s;
	size_t i;
	int r = pack_source_open(&s, dir_fd, name, e);

	for (i = 0; i < s.n && !r; i++) {
		r = pack_source_read(&s, i, e);
		if (!r)
			r = copy_entry(&s, i, odb, out, e);
	}
	pack_source_close(&s);
	return r;
}
