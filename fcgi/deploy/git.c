/*
 * Opens the pushed commit and describes it (git.h).  Runs in pre-receive.
 */
#include "git.h"

#include "memory.h"

#include "store/base/utf8.h"

#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <string.h>

enum { COMMIT_BYTES = 1 << 20 }; /* of a commit, before it is read */

/*
 * Git has judged by now whether the repository may be used, and a user's own
 * settings are nothing to us.
 */
void
git_start(void)
{
	static const int LEVELS[] = {GIT_CONFIG_LEVEL_SYSTEM,
	    GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG,
	    GIT_CONFIG_LEVEL_PROGRAMDATA};
	size_t i;

	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	for (i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, LEVELS[i], "");
}

int
git_fail(struct err *e, const char *what)
{
	const git_error *last = git_error_last();

	return err_set(e, EIO, "%s: %s", what,
	    last && last->message ? last->message
				  : "git's objects can't be "
				    "read");
}

struct git_repository *
git_of_push(struct err *e)
{
	git_repository *repo = NULL;

	git_start();
	if (git_repository_open_ext(
		&repo, NULL, GIT_REPOSITORY_OPEN_FROM_ENV, NULL))
		git_fail(e, "cannot open the repository that is pushed to");
	return repo;
}

void
git_close(struct git_repository *repo)
{
	git_repository_free(repo);
}

/*
 * The first line of a text, cut to fit, as UTF-8 without control bytes: what
 * is neither becomes '?', for git takes any bytes.
 */
static void
one_line(const char *text, char *out, size_t room)
{
	size_t left = text ? strcspn(text, "\n") : 0, n;

	for (; left; text += n, left -= n) {
		n = utf8_step(text, left);
		if (n >= room || room == 1)
			break;
		if (n > 1)
			memcpy(out, text, n);
		else
			*out = n == 0 || (unsigned char)*text < ' ' ||
				       *text == 0x7f
				   ? '?'
				   : *text;
		n = n ? n : 1;
		out += n;
		room -= n;
	}
	*out = '\0';
}

git_commit *
git_find(struct git_repository *repo, const char *id, struct err *e)
{
	git_commit *commit = NULL;
	git_odb *odb = NULL;
	struct memory was;
	git_object_t type;
	size_t bytes = 0;
	git_oid oid;

	memory_bound(&was);

	if (git_oid_fromstr(&oid, id) || git_repository_odb(&odb, repo) ||
	    git_odb_read_header(&bytes, &type, odb, &oid))
		git_fail(e, "cannot read the pushed commit");
	else if (bytes > COMMIT_BYTES)
		err_set(e, E2BIG, "the commit's message has more than %d MB",
		    COMMIT_BYTES >> 20);
	else if (git_commit_lookup(&commit, repo, &oid))
		git_fail(e, "what is pushed is no commit");
	git_odb_free(odb);
	memory_unbound(&was);
	return commit;
}

int
git_describe(struct git_repository *repo, const char *id, struct release *r,
    struct err *e)
{
	git_commit *commit = git_find(repo, id, e);
	char author[2 * RELEASE_TEXT_SIZE];
	const git_signature *who;

	if (!commit)
		return -1;
	who = git_commit_author(commit);
	snprintf(author, sizeof author, "%s <%s>", who ? who->name : "",
	    who ? who->email : "");
	snprintf(r->commit, sizeof r->commit, "%s", id);
	one_line(author, r->author, sizeof r->author);
	one_line(git_commit_summary(commit), r->subject, sizeof r->subject);
	git_commit_free(commit);
	return 0;
}

/* The tree of a commit, or NULL. */
static git_tree *
tree_of(git_repository *repo, const char *id)
{
	struct err ignored;
	git_commit *commit = git_find(repo, id, &ignored);
	git_tree *tree = NULL;

	if (commit && git_commit_tree(&tree, commit))
		tree = NULL;
	git_commit_free(commit);
	return tree;
}

long
git_files_changed(
    struct git_repository *repo, const char *older, const char *newer)
{
	git_tree *from = tree_of(repo, older), *to = tree_of(repo, newer);
	git_diff *diff = NULL;
	long n = -1;

	if (from && to &&
	    git_diff_tree_to_tree(&diff, repo, from, to, NULL) == 0)
		n = (long)git_diff_num_deltas(diff);
	git_diff_free(diff);
	git_tree_free(from);
	git_tree_free(to);
	return n;
}
