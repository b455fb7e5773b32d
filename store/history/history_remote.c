/*
 * Mirrors, where libgit2 speaks to them: the child that pushes, and the fetch
 * that a store begins with.  The child is a process of its own with the
 * user's own settings (known_hosts, url.insteadOf, a key or an agent).
 */
#include "history_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- who we are --------------------------------------------------------------------- */

static int
key_of_agent(git_credential **out, const char *user)
{
	return getenv("SSH_AUTH_SOCK") ?
	    git_credential_ssh_key_from_agent(out, user) : GIT_EUSER;
}

static int
key_of_file(git_credential **out, const char *user, const char *name)
{
	const char *home = getenv("HOME");
	char key[512];

	if (!home || snprintf(key, sizeof key, "%s/.ssh/%s", home, name) >=
	    (int)sizeof key || access(key, R_OK))
		return GIT_EUSER;
	return git_credential_ssh_key_new(out, user, NULL, key, "");
}

/* Asked again until one is taken: the agent's, then the usual files. */
static int
give_credential(git_credential **out, const char *url, const char *user,
    unsigned allowed, void *payload)
{
	static const char *const KEY[] = { "id_ed25519", "id_ecdsa",
		"id_rsa" };
	unsigned *tries = payload;

	(void)url;
	if (!user)
		user = "git";
	if (allowed & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user);
	while ((allowed & GIT_CREDENTIAL_SSH_KEY) &&
	    *tries <= sizeof KEY / sizeof *KEY) {
		unsigned t = (*tries)++;
		int r = t == 0 ? key_of_agent(out, user) :
		    key_of_file(out, user, KEY[t - 1]);

		if (!r)
			return 0;
	}
	git_error_set_str(GIT_ERROR_NET, "no key that the mirror takes");
	return GIT_EUSER;
}

/* --- what is pushed -------------------------------------------------------------------- */

/* Refspecs; a ref of theirs that we have not is deleted there. */
struct specs {
	char **spec;
	size_t n;
	bool failed;
};

static void
specs_release(struct specs *s)
{
	while (s->n)
		free(s->spec[--s->n]);
	free(s->spec);
}

static void
add_spec(struct specs *s, const char *from, const char *to)
{
	char **spec = realloc(s->spec, (s->n + 1) * sizeof *spec);

	if (spec)
		s->spec = spec;
	if (!spec || asprintf(&spec[s->n], "%s:%s", from, to) < 0)
		s->failed = true;
	else
		s->n++;
}

static int
add_ours(void *ctx, const char *name, const git_oid *id)
{
	char from[HISTORY_TAG_MAX + 64];

	(void)id;
	if (strcmp(name, HISTORY_MAIN) == 0 ||
	    strncmp(name, HISTORY_TAGS, strlen(HISTORY_TAGS)) == 0) {
		snprintf(from, sizeof from, "+%s", name);
		add_spec(ctx, from, name);
	}
	return 0;
}

/*
 * An empty mirror gets all objects, and libgit2 would look for deltas among
 * all of them, for minutes: objects over this size it takes as they are.
 */
static const char NO_DELTAS[] = "[core]\n\tbigFileThreshold = 1\n";

static int
seek_no_deltas(git_repository *repo)
{
	git_config *config;
	char path[40];
	int fd = memfd_create("gitconfig", MFD_CLOEXEC), r = -1;

	if (fd < 0 || io_write_all(fd, NO_DELTAS, strlen(NO_DELTAS)) ||
	    git_repository_config(&config, repo))
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r = git_config_add_file_ondisk(config, path, GIT_CONFIG_LEVEL_APP,
	    repo, 1);
	git_config_free(config);
	return r;	/* (the file is read again: it stays open) */
}

