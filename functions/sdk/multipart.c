/*
 * The multipart parser of multipart.h: a state machine over bytes, with the
 * data between delimiters passed on in the largest pieces that there are.
 * Runs in a function's process.
 */
#include "multipart.h"

#include "text.h"

#include <string.h>

static int
broken(struct multipart *m, const char *reason)
{
	m->state = MULTIPART_BROKEN;
	m->reason = reason;
	return -1;
}

/* bchars of RFC 2046 5.1.1; a space is allowed within. */
static bool
is_boundary(const char *s, size_t n)
{
	static const char BCHARS[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "'()+_,-./:=? ";

	return n >= 1 && n <= MULTIPART_BOUNDARY_MAX && s[n - 1] != ' ' &&
	    strspn(s, BCHARS) == n;
}

int
multipart_init(struct multipart *m, const char *content_type,
    const struct multipart_ops *ops, void *arg)
{
	char value[MULTIPART_VALUE_MAX];
	const char *at = content_type + strcspn(content_type, "; \t");
	const char *name;
	size_t name_len, n;
	int rc;

	m->ops = ops;
	m->arg = arg;
	m->state = MULTIPART_PREAMBLE;
	m->delimiter_len = 0;
	m->matched = 2;		/* the first delimiter needs no line end */
	m->padded = false;
	m->head_len = 0;
	m->reason = NULL;
	if (!text_same(content_type, (size_t)(at - content_type),
	        "multipart/form-data"))
		return broken(m, "the body is no multipart/form-data");
	while ((rc = text_next_param(&at, &name, &name_len, value,
	            sizeof value)) > 0) {
		if (!text_same(name, name_len, "boundary"))
			continue;
		n = strlen(value);
		if (m->delimiter_len || !is_boundary(value, n))
			return broken(m, "the form's boundary is malformed");
		memcpy(m->delimiter, "\r\n--", 4);
		memcpy(m->delimiter + 4, value, n + 1);
		m->delimiter_len = 4 + n;
	}
	if (rc < 0)
		return broken(m, "the form's content type is malformed");
	if (!m->delimiter_len)
		return broken(m, "the form's content type has no boundary");
	return 0;
}

/* --- a part's head -------------------------------------------------------- */

static int
disposition(struct multipart *m, const char *value)
{
	struct multipart_part *part = &m->part;
	const char *at = value + strcspn(value, "; \t");
	char text[MULTIPART_VALUE_MAX];
	bool has_name = false;
	const char *name;
	size_t name_len;
	int rc;

	if (!text_same(value, (size_t)(at - value), "form-data"))
		return broken(m, "a part of the form is not form-data");
	while ((rc = text_next_param(&at, &name, &name_len, text,
	            sizeof text)) > 0) {
		if (text_same(name, name_len, "name")) {
			if (has_name)
				return broken(m, "a part has two names");
			memcpy(part->name, text, sizeof text);
			has_name = true;
		} else if (text_same(name, name_len, "filename")) {
			if (part->has_filename)
				return broken(m, "a part has two filenames");
			memcpy(part->filename, text, sizeof text);
			part->has_filename = true;
		}
	}
	if (rc < 0)
		return broken(m, "a part's Content-Disposition is malformed");
	return has_name ? 0 : broken(m, "a part of the form has no name");
}

static int
content_type(struct multipart *m, const char *value)
{
	static const char MULTIPART[] = "multipart/";
	size_t n = strlen(value);

	if (m->part.type[0])
		return broken(m, "a part has two content types");
	if (n >= sizeof m->part.type)
		return broken(m, "a part's content type is too long");
	if (text_same(value, strnlen(value, sizeof MULTIPART - 1), MULTIPART))
		return broken(m, "a form within a form is not accepted");
	memcpy(m->part.type, value, n + 1);
	return 0;
}

/* RFC 7578 4.7: deprecated; what changes nothing is let through. */
static int
transfer_encoding(struct multipart *m, const char *value)
{
	size_t n = strlen(value);

	if (text_same(value, n, "7bit") || text_same(value, n, "8bit") ||
	    text_same(value, n, "binary"))
		return 0;
	return broken(m, "a part's Content-Transfer-Encoding is not accepted");
}

static const struct {
	const char *name;
	int (*take)(struct multipart *m, const char *value);
} HEADERS[] = {
    {"Content-Disposition", disposition},
    {"Content-Type", content_type},
    {"Content-Transfer-Encoding", transfer_encoding},
};

/* One line of `n` bytes, NUL-terminated in place of its CRLF. */
static int
take_line(struct multipart *m, char *line, size_t n, bool *disposed)
{
	size_t name_len = strcspn(line, ":"), i;
	const char *value = line + name_len + 1;

	if (name_len == n || !text_is_token(line, name_len))
		return broken(m, "a part's header line is malformed");
	for (i = 0; i < n; i++)
		if ((line[i] >= 0 && line[i] < ' ' && line[i] != '\t') ||
		    line[i] == 0x7f)
			return broken(m, "a part's header has control bytes");
	value += strspn(value, " \t");
	while (line[n - 1] == ' ' || line[n - 1] == '\t')
		line[--n] = '\0';
	for (i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++) {
		if (!text_same(line, name_len, HEADERS[i].name))
			continue;
		if (i == 0 && *disposed)
			return broken(m, "a part has two Content-Dispositions");
		*disposed = *disposed || i == 0;
		return HEADERS[i].take(m, value);
	}
	return 0;
}

/* The head is whole: lines, each with its CRLF, and an empty one. */
static int
take_head(struct multipart *m)
{
	char *line = m->head, *end = m->head + m->head_len - 2, *stop;
	bool disposed = false;

	m->part.name[0] = m->part.filename[0] = m->part.type[0] = '\0';
	m->part.has_filename = false;
	for (; line < end; line = stop + 2) {
		stop = memchr(line, '\r', (size_t)(end - line));
		if (!stop || stop[1] != '\n' || memchr(line, '\0',
		        (size_t)(stop - line)))
			return broken(m, "a part's header line is malformed");
		*stop = '\0';
		if (take_line(m, line, (size_t)(stop - line), &disposed) < 0)
			return -1;
	}
	if (!disposed)
		return broken(m, "a part has no Content-Disposition");
	m->head_len = 0;
	m->state = MULTIPART_DATA;
	return m->ops->begin(m->arg, &m->part) ? broken(m, NULL) : 0;
}

static int
feed_head(struct multipart *m, char c)
{
	size_t n = m->head_len;

	if (n == sizeof m->head)
		return broken(m, "a part's header is too long");
	m->head[n++] = c;
	m->head_len = n;
	if (c != '\n')
		return 0;
	if (n == 2 && m->head[0] == '\r')
		return take_head(m);
	if (n >= 4 && memcmp(m->head + n - 4, "\r\n\r\n", 4) == 0)
		return take_head(m);
	return 0;
}

/* --- what lies between delimiters ----------------------------------------- */

static int
give(struct multipart *m, const char *p, size_t n)
{
	if (m->state == MULTIPART_PREAMBLE || n == 0)
		return 0;
	return m->ops->data(m->arg, p, n) ? broken(m, NULL) : 0;
}

static int
delimited(struct multipart *m)
{
	bool in_part = m->state == MULTIPART_DATA;

	m->matched = 0;
	m->padded = false;
	m->state = MULTIPART_DELIMITER;
	if (in_part && m->ops->end(m->arg))
		return broken(m, NULL);
	return 0;
}

/*
 * Data up to a delimiter's first byte is passed on as it is; a delimiter that
 * turns out to be none is passed on from our own copy.  CR stands at its
 * beginning only, so after a mismatch nothing but that one byte can begin a
 * new one.  Moves *at past what was taken.
 */
static int
feed_data(struct multipart *m, const char **at, const char *end)
{
	const char *p = *at, *cr;
	size_t held;

	if (m->matched == 0) {
		cr = memchr(p, '\r', (size_t)(end - p));
		*at = cr ? cr + 1 : end;
		m->matched = cr != NULL;
		return give(m, p, (size_t)((cr ? cr : end) - p));
	}
	for (; p < end && *p == m->delimiter[m->matched]; p++) {
		if (++m->matched == m->delimiter_len) {
			*at = p + 1;
			return delimited(m);
		}
	}
	*at = p;
	if (p == end)
		return 0;
	held = m->matched;
	m->matched = 0;
	return give(m, m->delimiter, held);
}

/* Behind a delimiter: "--" ends the form, CRLF begins a part. */
static int
feed_delimiter(struct multipart *m, char c)
{
	switch (m->state) {
	case MULTIPART_DELIMITER:
		if (c == '-' && !m->padded)
			m->state = MULTIPART_CLOSING;
		else if (c == '\r')
			m->state = MULTIPART_CR;
		else if (c != ' ' && c != '\t')
			return broken(m, "a boundary's line is malformed");
		m->padded = true;
		return 0;
	case MULTIPART_CLOSING:
		if (c != '-')
			return broken(m, "a boundary's line is malformed");
		m->state = MULTIPART_EPILOGUE;
		return 0;
	default:
		if (c != '\n')
			return broken(m, "a boundary's line is malformed");
		m->state = MULTIPART_HEAD;
		return 0;
	}
}

int
multipart_feed(struct multipart *m, const char *p, size_t n)
{
	const char *end = p + n;
	int rc = 0;

	while (rc == 0 && p < end) {
		switch (m->state) {
		case MULTIPART_PREAMBLE:
		case MULTIPART_DATA:
			rc = feed_data(m, &p, end);
			break;
		case MULTIPART_DELIMITER:
		case MULTIPART_CLOSING:
		case MULTIPART_CR:
			rc = feed_delimiter(m, *p++);
			break;
		case MULTIPART_HEAD:
			rc = feed_head(m, *p++);
			break;
		case MULTIPART_EPILOGUE:
			return 0;
		case MULTIPART_BROKEN:
			return -1;
		}
	}
	return rc;
}

int
multipart_finish(struct multipart *m)
{
	if (m->state == MULTIPART_BROKEN)
		return -1;
	if (m->state != MULTIPART_EPILOGUE)
		return broken(m, "the form ended before its last boundary");
	return 0;
}
