/*
 * Plain JSON: documents as people write them, for files and the SDK.
 *
 *	S		"text"
 *	N		a number, in normal form: no digit is lost
 *	BOOL, NULL	true, false, null
 *	M		{"name": ...}, names in order
 *	L		[...]
 *	B		{"$binary": "base64"}
 *	SS		{"$set": ["a", "b"]}
 *	NS		{"$set": [1, 2]}
 *	BS		{"$set": [{"$binary": "AA=="}]}
 *	M with a name	{"$map": {"$name": ...}}; what stands in it is no mark,
 *	 that begins	the values in it are read as anywhere
 *	 with `$`
 *
 * Read, an object is a mark if its only name is $binary, $set or $map, and
 * refused if what it marks is none; any other is a map, also with names that
 * begin with `$`.  What a set holds tells its type: all is of one kind.
 * Both round trips are exact: value -> text -> value, and of a text that was
 * written here, text -> value -> text.
 */
#ifndef VALUE_PLAIN_H
#define VALUE_PLAIN_H

#include "json.h"
#include "store/base/buf.h"

/*
 * A whole text -> a value, or an item (an object that is a map).  Any order
 * and whitespace; numbers come into normal form, sets and names into order.
 * Strings borrow from `p`.  0; or -1 with FAULT_SERIALIZATION for what is no
 * JSON, FAULT_VALIDATION for what is no value (name or member twice, a number
 * out of range, nested too deep), both with line and column; FAULT_LIMIT.
 */
int plain_read(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e);
int plain_read_item(struct arena *a, const char *p, size_t n,
    struct value *out, struct err *e);

/* The same where a reader stands: the value that begins with token `t`. */
int plain_take(struct json *j, const struct json_token *t, struct value *out);
int plain_take_item(struct json *j, const struct json_token *t,
    struct value *out);

/* Appends the text of a file: two spaces a level, a final newline. 0 or -1. */
int plain_write(struct buf *b, const struct value *v);

/* Appends the same in one line without spaces or newline, for the wire. */
int plain_write_line(struct buf *b, const struct value *v);

#endif
