/*
 * Where a document lies: names of files and directories, made from keys.
 * Pure text; it looks at no disk.
 *
 *   data/<table>/[<xx>/[<yy>/]]<key>[~<sort key>].json
 *
 *   part   S   its bytes; kept as they are: A-Z a-z 0-9 _ and, not at the
 *              start, - . @ + , = #; every other byte is %XX, upper case
 *          N   = and its normal form
 *          B   =x and its bytes in hex, lower case; "=x" alone if empty
 *          an empty S is %0
 *   xx yy  the first four hex digits of the hash
 *   hash   SHA-256 of type, length (4 bytes, big-endian) and bytes of each
 *          part; of a table, of its name
 *
 * A part that names a device on Windows (con, nul, com1, ...), whole or up to
 * its first point, has its first byte as %XX.  What would be longer than
 * PATH_NAME_MAX with its .json is cut to PATH_CUT bytes, not within a %XX, and
 * ends in %- and its hash in hex; the file itself holds the whole key, as
 * always.  A table's name is encoded as an S, its last byte too if it is a
 * point, and cut likewise.
 *
 * So no name begins with a point or a dash, is one that git keeps for itself
 * (.git, GIT~1) or a shell takes for an option, and every name can be checked
 * out anywhere.  Only letters keep their case: two keys that differ in nothing
 * else need a file system that tells them apart, as Linux's do.
 */
#ifndef FILES_PATH_H
#define FILES_PATH_H

#include "store/table/table.h"
#include "store/value/value.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	PATH_NAME_MAX = 255,	/* bytes of a name: Linux's NAME_MAX */
	PATH_CUT = 180,		/* bytes that a cut name keeps of its key */
	PATH_LEVEL_MAX = 2,	/* directories between table and document */
	PATH_MAX_BYTES = 2 * PATH_NAME_MAX + 8	/* table/xx/yy/name and '\0' */
};

/* Of a table's own file, beside its documents. */
#define PATH_TABLE_FILE ".table.json"

struct path_part {
	enum value_type type;	/* VALUE_S, VALUE_N or VALUE_B */
	struct text text;	/* borrowed */
};

struct path_key {
	struct path_part hash, range;
	bool ranged;		/* there is a sort key */
};

struct path_name {
	char text[PATH_NAME_MAX + 1];	/* with .json */
	char hash[65];			/* of the whole key, in hex */
	bool cut;
};

/* The key of an item, or of a Key, of the table; borrows.  0, -1 if none. */
int path_key_of(const struct table *t, const struct value *item,
    struct path_key *out);

/* 0; or -1 with errno: ENOMEM, or EINVAL for a part of another type. */
int path_name(const struct path_key *key, struct path_name *out);
int path_table(const char *table, char out[PATH_NAME_MAX + 1]);

/*
 * "<table>/[xx/[yy/]]name" into PATH_MAX_BYTES, its length; `dir` is a name
 * that path_table made, `level` the number of directories.
 */
size_t path_write(char *out, const char *dir, unsigned level,
    const struct path_name *name);

enum path_kind {
	PATH_FOREIGN,		/* no name that this file's rules make */
	PATH_WHOLE,		/* the key is in the name */
	PATH_IS_CUT		/* only its hash is */
};

/*
 * What a file's name says.  `name` gets text, hash and cut; `key`, of a whole
 * one, the key, in the arena.  PATH_FOREIGN too if there is no memory, with
 * errno ENOMEM, else 0.
 */
enum path_kind path_decode(const char *text, struct arena *a,
    struct path_name *name, struct path_key *key);

/*
 * The key_item() of a path's key: 1, 0 if the table's is of another kind, -1
 * without memory.
 */
int path_key_item(struct arena *a, const struct table *t,
    const struct path_key *p, struct text *out);

/* The table of a directory; PATH_IS_CUT leaves `table` alone. */
enum path_kind path_table_decode(const char *dir,
    char table[TABLE_NAME_MAX + 1]);

#endif
