/*
 * A checked configuration -> the image of snapimage.h.  Runs in the CLI, and
 * in the gateway at start and reload.
 */
#include "snapimage.h"

#include "store/base/buf.h"
#include "store/base/map.h"
#include "store/base/siphash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image that grows. */
struct writer {
	struct buf bytes;
	struct map strings;	/* what is there, in the order of `offsets` */
	uint32_t *offsets;
	size_t offsets_room;
	const struct conf *conf;
	struct snap_image head;	/* put in front at the end */
};

/* --- pieces --------------------------------------------------------------- */

/* Notes where the last string of the map lies. */
static int
note_offset(struct writer *w, uint32_t at)
{
	size_t room = w->offsets_room ? w->offsets_room * 2 : 256;
	uint32_t *offsets = w->offsets;

	if (w->strings.count > w->offsets_room) {
		offsets = realloc(offsets, room * sizeof *offsets);
		if (!offsets)
			return -1;
		w->offsets = offsets;
		w->offsets_room = room;
	}
	offsets[w->strings.count - 1] = at;
	return 0;
}

/* The offset of a string, stored once; 0 for "" and NULL. */
static uint32_t
put_string(struct writer *w, const char *s, size_t n)
{
	uint32_t at = (uint32_t)w->bytes.len;
	const struct map_entry *e;

	if (!s || n == 0 || !buf_ok(&w->bytes))
		return 0;
	e = map_find(&w->strings, s, n);
	if (e)
		return w->offsets[e - w->strings.entries];
	buf_add(&w->bytes, s, n);
	buf_putc(&w->bytes, '\0');
	if (map_set(&w->strings, s, n, NULL, NULL) < 0 ||
	    note_offset(w, at) < 0)
		w->bytes.failed = true;
	return at;
}

static uint32_t
put_text(struct writer *w, const char *s)
{
	return s ? put_string(w, s, strlen(s)) : 0;
}

/* A table of `count` items, on a boundary of 8 bytes. */
static struct snap_list
put_table(struct writer *w, const void *items, size_t count, size_t size)
{
	static const char zeros[8];
	struct snap_list l = {0, (uint32_t)count};

	if (count == 0)
		return l;
	buf_add(&w->bytes, zeros, (8 - w->bytes.len % 8) % 8);
	l.at = (uint32_t)w->bytes.len;
	buf_add(&w->bytes, items, count * size);
	return l;
}

/* Memory for a table on its way; a failure makes the image fail. */
static void *
scratch(struct writer *w, size_t count, size_t size)
{
	void *p = calloc(count + 1, size);

	if (!p)
		w->bytes.failed = true;
	return p;
}

static struct snap_list
put_list(struct writer *w, const struct conf_list *list)
{
	uint32_t *at = scratch(w, list->count, sizeof *at);
	struct snap_list l = {0, 0};
	size_t i;

	if (!at)
		return l;
	for (i = 0; i < list->count; i++)
		at[i] = put_text(w, list->items[i]);
	l = put_table(w, at, list->count, sizeof *at);
	free(at);
	return l;
}

static struct snap_list
put_pairs(struct writer *w, const struct conf_pairs *pairs)
{
	struct snap_pair *out = scratch(w, pairs->count, sizeof *out);
	struct snap_list l = {0, 0};
	size_t i;

	if (!out)
		return l;
	for (i = 0; i < pairs->count; i++)
		out[i] = (struct snap_pair){
			put_text(w, pairs->items[i].name),
			put_text(w, pairs->items[i].value)
		};
	l = put_table(w, out, pairs->count, sizeof *out);
	free(out);
	return l;
}

/* --- the site and its functions ------------------------------------------- */