static int
drop_theirs(struct specs *s, git_repository *repo, git_remote *remote)
{
	const git_remote_head **heads;
	git_oid id;
	size_t n, i;

	if (git_remote_ls(&heads, &n, remote) ||
	    (n == 0 && seek_no_deltas(repo)))
		return -1;
	for (i = 0; i < n; i++) {
		const char *name = heads[i]->name;

		if (strncmp(name, HISTORY_TAGS, strlen(HISTORY_TAGS)) == 0 &&
		    !strstr(name, "^{}") &&
		    git_reference_name_to_id(&id, repo, name))
			add_spec(s, "", name);
	}
	return s->failed ? -1 : 0;
}

/* The reason why a mirror refused a ref. */
static int
note_refusal(const char *ref, const char *status, void *payload)
{
	(void)payload;
	if (!status)
		return 0;
	fprintf(stderr, "%s: %s\n", ref, status);
	return GIT_EUSER;
}


static int
push_specs(struct history_view *v, git_remote *remote,
    const git_remote_callbacks *callbacks, struct err *e)
{
	git_push_options options;
	struct specs s = { NULL, 0, false };
	git_strarray array;
	int r = -1;

	git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
	options.callbacks = *callbacks;
	if (git_remote_connect(remote, GIT_DIRECTION_PUSH, callbacks, NULL,
	    NULL) || history_refs(v, "refs/", add_ours, &s, e) ||
	    drop_theirs(&s, v->repo, remote))
		goto out;
	array.strings = s.spec;
	array.count = s.n;
	r = git_remote_upload(remote, &array, &options);
out:
	specs_release(&s);
	return r ? history_git_error(e, "push") : 0;
}

/*
 * A mirror that is a path is made, if only its last name is missing: so that a
 * clone of it checks out what is pushed.
 */
static int
make_mirror(const char *url, struct err *e)
{
	const char *path = strncmp(url, "file://", 7) ? url : url + 7;
	git_repository_init_options options;
	git_repository *repo;
	struct stat st;

	if (path[0] != '/' || lstat(path, &st) == 0)
		return 0;
	if (mkdir(path, 0700))
		return err_sys(e, "cannot make it");
	git_repository_init_options_init(&options,
	    GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	options.flags = GIT_REPOSITORY_INIT_BARE;
	options.initial_head = HISTORY_MAIN;
	if (git_repository_init_ext(&repo, path, &options))
		return history_git_error(e, "make");
	git_repository_free(repo);
	return 0;
}

static int
push(const char *path, const char *url, struct err *e)
{
	git_remote_callbacks callbacks;
	struct history_view v = { NULL, NULL, NULL };
	git_remote *remote = NULL;
	unsigned tries = 0;
	int r;

	git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
	callbacks.credentials = give_credential;
	callbacks.push_update_reference = note_refusal;
	callbacks.payload = &tries;
	if (make_mirror(url, e))
		return -1;
	if (git_repository_open_bare(&v.repo, path) ||
	    git_repository_odb(&v.odb, v.repo) ||
	    git_remote_create_anonymous(&remote, v.repo, url))
		r = history_git_error(e, "open");
	else
		r = push_specs(&v, remote, &callbacks, e);
	git_remote_free(remote);
	git_odb_free(v.odb);
	git_repository_free(v.repo);
	return r;
}

int
history_push_main(int argc, char **argv)
{
	struct err e;
	int r;

	if (argc != 4) {
		fputs("usage: history-push REPOSITORY URL\n", stderr);
		return 2;
	}
	(void)setpriority(PRIO_PROCESS, 0, 10);
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	r = push(argv[2], argv[3], &e);
	if (r)
		fprintf(stderr, "%s\n", e.text);
	git_libgit2_shutdown();
	return r ? 1 : 0;
}

/* --- a store from a mirror ----------------------------------------------------------------- */

/* What is fetched, and whether it is to be gone on with. */
struct fetching {
	const char *url;
	bool (*stopped)(void *arg);
	void *arg;
	unsigned tries;
};

static int
go_on(const git_indexer_progress *stats, void *payload)
{
	const struct fetching *f = payload;

	(void)stats;
	if (!f->stopped || !f->stopped(f->arg))
		return 0;
	git_error_set_str(GIT_ERROR_NET, "it was told to end");
	return GIT_EUSER;
}

static int
credential_for(git_credential **out, const char *url, const char *user,
    unsigned allowed, void *payload)
{
	struct fetching *f = payload;

	return give_credential(out, url, user, allowed, &f->tries);
}

static int
fetch(struct history *h, struct fetching *f, struct err *e)
{
	static char main_spec[] = "+refs/heads/main:refs/heads/main";
	static char tags_spec[] = "+refs/tags/*:refs/tags/*";
	char *specs[] = { main_spec, tags_spec };
	const git_strarray array = { specs, 2 };
	git_fetch_options options;
	git_remote *remote;
	int r;

	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.credentials = credential_for;
	options.callbacks.transfer_progress = go_on;
	options.callbacks.payload = f;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	if (git_remote_create_anonymous(&remote, h->own.repo, f->url))
		return history_git_error(e, f->url);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	r = git_remote_fetch(remote, &array, &options, NULL);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
	git_remote_free(remote);
	return r ? history_git_error(e, f->url) : 0;
}

/* What libgit2 wrote, its directories too. */
static int
sync_all(struct history *h, struct err *e)
{
	return syncfs(h->dir_fd) ? err_sys(e, "sync %s", h->path) : 0;
}

/* A mirror that is a path is packed in this process: without deltas, too. */
static int
fetch_fast(struct history *h, int dir_fd, const char *dir,
    struct fetching *f, struct err *e)
{
	int fd = openat(dir_fd, "gitconfig",
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0 || io_write_all(fd, NO_DELTAS, strlen(NO_DELTAS)))
		r = err_sys(e, "make %s/gitconfig", dir);
	else {
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH,
		    GIT_CONFIG_LEVEL_SYSTEM, dir);
		r = fetch(h, f, e);
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH,
		    GIT_CONFIG_LEVEL_SYSTEM, "");
	}
	io_close(&fd);
	return r;
}

