/*
 * libyaml's events -> the tree of node.h, with a stack of open lists and maps
 * in place of recursion.  Runs in the CLI and the gateway when a
 * configuration is loaded; never follows anything outside the text.
 */
#include "yaml.h"

#include "gather.h"
#include "store/base/map.h"
#include "store/base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A list or a map whose end has not come yet. */
struct frame {
	struct gather gather;
	struct node *key;	/* map: waits for its value */
};

struct reader {
	struct zone *zone;
	const char *file;
	struct errlist *errors;
	yaml_parser_t parser;
	struct map anchors;	/* name -> struct node */
	struct frame stack[YAML_MAX_DEPTH];
	size_t depth;
	struct node *root;
	bool bad;		/* an error was added, reading went on */
};

/* --- errors --------------------------------------------------------------- */

static int
fail(struct reader *r, yaml_mark_t at, const char *text)
{
	r->bad = true;
	return errlist_add(r->errors, r->file, (int)at.line + 1,
	    (int)at.column + 1, "%s", text);
}

static int
fail_memory(struct reader *r)
{
	r->bad = true;
	return errlist_add(r->errors, r->file, 0, 0,
	    "needs too much memory; make it smaller");
}

/* What libyaml says, in one line. */
static int
fail_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	yaml_mark_t at = p->problem_mark;
	const char *problem = p->problem ? p->problem : "cannot be read";

	r->bad = true;
	if (p->error == YAML_MEMORY_ERROR)
		return fail_memory(r);
	if (p->error == YAML_READER_ERROR)
		return errlist_add(r->errors, r->file, (int)p->mark.line + 1,
		    (int)p->mark.column + 1, "not YAML: %s (byte %zu)",
		    problem, p->problem_offset);
	if (!p->context)
		return errlist_add(r->errors, r->file, (int)at.line + 1,
		    (int)at.column + 1, "not YAML: %s", problem);
	return errlist_add(r->errors, r->file, (int)at.line + 1,
	    (int)at.column + 1, "not YAML: %s %s that begins in line %d",
	    problem, p->context, (int)p->context_mark.line + 1);
}

/* --- nodes ---------------------------------------------------------------- */

/* Puts a whole node where it belongs: root, list element, key or value. */
static int
place(struct reader *r, struct node *n, yaml_mark_t at)
{
	struct frame *f;

	if (r->depth == 0) {
		r->root = n;
		return 0;
	}
	f = &r->stack[r->depth - 1];
	if (f->gather.node->type == NODE_MAP && !f->key) {
		if (n->type != NODE_SCALAR)
			return fail(r, at, "a key must be a single word");
		f->key = n;
		return 0;
	}
	f->gather.node->weight += n->weight;
	if (f->gather.node->weight > YAML_MAX_WEIGHT)
		return fail(r, at, "this grows to more than 100000 nodes, "
		    "aliases counted as copies");
	if (gather_add(&f->gather, f->key, n) < 0)
		return fail_memory(r);
	f->key = NULL;
	return 0;
}

static struct node *
new_node(struct reader *r, enum node_type type, yaml_mark_t at,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *n = zone_alloc(r->zone, sizeof *n);
	const char *name = (const char *)anchor;

	if (!n) {
		fail_memory(r);
		return NULL;
	}
	n->type = type;
	n->file = r->file;
	n->line = (int)at.line + 1;
	n->col = (int)at.column + 1;
	n->weight = 1;
	if (tag && strcmp((const char *)tag, "!") != 0) {
		r->bad = true;
		errlist_add(r->errors, r->file, n->line, n->col,
		    "tag '%s' is not supported; write the value without it",
		    (const char *)tag);
	}
	if (name && map_set(&r->anchors, name, strlen(name), n, NULL) < 0) {
		fail_memory(r);
		return NULL;
	}
	return n;
}

static int
scalar(struct reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct node *n;

	if (len > YAML_MAX_SCALAR)
		return fail(r, ev->start_mark,
		    "a value of more than 65536 bytes");
	if (memchr(text, '\0', len))
		return fail(r, ev->start_mark, "a value with a NUL byte");
	n = new_node(r, NODE_SCALAR, ev->start_mark, ev->data.scalar.anchor,
	    ev->data.scalar.tag);
	if (!n)
		return -1;
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = zone_strndup(r->zone, text, len);
	if (!n->text)
		return fail_memory(r);
	return place(r, n, ev->start_mark);
}