static void
put_site(struct writer *w)
{
	const struct conf *c = w->conf;

	w->head.site = (struct snap_site){
		.service = put_text(w, c->service),
		.stage = put_text(w, c->stage),
		.directory = put_text(w, c->directory),
		.base_path = put_text(w, c->base_path),
		.aws_path = put_text(w, c->aws_path),
		.confinement_required = c->confinement_required,
		.nothing_yet = c->nothing_yet,
		.trusted_proxies = put_list(w, &c->trusted_proxies),
		.stages = put_pairs(w, &c->stages),
		.cors = {
			.enabled = c->cors.enabled,
			.credentials = c->cors.credentials,
			.max_age_s = c->cors.max_age_s,
			.origins = put_list(w, &c->cors.origins),
			.methods = put_list(w, &c->cors.methods),
			.headers = put_list(w, &c->cors.headers),
			.exposed = put_list(w, &c->cors.exposed),
		},
	};
}

static struct snap_function
make_function(struct writer *w, const struct conf_function *f)
{
	return (struct snap_function){
		.name = put_text(w, f->name),
		.handler = put_text(w, f->handler),
		.binary = put_text(w, f->binary),
		.directory = put_text(w, f->directory),
		.runtime = f->runtime,
		.response = f->response,
		.on_disconnect = f->on_disconnect,
		.network = f->network,
		.link = f->linkage,
		.timeout_ms = f->timeout_ms,
		.idle_timeout_ms = f->idle_timeout_ms,
		.memory_mb = f->memory_mb,
		.reserved_concurrency = f->reserved_concurrency,
		.requests_per_process = f->requests_per_process,
		.warm = f->warm,
		.environment = put_pairs(w, &f->environment),
		.read_paths = put_list(w, &f->read_paths),
		.write_paths = put_list(w, &f->write_paths),
		.grants = put_text(w, f->grants),
	};
}

struct named {
	const char *name;
	uint32_t number;
};

