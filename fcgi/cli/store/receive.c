/*
 * bothy store receive: what git's hooks in history.git run for each push
 * (githooks(5)), to have the store merge what was edited in a clone.
 *
 * pre-receive refuses what can't be merged, and while nothing of it has come
 * to stay; proc-receive has the daemon merge it and tells git, and so whoever
 * pushed, what became of each document.
 */
#include "pktline.h"
#include "cmd.h"

#include "store/base/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = PKTLINE_MAX, ID_HEX = 40, TEXT_MAX = 256 };

static const char IMPORT[] = "refs/heads/import/";

/* --- what may be pushed --------------------------------------------------- */

/* "OLD NEW REF", taken apart; false if it is something else. */
static bool
split(char *line, const char **id, const char **ref)
{
	char *space = strchr(line, ' ');
	char *other = space ? strchr(space + 1, ' ') : NULL;

	if (!other)
		return false;
	*other = '\0';
	*id = space + 1;
	*ref = other + 1;
	return strlen(*id) == ID_HEX;
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Why it can't be, or NULL. */
static const char *
judge(const char *id, const char *ref)
{
	if (strcmp(ref, "refs/heads/main") == 0)
		return "main is written by the store alone; push to "
		       "import/NAME, and it merges what you changed: git push "
		       "origin HEAD:import/NAME";
	if (begins(ref, "refs/tags/"))
		return "a tag is a backup: `bothy store backup NAME` makes "
		       "one";
	if (!begins(ref, IMPORT) || !ref[sizeof IMPORT - 1])
		return "only import/NAME can be pushed to: git push origin "
		       "HEAD:import/NAME";
	if (strspn(id, "0") == ID_HEX)
		return "there is nothing to delete: what was pushed to "
		       "import/NAME is merged, and is no branch";
	return NULL;
}

static int
refuse(const char *ref, const char *why)
{
	fprintf(stderr, "bothy: %s: %s\n", ref, why);
	return CLI_FAILED;
}

/* Also that there is a store that can take it, before it comes to stay. */
static int
pre_receive(struct cli *c)
{
	char line[LINE_BYTES];
	const char *id, *ref, *why;
	struct storelink l;
	int code = CLI_OK, n = 0;

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!split(line, &id, &ref))
			return refuse("the push", "git says what it is in "
			    "another way than this bothy knows");
		why = n++ ? "push one at a time" : judge(id, ref);
		if (why)
			code = refuse(ref, why);
	}
	if (code != CLI_OK)
		return code;
	code = storelink_open(c, &l);
	if (code == CLI_OK)
		storelink_close(&l);
	return code;
}

/* --- what proc-receive is told ------------------------------------------- */

struct push {
	char id[ID_HEX + 1], ref[TEXT_MAX];
	bool whole;		/* git push --atomic */
	bool dry;		/* -o dry-run */
	bool options;		/* git tells us push options */
	char verdict[TEXT_MAX];	/* "" if all of it was merged */
};

/* "version=1\0 ..features" and the end of the list, answered in kind. */
static int
agree(struct push *p, struct buf *text, struct buf *out)
{
	static const char OURS[] = "version=1\0push-options";
	const char *features;
	size_t n;

	if (pktline_read(STDIN_FILENO, text) <= 0 ||
	    strcmp(buf_str(text), "version=1") != 0)
		return -1;
	n = strlen(buf_str(text)) + 1;
	features = n < text->len ? buf_str(text) + n : "";
	p->whole = strstr(features, "atomic") != NULL;
	p->options = strstr(features, "push-options") != NULL;
	while (pktline_read(STDIN_FILENO, text) > 0)
		;
	pktline_add(out, OURS, p->options ? sizeof OURS - 1
	                                  : strlen(OURS));
	pktline_end(out);
	return io_write_all(STDOUT_FILENO, out->data, out->len);
}

static void
take_option(struct push *p, const char *option)
{
	if (strcmp(option, "dry-run") == 0)
		p->dry = true;
	else if (strcmp(option, "atomic") == 0)
		p->whole = true;
	else {
		fprintf(stderr, "bothy: the push option %.100s isn't known: "
		    "there are dry-run and atomic\n", option);
		snprintf(p->verdict, sizeof p->verdict,
		    "an unknown push option");
	}
}

/* The one command, and the options of the push. 0 or -1. */
static int
hear(struct push *p, struct buf *text)
{
	const char *id, *ref;
	int rc;

	while ((rc = pktline_read(STDIN_FILENO, text)) > 0) {
		if (!split(text->data, &id, &ref) || *p->ref ||
		    strlen(ref) >= sizeof p->ref)
			return -1;
		snprintf(p->id, sizeof p->id, "%s", id);
		snprintf(p->ref, sizeof p->ref, "%s", ref);
	}
	if (rc == 0 && p->options)
		while ((rc = pktline_read(STDIN_FILENO, text)) > 0)
			take_option(p, buf_str(text));
	return rc < 0 || !*p->ref ? -1 : 0;
}