static int
fetch_into(int dir_fd, const char *dir, struct fetching *f,
    struct history_commit *tip, struct err *e)
{
	struct history *h = history_open(dir, false, e);
	int r = -1;

	if (!h)
		return -1;
	if (fetch_fast(h, dir_fd, dir, f, e) || history_reopen(h, e) ||
	    history_tip_read(h, e) || sync_all(h, e))
		goto out;
	r = history_tip(h, tip, e);
	r = r > 0 ? 0 : err_set(e, FAULT_NOT_FOUND,
	    "%s has no history of a store (no branch main)", f->url);
out:
	history_close(h);
	return r;
}

/* It is made under another name: history.git is whole or isn't there. */
static int
put_in_place(int store_fd, struct err *e)
{
	if (renameat2(store_fd, "clone.new/history.git", store_fd,
	    "history.git", RENAME_NOREPLACE))
		return err_sys(e, "put history.git in place");
	if (fsync(store_fd))
		return err_sys(e, "sync the store's directory");
	return 0;
}

int
history_clone_from(const char *store_dir, const char *url,
    bool (*stopped)(void *arg), void *arg, struct history_commit *tip,
    struct err *e)
{
	struct fetching f = { url, stopped, arg, 0 };
	char *dir = NULL;
	int fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir_fd = -1, r = -1;

	if (fd < 0)
		return err_sys(e, "open %s", store_dir);
	if (faccessat(fd, "history.git", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		err_set(e, FAULT_IN_USE, "%s has a history already",
		    store_dir);
	else if (io_remove_tree(fd, "clone.new") ||
	    mkdirat(fd, "clone.new", 0700) ||
	    (dir_fd = openat(fd, "clone.new",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err_sys(e, "make %s/clone.new", store_dir);
	else if (asprintf(&dir, "%s/clone.new", store_dir) < 0)
		err_set(e, ENOMEM, "no memory");
	else if (!fetch_into(dir_fd, dir, &f, tip, e))
		r = put_in_place(fd, e);
	io_remove_tree(fd, "clone.new");
	free(dir);
	io_close(&dir_fd);
	io_close(&fd);
	return r;
}