static int
alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct node *n = map_get(&r->anchors, name);
	size_t i;

	if (!n) {
		r->bad = true;
		return errlist_add(r->errors, r->file,
		    (int)ev->start_mark.line + 1,
		    (int)ev->start_mark.column + 1,
		    "no anchor &%s before this alias", name);
	}
	for (i = 0; i < r->depth; i++)
		if (r->stack[i].gather.node == n)
			return fail(r, ev->start_mark,
			    "an alias inside its own anchor");
	return place(r, n, ev->start_mark);
}

static int
open_node(struct reader *r, enum node_type type, const yaml_event_t *ev,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *n;

	if (r->depth == YAML_MAX_DEPTH)
		return fail(r, ev->start_mark,
		    "lists and maps are nested more than 64 deep");
	n = new_node(r, type, ev->start_mark, anchor, tag);
	if (!n)
		return -1;
	r->stack[r->depth++] = (struct frame){.gather = {.node = n}};
	return 0;
}

static int
close_node(struct reader *r)
{
	struct gather *g = &r->stack[--r->depth].gather;
	struct node *n = g->node;
	yaml_mark_t at = {0, (size_t)n->line - 1, (size_t)n->col - 1};
	size_t errors = r->errors->count + r->errors->dropped;
	int rc = gather_finish(g, r->zone, r->errors);

	gather_release(g);
	if (r->errors->count + r->errors->dropped > errors)
		r->bad = true;
	return rc < 0 ? -1 : place(r, n, at);
}

/* --- the text ------------------------------------------------------------- */

static int
take_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->root)
			return fail(r, ev->start_mark,
			    "a second document; only one is allowed");
		return 0;
	case YAML_SCALAR_EVENT:
		return scalar(r, ev);
	case YAML_ALIAS_EVENT:
		return alias(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(r, NODE_LIST, ev,
		    ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_node(r, NODE_MAP, ev,
		    ev->data.mapping_start.anchor,
		    ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(r);
	default:
		return 0;
	}
}

static void
read_events(struct reader *r)
{
	yaml_event_t ev;
	bool end = false;

	while (!end) {
		if (!yaml_parser_parse(&r->parser, &ev)) {
			fail_syntax(r);
			return;
		}
		end = ev.type == YAML_STREAM_END_EVENT ||
		    take_event(r, &ev) < 0;
		yaml_event_delete(&ev);
	}
	if (!r->bad && !r->root) {
		r->bad = true;
		errlist_add(r->errors, r->file, 1, 1, "the file is empty");
	}
}

/* Says where the first byte is that is no UTF-8. */
static int
check_utf8(const char *file, const char *s, size_t n, struct errlist *errors)
{
	int line = 1, col = 1;
	size_t i, step;

	for (i = 0; i < n; i += step) {
		step = utf8_step(s + i, n - i);
		if (step == 0)
			return errlist_add(errors, file, line, col,
			    "byte 0x%02x is not UTF-8; save the file as UTF-8",
			    (unsigned)(unsigned char)s[i]);
		if (s[i] == '\0')
			return errlist_add(errors, file, line, col,
			    "a NUL byte; save the file as UTF-8");
		col++;
		if (s[i] == '\n') {
			line++;
			col = 1;
		}
	}
	return 0;
}

struct node *
yaml_read(struct zone *a, const char *file, const char *bytes, size_t n,
    struct errlist *errors)
{
	struct reader *r;
	struct node *root;

	if (check_utf8(file, bytes, n, errors) < 0)
		return NULL;
	if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;	/* a byte order mark, as some editors write */
		n -= 3;
	}
	r = calloc(1, sizeof *r);
	if (!r || !yaml_parser_initialize(&r->parser)) {
		free(r);
		errlist_add(errors, file, 0, 0, "no memory to read it");
		return NULL;
	}
	r->zone = a;
	r->file = file;
	r->errors = errors;
	map_init(&r->anchors);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)bytes,
	    n);
	read_events(r);
	while (r->depth)
		gather_release(&r->stack[--r->depth].gather);
	root = r->bad ? NULL : r->root;
	map_release(&r->anchors);
	yaml_parser_delete(&r->parser);
	free(r);
	return root;
}