static int
by_name(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

static void
put_functions(struct writer *w)
{
	size_t n = w->conf->nfunctions, i;
	struct snap_function *out = scratch(w, n, sizeof *out);
	struct named *names = scratch(w, n, sizeof *names);
	uint32_t *numbers = scratch(w, n, sizeof *numbers);

	if (!out || !names || !numbers)
		goto out;
	for (i = 0; i < n; i++) {
		out[i] = make_function(w, &w->conf->functions[i]);
		names[i] = (struct named){w->conf->functions[i].name,
		    (uint32_t)i};
	}
	qsort(names, n, sizeof *names, by_name);
	for (i = 0; i < n; i++)
		numbers[i] = names[i].number;
	w->head.functions = put_table(w, out, n, sizeof *out);
	w->head.by_name = put_table(w, numbers, n, sizeof *numbers);
out:
	free(out);
	free(names);
	free(numbers);
}

/* --- routes --------------------------------------------------------------- */

static struct snap_list
put_params(struct writer *w, const struct conf_route *r)
{
	struct snap_param out[SNAP_MAX_PARAMS];
	size_t i;

	for (i = 0; i < r->nparams; i++)
		out[i] = (struct snap_param){
			put_text(w, r->params[i].name),
			put_text(w, r->params[i].variable)
		};
	return put_table(w, out, r->nparams, sizeof out[0]);
}

static void
put_routes(struct writer *w)
{
	size_t n = w->conf->nroutes, i;
	struct snap_route *out = scratch(w, n, sizeof *out);

	if (!out)
		return;
	for (i = 0; i < n; i++) {
		const struct conf_route *r = &w->conf->routes[i];

		out[i] = (struct snap_route){
			.key = put_text(w, r->key),
			.method = r->method,
			.path = put_text(w, r->path),
			.kind = r->kind,
			.function = r->function,
			.params = put_params(w, r),
		};
	}
	w->head.routes = put_table(w, out, n, sizeof *out);
	free(out);
}

static void
put_trie(struct writer *w)
{
	struct snap_trie t;
	struct snap_list edges;
	size_t i;

	if (snaptrie_build(w->conf, &t) < 0) {
		w->bytes.failed = true;
		goto out;
	}
	for (i = 0; i < t.nedges; i++)
		t.edges[i].segment = put_string(w, t.segments[i],
		    t.edges[i].len);
	edges = put_table(w, t.edges, t.nedges, sizeof *t.edges);
	for (i = 0; i < t.nnodes; i++)
		if (t.nodes[i].children.count)
			t.nodes[i].children.at = edges.at +
			    t.nodes[i].children.at *
			    (uint32_t)sizeof *t.edges;
	w->head.nodes = put_table(w, t.nodes, t.nnodes, sizeof *t.nodes);
	w->head.leaves = put_table(w, t.leaves, t.nleaves, sizeof *t.leaves);
	w->head.default_route = t.default_route;
out:
	snaptrie_release(&t);
}

/* --- identity and sources ------------------------------------------------- */

/*
 * The id names what the image says and which binaries it means, but not when
 * deploy.yaml was touched: a file that was only saved again starts nothing
 * anew.
 */
static void
put_id(struct writer *w)
{
	const struct conf *c = w->conf;
	uint64_t id[2] = {0, 0}, head[2];
	size_t i;

	siphash128(0, &w->head, sizeof w->head, head);
	siphash128(head[0], w->bytes.data + sizeof w->head,
	    w->bytes.len - sizeof w->head, id);
	for (i = 0; i < c->nsources; i++) {
		const struct conf_source *source = &c->sources[i];

		if (source->binary)
			siphash128(id[0] ^ id[1], &source->stamp,
			    sizeof source->stamp, id);
	}
	snprintf(w->head.id, sizeof w->head.id, "%016llx%016llx",
	    (unsigned long long)id[0], (unsigned long long)id[1]);
}

static void
put_sources(struct writer *w)
{
	const struct conf *c = w->conf;
	struct snap_source *out = scratch(w, c->nsources, sizeof *out);
	size_t i;

	if (!out)
		return;
	for (i = 0; i < c->nsources; i++) {
		out[i].path = put_text(w, c->sources[i].path);
		out[i].stamp = c->sources[i].stamp;
	}
	w->head.sources = put_table(w, out, c->nsources, sizeof *out);
	free(out);
}

static void
put_tables(struct writer *w)
{
	size_t n = w->conf->ntables, i;
	uint32_t *out = scratch(w, n, sizeof *out);

	if (!out)
		return;
	for (i = 0; i < n; i++)
		out[i] = put_text(w, w->conf->tables[i].json);
	w->head.tables = put_table(w, out, n, sizeof *out);
	free(out);
}

static void
put_all(struct writer *w)
{
	buf_add(&w->bytes, &w->head, sizeof w->head);
	w->head.stage_option = put_text(w, w->conf->made_with.stage);
	w->head.env_file_option = put_text(w, w->conf->made_with.env_file);
	w->head.settings = put_text(w, w->conf->settings);
	w->head.any_file_system = w->conf->any_file_system;
	put_site(w);
	put_functions(w);
	put_tables(w);
	put_routes(w);
	put_trie(w);
	if (!buf_ok(&w->bytes))
		return;
	memcpy(w->head.magic, SNAP_MAGIC, sizeof w->head.magic);
	w->head.layout = SNAP_LAYOUT;
	put_id(w);
	put_sources(w);
	buf_putc(&w->bytes, '\0');
	if (!buf_ok(&w->bytes))
		return;
	w->head.bytes = (uint32_t)w->bytes.len;
	memcpy(w->bytes.data, &w->head, sizeof w->head);
}

struct snapshot *
snapshot_build(const struct conf *c, struct err *e)
{
	struct writer w = {.conf = c};
	struct snapshot *s = NULL;
	union {
		char *bytes;
		const struct snap_image *image;
	} u;

	buf_init(&w.bytes, SNAP_MAX_IMAGE);
	map_init(&w.strings);
	put_all(&w);
	u.bytes = buf_take(&w.bytes);
	s = u.bytes ? malloc(sizeof *s) : NULL;
	if (s) {
		*s = (struct snapshot){u.image, false};
	} else {
		free(u.bytes);
		err_set(e, ENOMEM, "the configuration is too large for a "
		    "snapshot of %d bytes", SNAP_MAX_IMAGE);
	}
	map_release(&w.strings);
	free(w.offsets);
	buf_release(&w.bytes);
	return s;
}
