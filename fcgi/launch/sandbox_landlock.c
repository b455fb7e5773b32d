/*
 * Landlock: which files a function reaches.  Runs in the launcher's child,
 * once for each zygote; nothing is opened but with O_PATH.
 *
 * Debian 12's headers stop at ABI 2, so what is used is defined here, after
 * include/uapi/linux/landlock.h of Linux 6.15 (ABI 7), and cut down at run
 * time to what the kernel speaks.
 */
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_EXECUTE	(UINT64_C(1) << 0)
#define FS_WRITE_FILE	(UINT64_C(1) << 1)
#define FS_READ_FILE	(UINT64_C(1) << 2)
#define FS_READ_DIR	(UINT64_C(1) << 3)
#define FS_REMOVE_DIR	(UINT64_C(1) << 4)
#define FS_REMOVE_FILE	(UINT64_C(1) << 5)
#define FS_MAKE_CHAR	(UINT64_C(1) << 6)
#define FS_MAKE_DIR	(UINT64_C(1) << 7)
#define FS_MAKE_REG	(UINT64_C(1) << 8)
#define FS_MAKE_SOCK	(UINT64_C(1) << 9)
#define FS_MAKE_FIFO	(UINT64_C(1) << 10)
#define FS_MAKE_BLOCK	(UINT64_C(1) << 11)
#define FS_MAKE_SYM	(UINT64_C(1) << 12)
#define FS_REFER	(UINT64_C(1) << 13)	/* ABI 2 */
#define FS_TRUNCATE	(UINT64_C(1) << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(UINT64_C(1) << 15)	/* ABI 5 */

#define FS_ABI_1	((UINT64_C(1) << 13) - 1)

#define SCOPE_ABSTRACT	(UINT64_C(1) << 0)	/* ABI 6 */
#define SCOPE_SIGNAL	(UINT64_C(1) << 1)

enum {
	CREATE_VERSION = 1,	/* flag of landlock_create_ruleset */
	RULE_PATH_BENEATH = 1
};

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;	/* ABI 4 */
	uint64_t scoped;		/* ABI 6 */
};

struct path_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* What a rule on a file, not a directory, may hold. */
#define OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | \
    FS_IOCTL_DEV)

#define READ	(FS_READ_FILE | FS_READ_DIR)
#define RUN	(READ | FS_EXECUTE)
#define WRITE	(FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | \
    FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | \
    FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER)
#define DEVICE	(FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct rule {
	const char *path;
	uint64_t access;
};

/*
 * Of every function; what isn't there is passed over, and so is what a rule
 * above it covers (/bin where it is a link to /usr/bin): each rule costs
 * every child some time.  /etc/resolv.conf may be a link to a file in /run.
 */
static const struct rule system_rules[] = {
    {"/usr", RUN},
    {"/bin", RUN},
    {"/sbin", RUN},
    {"/lib", RUN},
    {"/lib32", RUN},
    {"/lib64", RUN},
    {"/libx32", RUN},
    {"/etc", READ},
    {"/etc/resolv.conf", READ},
    {"/proc", READ},
    {"/sys/devices/system/cpu", READ},
    {"/dev/null", DEVICE},
    {"/dev/zero", DEVICE},
    {"/dev/full", DEVICE},
    {"/dev/random", DEVICE},
    {"/dev/urandom", DEVICE},
};

/* The file accesses that an ABI knows. */
static uint64_t
known_access(int abi)
{
	uint64_t known = FS_ABI_1;

	if (abi >= 2)
		known |= FS_REFER;
	if (abi >= 3)
		known |= FS_TRUNCATE;
	if (abi >= 5)
		known |= FS_IOCTL_DEV;
	return known;
}

int
sandbox_landlock_abi(void)
{
	long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static int
create_ruleset(int abi)
{
	struct ruleset_attr attr = {.handled_access_fs = known_access(abi)};
	size_t size = sizeof attr.handled_access_fs;

	if (abi >= 6) {
		attr.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
		size = sizeof attr;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

/* 0; 1 if the path is missing; -1 with errno. */
static int
add_rule(int ruleset_fd, const char *path, uint64_t access)
{
	struct path_attr attr = {.allowed_access = access};
	struct stat st;
	int error, fd;
	long rc;

	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 1 : -1;
	if (fstat(fd, &st) < 0) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		attr.allowed_access &= OF_FILES;
	attr.parent_fd = fd;
	rc = syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH,
	    &attr, 0);
	error = errno;
	close(fd);
	errno = error;
	return rc < 0 ? -1 : 0;
}

/* A path that the function's configuration names: it has to be there. */
static int
add_named(int ruleset_fd, const char *what, const char *path, uint64_t access,
    struct err *e)
{
	int rc = add_rule(ruleset_fd, path, access);

	if (rc == 0)
		return 0;
	if (rc > 0)
		return err_set(e, ENOENT,
		    "%s: %s does not exist; make it, or correct deploy.yaml",
		    what, path);
	return err_sys(e, "%s: cannot open %s to the function", what, path);
}

static int
add_list(int ruleset_fd, const char *what, const char *const *paths, size_t n,
    uint64_t access, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (add_named(ruleset_fd, what, paths[i], access, e) < 0)
			return -1;
	return 0;
}

/* True if `path`, resolved, lies below a rule before it that grants as much. */
static bool
is_covered(const struct rule *r)
{
	char real[PATH_MAX];
	const struct rule *above;
	size_t len;

	if (!realpath(r->path, real))
		return false;
	for (above = system_rules; above < r; above++) {
		len = strlen(above->path);
		if (strncmp(real, above->path, len) == 0 && real[len] == '/' &&
		    (r->access & ~above->access) == 0)
			return true;
	}
	return false;
}

static int
add_system(int fd, uint64_t known, struct err *e)
{
	const struct rule *r = system_rules;
	const struct rule *end =
	    r + sizeof system_rules / sizeof *system_rules;

	for (; r < end; r++) {
		if (is_covered(r))
			continue;
		/* What even the launcher can't open needs no rule. */
		if (add_rule(fd, r->path, r->access & known) < 0 &&
		    errno != EACCES)
			return err_sys(
			    e, "cannot open %s to the function", r->path);
	}
	return 0;
}

static int
add_all(int fd, const struct sandbox *s, uint64_t known, struct err *e)
{
	if (add_system(fd, known, e) < 0)
		return -1;
	/* The runner's own binary, for its exec. */
	if (add_named(fd, "launcher", "/proc/self/exe", RUN & known, e) < 0 ||
	    add_named(fd, "handler", s->binary, RUN & known, e) < 0 ||
	    add_named(fd, "handler", s->directory, RUN & known, e) < 0 ||
	    add_named(fd, "scratch", s->scratch, (RUN | WRITE) & known, e) < 0)
		return -1;
	if (add_list(fd, "paths.read", s->read_paths, s->read_count,
	        READ & known, e) < 0)
		return -1;
	return add_list(fd, "paths.write", s->write_paths, s->write_count,
	    (READ | WRITE) & known, e);
}

int
sandbox_landlock(const struct sandbox *s, int abi, struct err *e)
{
	int fd, rc = -1;

	fd = create_ruleset(abi);
	if (fd < 0)
		return err_sys(e, "cannot make a landlock ruleset");
	if (add_all(fd, s, known_access(abi), e) < 0)
		goto out;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		err_sys(e, "cannot confine the function by landlock");
	else
		rc = 0;
out:
	close(fd);
	return rc;
}
