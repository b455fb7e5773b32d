/*
 * POST /upload: a form with files, which lie in the request's own scratch
 * directory and are gone with it.  Replies with what arrived.
 */
#include <bothy.h>

static json_t *
describe(const struct bothy_file *file)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "field", file->name,
	    "name", file->filename, "type", file->type, "bytes",
	    (json_int_t)file->size, "kept", file->path ? "scratch" : "memory");
}

int
bothy_handle(struct bothy_req *req)
{
	json_t *files = json_array(), *fields = json_object();
	const struct bothy_file *file;
	const struct bothy_pair *field;
	size_t i;

	for (i = 0; (file = bothy_file_at(req, i)); i++)
		json_array_append_new(files, describe(file));
	for (i = 0; (field = bothy_form_at(req, i)); i++)
		json_object_set_new(fields, field->name,
		    json_string(field->value));
	if (bothy_failed(req)) {
		json_decref(files);
		json_decref(fields);
		return bothy_refuse(req);
	}
	bothy_log(BOTHY_INFO, "%zu files", json_array_size(files));
	return bothy_json_new(req, 200,
	    json_pack("{s:o, s:o}", "files", files, "fields", fields));
}
