/*
 * What several commands of `bothy store` do alike (storecmd.h).
 */
#include "cmd.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MAX = 100000 };

int
storecmd_document(const struct cli *c, struct storelink *l,
    struct storewords *t, struct reply *r, int nwords, char **words)
{
	struct err e;
	int code = storelink_open(c, l);

	if (code != CLI_OK)
		return code;
	code = storewords_open(l, words[0], NULL, t);
	if (code == CLI_OK) {
		storelink_begin(l, r);
		reply_string(r, "TableName", t->name);
		if (storewords_key(t, r, nwords - 1, words + 1, &e) < 0)
			code = cli_fail(&e, CLI_USAGE);
	}
	if (code != CLI_OK)
		storelink_close(l);
	return code;
}

int
storecmd_any(const struct cli *c, struct storelink *l, struct reply *r,
    int nwords, char **words)
{
	struct storewords t;
	int code;

	if (nwords > 1)
		return storecmd_document(c, l, &t, r, nwords, words);
	code = storelink_open(c, l);
	if (code != CLI_OK)
		return code;
	storelink_begin(l, r);
	if (nwords)
		reply_string(r, "TableName", words[0]);
	return CLI_OK;
}

/* --- a question and its answer ------------------------------------------ */

/* The reply, or its part, printed: an exit code. */
static int
answer(struct storelink *l, const struct json_node *n, const struct err *e,
    storecmd_print *print, const void *told)
{
	int code = CLI_OK;

	if (!n)
		code = storelink_fail(e);
	else if (l->cli->json)
		storetext_json(&n->raw);
	else
		code = print(l, n, told);
	storelink_close(l);
	return code;
}

int
storecmd_answer(struct storelink *l, enum operation op, unsigned flags,
    struct reply *request, storecmd_print *print, const void *told)
{
	const struct json_node *n;
	struct err e;

	n = storelink_call(l, op, flags, request, &e);
	return answer(l, n, &e, print, told);
}

int
storecmd_list(const struct cli *c, enum operation op, const char *part,
    storecmd_print *print)
{
	const struct json_node *n;
	struct storelink l;
	struct reply r;
	struct err e;
	int code = storelink_open(c, &l);

	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	n = storelink_call(&l, op, 0, &r, &e);
	if (n && !(n = json_member(n, part)))
		err_set(&e, 0, "the store's reply has no %s", part);
	return answer(&l, n, &e, print, NULL);
}

int
storecmd_finish(struct storelink *l, enum operation op,
    struct reply *request, const char *bad)
{
	const struct json_node *n;
	struct err e;
	int code = CLI_OK;

	n = storelink_call(l, op, CLIENT_PLAIN, request, &e);
	if (!n)
		code = storelink_fail(&e);
	else if (l->cli->json)
		storetext_json(&n->raw);
	else
		storetext_show(n);
	if (n && bad && storetext_integer(n, bad))
		code = CLI_FAILED;
	storelink_close(l);
	return code;
}

/* --- the command line ----------------------------------------------------- */

int
storecmd_number(const char *option, const char *text, long long most,
    long long *n, struct err *e)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 10);
	if (errno || end == text || *end || *n < 0 || *n > most)
		return err_set(e, EINVAL, "--%s is a number from 0 to %lld, "
		    "not %.100s", option, most, text);
	return 0;
}

int
storecmd_limit(const char *text, struct reply *r, struct err *e)
{
	long long n;

	if (!text)
		return 0;
	if (storecmd_number("limit", text, LIMIT_MAX, &n, e) < 0)
		return -1;
	reply_integer(r, "Limit", n ? n : LIMIT_MAX);
	return 0;
}

bool
storecmd_agreed(const char *question)
{
	char answer[16];

	if (!isatty(STDIN_FILENO)) {
		fputs("bothy: nothing was done: there is no terminal to ask; "
		    "say --yes\n", stderr);
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof answer, stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}

int
storecmd_read(const char *path, struct buf *out, struct err *e)
{
	char part[16 * 1024];
	ssize_t n;

	if (path && strcmp(path, "-") != 0)
		return io_read_file(AT_FDCWD, path, out, e);
	while ((n = io_read(STDIN_FILENO, part, sizeof part)) > 0)
		if (buf_add(out, part, (size_t)n) < 0)
			return err_set(e, EFBIG, "standard input has more "
			    "than %zu bytes", out->max);
	return n < 0 ? err_sys(e, "cannot read standard input") : 0;
}
