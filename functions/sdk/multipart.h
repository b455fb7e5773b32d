/*
 * A streaming parser of multipart/form-data (RFC 7578, RFC 2046 5.1.1).
 *
 * Fed with pieces of any size, it calls back with each part's head, its data
 * in pieces, and its end.  Holds no data: only the boundary, and the head of
 * one part.  Knows nothing of requests.
 *
 * Strict, since readers that disagree about a form are a way around checks:
 * lines end in CRLF, heads are not folded, each part is form-data with a name,
 * nested multiparts and transfer encodings are refused.
 */
#ifndef SDK_MULTIPART_H
#define SDK_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,	/* RFC 2046 5.1.1 */
	MULTIPART_HEAD_MAX = 4096,	/* bytes of a part's header lines */
	MULTIPART_VALUE_MAX = 1024	/* bytes of a name, filename, type */
};

struct multipart_part {
	char name[MULTIPART_VALUE_MAX];
	char filename[MULTIPART_VALUE_MAX];	/* as sent */
	char type[MULTIPART_VALUE_MAX];		/* "" if it has none */
	bool has_filename;
};

/* Each gives 0, or anything else to stop: multipart_feed() gives -1 then. */
struct multipart_ops {
	int (*begin)(void *arg, struct multipart_part *part);
	int (*data)(void *arg, const char *p, size_t n);
	int (*end)(void *arg);
};

enum multipart_state {
	MULTIPART_PREAMBLE,	/* before the first delimiter: ignored */
	MULTIPART_DELIMITER,	/* behind one: padding and CRLF, or "--" */
	MULTIPART_CLOSING,	/* one '-' was seen */
	MULTIPART_CR,		/* CR was seen behind it */
	MULTIPART_HEAD,
	MULTIPART_DATA,
	MULTIPART_EPILOGUE,	/* behind the last delimiter: ignored */
	MULTIPART_BROKEN
};

/*
 * Invariant: of the delimiter "\r\n--boundary", the first `matched` bytes have
 * been seen and are held back while the state is PREAMBLE or DATA.
 */
struct multipart {
	const struct multipart_ops *ops;
	void *arg;
	enum multipart_state state;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5];
	size_t delimiter_len, matched;
	bool padded;		/* something followed the delimiter already */
	char head[MULTIPART_HEAD_MAX];
	size_t head_len;
	struct multipart_part part;
	const char *reason;	/* after -1: a constant, or NULL if an
				 * operation stopped it */
};

/*
 * Prepares the parser for a body of this Content-Type: 0, or -1 with the
 * reason if it is no multipart/form-data or its boundary is malformed.
 */
int multipart_init(struct multipart *m, const char *content_type,
    const struct multipart_ops *ops, void *arg);

/* The next bytes: 0, or -1. */
int multipart_feed(struct multipart *m, const char *p, size_t n);

/* There are no more: 0, or -1 if the form isn't complete. */
int multipart_finish(struct multipart *m);

#endif
