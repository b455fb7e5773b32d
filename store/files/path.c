/*
 * Names of documents, as path.h describes them: from keys.
 */
#include "path.h"

#include "store/base/hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char SUFFIX[] = ".json";
enum {
	SUFFIX_LEN = sizeof SUFFIX - 1,
	HASH_LEN = HASH_HEX_SIZE - 1
};

/* A name that grows by whole units: a byte that is kept, or one as %XX. */
struct namer {
	char *text;
	size_t n, max;
	size_t cut;		/* where it may be cut, at most PATH_CUT */
	bool over;		/* it would pass `max` */
};

static void name_part(struct namer *w, const struct path_part *part);
static void name_string(struct namer *w, const struct text *s, bool table);
static bool is_device(const struct text *s);
static bool is_kept(unsigned char c, bool first);
static void add_hex(struct namer *w, unsigned char c);
static void add(struct namer *w, const char *p, size_t n);
static int hash_key(const struct path_key *key, char hex[HASH_HEX_SIZE]);
static void hash_part(struct hash *h, const struct path_part *part);
static size_t finish(struct namer *w, const char *hash);

int
path_key_of(const struct table *t, const struct value *item,
    struct path_key *out)
{
	const struct key_schema *k = &t->key;
	const struct value *hash = value_member(item, k->hash[0].name,
	    strlen(k->hash[0].name));
	const struct value *range = NULL;

	if (k->nrange)
		range = value_member(item, k->range[0].name,
		    strlen(k->range[0].name));
	if (!hash || (k->nrange && !range))
		return -1;
	*out = (struct path_key){.hash = {hash->type, hash->text}};
	if (range) {
		out->range = (struct path_part){range->type, range->text};
		out->ranged = true;
	}
	return 0;
}

int
path_name(const struct path_key *key, struct path_name *out)
{
	struct namer w = {.text = out->text, .max = PATH_NAME_MAX - SUFFIX_LEN};
	size_t n;

	if (key->hash.type > VALUE_B ||
	    (key->ranged && key->range.type > VALUE_B)) {
		errno = EINVAL;
		return -1;
	}
	if (hash_key(key, out->hash) == -1)
		return -1;
	name_part(&w, &key->hash);
	if (key->ranged) {
		add(&w, "~", 1);
		name_part(&w, &key->range);
	}
	n = finish(&w, out->hash);
	memcpy(out->text + n, SUFFIX, sizeof SUFFIX);
	out->cut = w.over;
	return 0;
}

int
path_table(const char *table, char out[PATH_NAME_MAX + 1])
{
	struct namer w = {.text = out, .max = PATH_NAME_MAX};
	struct path_key key = {.hash = {VALUE_S, {table, strlen(table)}}};
	char hash[HASH_HEX_SIZE] = "";

	name_string(&w, &key.hash.text, true);
	if (w.over && hash_key(&key, hash) == -1)
		return -1;
	out[finish(&w, hash)] = '\0';
	return 0;
}

size_t
path_write(char *out, const char *dir, unsigned level,
    const struct path_name *name)
{
	const char *h = name->hash;
	int n;

	if (level == 0)
		n = snprintf(out, PATH_MAX_BYTES, "%s/%s", dir, name->text);
	else if (level == 1)
		n = snprintf(out, PATH_MAX_BYTES, "%s/%.2s/%s", dir, h,
		    name->text);
	else
		n = snprintf(out, PATH_MAX_BYTES, "%s/%.2s/%.2s/%s", dir, h,
		    h + 2, name->text);
	return (size_t)n;
}

static void
name_part(struct namer *w, const struct path_part *part)
{
	static const char DIGIT[] = "0123456789abcdef";
	const struct text *t = &part->text;
	size_t i;

	if (part->type == VALUE_S) {
		name_string(w, t, false);
	} else if (part->type == VALUE_N) {
		add(w, "=", 1);
		for (i = 0; i < t->n && !w->over; i++)
			add(w, t->p + i, 1);
	} else {
		add(w, "=x", 2);
		for (i = 0; i < t->n && !w->over; i++) {
			unsigned char c = (unsigned char)t->p[i];

			add(w, (char[]){DIGIT[c >> 4], DIGIT[c & 15]}, 2);
		}
	}
}

/* A table's last byte is encoded if it is a point: Windows drops it. */
static void
name_string(struct namer *w, const struct text *s, bool table)
{
	bool device = is_device(s);
	size_t i;

	if (s->n == 0)
		add(w, "%0", 2);
	for (i = 0; i < s->n && !w->over; i++) {
		unsigned char c = (unsigned char)s->p[i];
		bool last_point = table && c == '.' && i + 1 == s->n;

		if (is_kept(c, i == 0) && !(i == 0 && device) && !last_point)
			add(w, s->p + i, 1);
		else
			add_hex(w, c);
	}
}

static bool
is_device(const struct text *s)
{
	static const char NAMES[][4] = {"con", "prn", "aux", "nul"};
	static const char PORTS[][4] = {"com", "lpt"};
	const char *point = s->n ? memchr(s->p, '.', s->n) : NULL;
	size_t n = point ? (size_t)(point - s->p) : s->n;
	size_t i;

	for (i = 0; n == 3 && i < sizeof NAMES / sizeof *NAMES; i++)
		if (strncasecmp(s->p, NAMES[i], 3) == 0)
			return true;
	for (i = 0; n == 4 && i < sizeof PORTS / sizeof *PORTS; i++)
		if (strncasecmp(s->p, PORTS[i], 3) == 0)
			return s->p[3] >= '0' && s->p[3] <= '9';
	return false;
}

static bool
is_kept(unsigned char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_')
		return true;
	return !first && c != '\0' && strchr("-.@+,=#", c);
}

static void
add_hex(struct namer *w, unsigned char c)
{
	static const char DIGIT[] = "0123456789ABCDEF";

	add(w, (char[]){'%', DIGIT[c >> 4], DIGIT[c & 15]}, 3);
}

static void
add(struct namer *w, const char *p, size_t n)
{
	if (w->over || w->n + n > w->max) {
		w->over = true;
		return;
	}
	memcpy(w->text + w->n, p, n);
	w->n += n;
	if (w->n <= PATH_CUT)
		w->cut = w->n;
}

static int
hash_key(const struct path_key *key, char hex[HASH_HEX_SIZE])
{
	struct hash *h = hash_new();

	if (!h) {
		errno = ENOMEM;
		return -1;
	}
	hash_part(h, &key->hash);
	if (key->ranged)
		hash_part(h, &key->range);
	hash_take_hex(h, hex);
	return 0;
}

static void
hash_part(struct hash *h, const struct path_part *part)
{
	uint32_t n = (uint32_t)part->text.n;
	unsigned char head[5] = {
	    (unsigned char)*value_type_name(part->type),
	    (unsigned char)(n >> 24), (unsigned char)(n >> 16),
	    (unsigned char)(n >> 8), (unsigned char)n};

	hash_add(h, head, sizeof head);
	hash_add(h, part->text.p, part->text.n);
}

/* Cuts a name that is too long, and marks it with the hash: its length. */
static size_t
finish(struct namer *w, const char *hash)
{
	if (!w->over)
		return w->n;
	memcpy(w->text + w->cut, "%-", 2);
	memcpy(w->text + w->cut + 2, hash, HASH_LEN);
	return w->cut + 2 + HASH_LEN;
}
