/*
 * Names of documents, as path.h describes them: back to keys.
 *
 * What is read is named again, and only what gives the same name is taken, so
 * that no document has two names.
 */
#include "path.h"

#include "store/base/hash.h"
#include "store/value/number.h"

#include <errno.h>
#include <string.h>

enum { HASH_LEN = HASH_HEX_SIZE - 1 };

static bool read_cut(const char *text, size_t n, char hash[HASH_HEX_SIZE]);
static bool read_key(const char *text, size_t n, struct arena *a,
    struct path_key *key);
static bool read_part(const char *p, size_t n, struct arena *a,
    struct path_part *part);
static bool read_number(const char *p, size_t n, struct arena *a,
    struct text *out);
static bool read_hex(const char *p, size_t n, struct arena *a,
    struct text *out);
static bool read_string(const char *p, size_t n, char *out, size_t *len);
static int digit(char c, const char *letters);

enum path_kind
path_decode(const char *text, struct arena *a, struct path_name *name,
    struct path_key *key)
{
	size_t n = strlen(text);

	errno = 0;
	if (n < 6 || n > PATH_NAME_MAX || memcmp(text + n - 5, ".json", 5) != 0)
		return PATH_FOREIGN;
	if (read_cut(text, n - 5, name->hash)) {
		memcpy(name->text, text, n + 1);
		name->cut = true;
		return PATH_IS_CUT;
	}
	if (!read_key(text, n - 5, a, key) || path_name(key, name) == -1 ||
	    strcmp(name->text, text) != 0)
		return PATH_FOREIGN;
	return PATH_WHOLE;
}

enum path_kind
path_table_decode(const char *dir, char table[TABLE_NAME_MAX + 1])
{
	char again[PATH_NAME_MAX + 1], hash[HASH_HEX_SIZE];
	size_t n = strlen(dir), len;

	if (n == 0 || n > PATH_NAME_MAX)
		return PATH_FOREIGN;
	if (read_cut(dir, n, hash))
		return PATH_IS_CUT;
	if (!read_string(dir, n, again, &len) || memchr(again, '\0', len))
		return PATH_FOREIGN;
	memcpy(table, again, len);
	table[len] = '\0';
	if (path_table(table, again) == -1 || strcmp(again, dir) != 0)
		return PATH_FOREIGN;
	return PATH_WHOLE;
}

/* "...%-" and a hash, cut where path_name cuts. */
static bool
read_cut(const char *text, size_t n, char hash[HASH_HEX_SIZE])
{
	size_t kept = n > HASH_LEN + 2 ? n - HASH_LEN - 2 : 0;
	const char *mark = text + kept;
	size_t i;

	if (kept > PATH_CUT || kept < PATH_CUT - 2 || mark[0] != '%' ||
	    mark[1] != '-')
		return false;
	for (i = 0; i < kept; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/')
			return false;
	for (i = 0; i < HASH_LEN; i++)
		if (digit(mark[2 + i], "abcdef") == -1)
			return false;
	memcpy(hash, mark + 2, HASH_LEN);
	hash[HASH_LEN] = '\0';
	return true;
}

static bool
read_key(const char *text, size_t n, struct arena *a, struct path_key *key)
{
	const char *tilde = memchr(text, '~', n);
	size_t first = tilde ? (size_t)(tilde - text) : n;

	*key = (struct path_key){.ranged = tilde != NULL};
	if (!read_part(text, first, a, &key->hash))
		return false;
	return !tilde || read_part(tilde + 1, n - first - 1, a, &key->range);
}

static bool
read_part(const char *p, size_t n, struct arena *a, struct path_part *part)
{
	char *out;

	if (n > 1 && p[0] == '=' && p[1] == 'x') {
		part->type = VALUE_B;
		return read_hex(p + 2, n - 2, a, &part->text);
	}
	if (n > 0 && p[0] == '=') {
		part->type = VALUE_N;
		return read_number(p + 1, n - 1, a, &part->text);
	}
	part->type = VALUE_S;
	out = arena_alloc(a, n + 1);
	if (!out || n == 0)
		return false;
	part->text.p = out;
	return read_string(p, n, out, &part->text.n);
}

static bool
read_number(const char *p, size_t n, struct arena *a, struct text *out)
{
	struct number number;
	struct value v;
	struct err e;

	if (number_read(&number, p, n, &e) == -1 ||
	    number_value(&number, a, &v) == -1)
		return false;
	*out = v.text;
	return true;
}

static bool
read_hex(const char *p, size_t n, struct arena *a, struct text *out)
{
	char *bytes = arena_alloc(a, n / 2 + 1);
	size_t i;

	if (!bytes || n % 2)
		return false;
	for (i = 0; i < n; i += 2) {
		int high = digit(p[i], "abcdef");
		int low = digit(p[i + 1], "abcdef");

		if (high == -1 || low == -1)
			return false;
		bytes[i / 2] = (char)(high << 4 | low);
	}
	*out = (struct text){bytes, n / 2};
	return true;
}

/* `out` has room for `n` bytes. */
static bool
read_string(const char *p, size_t n, char *out, size_t *len)
{
	size_t i;

	*len = 0;
	if (n == 2 && memcmp(p, "%0", 2) == 0)
		return true;
	for (i = 0; i < n; i++) {
		int high, low;

		if (p[i] != '%') {
			out[(*len)++] = p[i];
			continue;
		}
		if (n - i < 3)
			return false;
		high = digit(p[i + 1], "ABCDEF");
		low = digit(p[i + 2], "ABCDEF");
		if (high == -1 || low == -1)
			return false;
		out[(*len)++] = (char)(high << 4 | low);
		i += 2;
	}
	return true;
}

static int
digit(char c, const char *letters)
{
	const char *at;

	if (c >= '0' && c <= '9')
		return c - '0';
	at = c ? strchr(letters, c) : NULL;
	return at ? (int)(at - letters) + 10 : -1;
}
