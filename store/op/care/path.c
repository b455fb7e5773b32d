/*
 * Path: where a document's file lies, and whether it is as it was written.
 */
#include "store/op/past/document.h"

static const char *const STATES[] = {
	[FILES_ABSENT] = "absent",
	[FILES_OURS] = "written",
	[FILES_EDITED] = "edited",
	[FILES_STRANGE] = "strange",
};

static int
write_file(struct op *op, const struct document *d, struct reply *r,
    struct err *e)
{
	struct files_table *t =
	    files_table(store_files(op->store), d->table_name, 0, e);
	char path[PATH_MAX_BYTES + 5];
	enum files_state state;
	struct files_stat st;

	if (!t)
		return -1;
	files_path(t, &d->name, path);
	state = files_check(t, &d->name, &st);
	op_open(op, r);
	reply_string(r, "Directory", store_dir(op->store));
	reply_string(r, "Path", path);
	reply_string(r, "State", STATES[state]);
	if (state == FILES_OURS || state == FILES_EDITED)
		reply_integer(r, "Bytes", st.size);
	return 0;
}

void
op_path(struct op *op, struct store_view *v)
{
	struct document d;
	struct reply r;
	struct err e;
	int rc = op_document(op, &d, &e);

	(void)v;
	if (rc == 0)
		rc = write_file(op, &d, &r, &e);
	op_document_release(&d);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}
