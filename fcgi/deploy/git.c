/*
 * Opens the pushed commit and describes it (git.h).  Runs in pre-receive.
 */
#include "git.h"

#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <string.h>

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

/* The first line of a text, control bytes out of it, cut to fit. */
static void
one_line(const char *text, char *out, size_t room)
{
	size_t n;

	snprintf(out, room, "%s", text ? text : "");
	out[strcspn(out, "\n")] = '\0';
	/* A character that was cut in its midst is left out. */
	for (n = strlen(out); n + 1 == room && n && (out[n - 1] & 0x80); n--)
		out[n - 1] = '\0';
	for (; *out; out++)
		if ((unsigned char)*out < ' ' || *out == 0x7f)
			*out = ' ';
}

static git_commit *
find(git_repository *repo, const char *id)
{
	git_commit *commit = NULL;
	git_oid oid;

	if (git_oid_fromstr(&oid, id) || git_commit_lookup(&commit, repo, &oid))
		return NULL;
	return commit;
}

int
git_describe(struct git_repository *repo, const char *id, struct release *r,
    struct err *e)
{
	git_commit *commit = find(repo, id);
	char author[2 * RELEASE_TEXT_SIZE];
	const git_signature *who;

	if (!commit)
		return git_fail(e, "what is pushed is no commit");
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
	git_commit *commit = find(repo, id);
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