/* --- merging --------------------------------------------------------------- */

static void
tell_refused(const struct json_node *list)
{
	const struct json_node *x;
	struct text file, kind, text;

	for (x = list ? list->first : NULL; x; x = x->next) {
		file = storetext_member(x, "File");
		kind = storetext_member(x, "Kind");
		text = storetext_member(x, "Text");
		fprintf(stderr, "bothy: %.*s: %.*s: %.*s\n", (int)file.n,
		    file.p, (int)kind.n, kind.p, (int)text.n, text.p);
	}
}

static void
tell(struct push *p, const struct json_node *n)
{
	long long added = storetext_integer(n, "Added");
	long long changed = storetext_integer(n, "Changed");
	long long removed = storetext_integer(n, "Removed");
	long long same = storetext_integer(n, "Same");
	long long refused = storetext_integer(n, "RefusedCount");

	tell_refused(json_member(n, "Refused"));
	fprintf(stderr, "bothy: %s: %lld new, %lld changed, %lld removed",
	    p->dry ? "it would be" : "merged", added, changed, removed);
	if (same)
		fprintf(stderr, ", %lld were so already", same);
	if (refused)
		fprintf(stderr, ", %lld not merged", refused);
	fputc('\n', stderr);
	if (refused)
		fputs("bothy: to look at conflicts: git fetch origin && git "
		    "merge origin/main; then push again\n", stderr);
	else if (!p->dry && added + changed + removed)
		fputs("bothy: main has all of it: git fetch origin && git "
		    "reset --hard origin/main\n", stderr);
	if (refused && p->whole)
		snprintf(p->verdict, sizeof p->verdict, "%lld of it can't be "
		    "merged, so nothing was", refused);
	else if (refused)
		snprintf(p->verdict, sizeof p->verdict, "merged but for %lld",
		    refused);
	else if (p->dry)
		snprintf(p->verdict, sizeof p->verdict, "a dry run");
}

static void
merge(struct cli *c, struct push *p)
{
	const struct json_node *n;
	struct storelink l;
	struct reply r;
	struct err e;

	snprintf(p->verdict, sizeof p->verdict, "it could not be merged");
	if (storelink_open(c, &l) != CLI_OK)
		return;
	storelink_begin(&l, &r);
	reply_string(&r, "From", p->id);
	reply_bool(&r, "Whole", p->whole);
	reply_bool(&r, "DryRun", p->dry);
	n = storelink_call(&l, OP_MERGE, 0, &r, &e);
	if (n) {
		*p->verdict = '\0';
		tell(p, n);
	} else
		storelink_fail(&e);
	storelink_close(&l);
}

static int
answer(const struct push *p, struct buf *out)
{
	char line[2 * TEXT_MAX + 8];
	int n;

	if (*p->verdict)
		n = snprintf(line, sizeof line, "ng %s %s", p->ref,
		    p->verdict);
	else
		n = snprintf(line, sizeof line, "ok %s", p->ref);
	buf_reset(out);
	pktline_add(out, line, (size_t)n);
	pktline_end(out);
	return buf_ok(out) &&
	        io_write_all(STDOUT_FILENO, out->data, out->len) == 0
	    ? CLI_OK
	    : CLI_FAILED;
}

static int
proc_receive(struct cli *c)
{
	struct push p = {.whole = false};
	struct buf text, out;
	int code = CLI_FAILED;

	buf_init(&text, LINE_BYTES);
	buf_init(&out, LINE_BYTES);
	if (agree(&p, &text, &out) == 0 && hear(&p, &text) == 0) {
		if (!*p.verdict)
			merge(c, &p);
		code = answer(&p, &out);
	} else
		refuse("the push", "git says what it is in another way than "
		    "this bothy knows");
	buf_release(&text);
	buf_release(&out);
	return code;
}

/* --- the command ------------------------------------------------------------ */

/* The daemon that is started here must not take its repository for ours. */
static void
forget_git(void)
{
	static const char *const names[] = {"GIT_DIR", "GIT_WORK_TREE",
	    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	    "GIT_QUARANTINE_PATH", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	forget_git();
	if (strcmp(argv[0], "pre-receive") == 0)
		return pre_receive(c);
	if (strcmp(argv[0], "proc-receive") == 0)
		return proc_receive(c);
	return cli_usage("store receive", "HOOK is pre-receive or "
	    "proc-receive");
}

const struct command command_store_receive = {
	.name = "store receive",
	.chapter = "in and out",
	.arguments = "HOOK",
	.summary = "merge what is pushed to history.git; git runs it",
	.help =
	    "What the hooks of the store's history.git run. Push edited "
	    "documents to import/NAME there, and they are merged: `bothy "
	    "store merge` does that, or git push.",
	.least = 1,
	.most = 1,
	.words = "pre-receive proc-receive",
	.run = run,
};
