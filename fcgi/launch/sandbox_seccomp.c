/*
 * The seccomp filter: which system calls a function may make.
 *
 * The launcher compiles one for each kind of network, once, by libseccomp as a
 * binary tree; its children install the program as it is.  It is a list of
 * what is refused, since a function may be any program; calls that are always
 * allowed cost nothing from Linux 5.11 on (the kernel keeps a bitmap of them).
 *
 * Numbers that the kernel takes as int or unsigned int are compared in their
 * low 32 bits: it ignores the rest of the register, and so must the filter.
 */
#include "sandbox_internal.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	SOCKET_TYPE_MASK = 0xf,		/* flags lie above */
	OPTIMIZE_TREE = 2		/* SCMP_FLTATR_CTL_OPTIMIZE */
};

/* Refused whatever the arguments: EPERM. */
static const int refused[] = {
    SCMP_SYS(unshare), SCMP_SYS(setns),
    /* into other processes */
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
    /* mounts */
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    /* deep into the kernel */
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(open_by_handle_at),
    /* keys; what outlives its process and is counted nowhere */
    SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
    SCMP_SYS(shmget), SCMP_SYS(semget), SCMP_SYS(msgget), SCMP_SYS(mq_open),
};

/* Refused by one argument. */
struct condition {
	int call;
	int error;
	unsigned arg;
	enum scmp_compare op;
	uint64_t a, b;	/* as libseccomp's: value; or mask and value */
};

#define EQUALS(arg, value) arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value
#define HAS(arg, bit) arg, SCMP_CMP_MASKED_EQ, bit, bit
#define ISNT(arg, value) arg, SCMP_CMP_NE, value, 0
#define TYPE(arg, type) arg, SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, type

static const struct condition always[] = {
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWUSER)},
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWNS)},
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWNET)},
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWIPC)},
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWUTS)},
    {SCMP_SYS(clone), EPERM, HAS(0, CLONE_NEWCGROUP)},
    {SCMP_SYS(ioctl), EPERM, EQUALS(1, TIOCSTI)},
    {SCMP_SYS(ioctl), EPERM, EQUALS(1, TIOCLINUX)},
};

static const struct condition signals_to_all[] = {
    {SCMP_SYS(kill), EPERM, EQUALS(0, UINT32_MAX)},
};

static const struct condition network_unix[] = {
    {SCMP_SYS(socket), EAFNOSUPPORT, ISNT(0, AF_UNIX)},
    {SCMP_SYS(socketpair), EAFNOSUPPORT, ISNT(0, AF_UNIX)},
};

/* A pair of type datagram could still send to any name. */
static const struct condition network_none[] = {
    {SCMP_SYS(socketpair), EAFNOSUPPORT, ISNT(0, AF_UNIX)},
    {SCMP_SYS(socketpair), EAFNOSUPPORT, TYPE(1, SOCK_DGRAM)},
    {SCMP_SYS(socketpair), EAFNOSUPPORT, TYPE(1, SOCK_RAW)},
};

struct list {
	const struct condition *of;
	size_t count;
};

#define LIST(array) {(array), sizeof(array) / sizeof *(array)}

static const struct list networks[SANDBOX_NETWORKS] = {
    [SNAP_NETWORK_ALL] = {NULL, 0},
    [SNAP_NETWORK_UNIX] = LIST(network_unix),
    [SNAP_NETWORK_NONE] = LIST(network_none),
};

/* libseccomp's calls give 0 or a negative errno. */
static int
add_list(scmp_filter_ctx ctx, struct list l)
{
	const struct condition *c;
	int rc = 0;

	for (c = l.of; c < l.of + l.count && rc == 0; c++) {
		const struct scmp_arg_cmp cmp = {c->arg, c->op, c->a, c->b};

		rc = seccomp_rule_add_array(ctx,
		    SCMP_ACT_ERRNO((uint32_t)c->error), c->call, 1, &cmp);
	}
	return rc;
}

static int
add_rules(scmp_filter_ctx ctx, enum snap_network network, bool all_signals)
{
	const struct list basic = LIST(always);
	const struct list signals = LIST(signals_to_all);
	size_t i;
	int rc;

	for (i = 0; i < sizeof refused / sizeof *refused; i++) {
		rc = seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
		if (rc < 0)
			return rc;
	}
	rc = seccomp_rule_add(
	    ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)	/* as if it had succeeded */
		rc = seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(setsid), 0);
	if (rc == 0)
		rc = add_list(ctx, basic);
	if (rc == 0 && !all_signals)
		rc = add_list(ctx, signals);
	if (rc == 0)
		rc = add_list(ctx, networks[network]);
	if (rc == 0 && network == SNAP_NETWORK_NONE)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
		    SCMP_SYS(socket), 0);
	return rc;
}

/* The program as the kernel takes it: libseccomp writes it to a file only. */
static int
export(scmp_filter_ctx ctx, struct sandbox_filter *f)
{
	struct stat st;
	int rc = -1, fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0 ||
	    st.st_size <= 0)
		goto out;
	f->code = malloc((size_t)st.st_size);
	if (!f->code)
		goto out;
	if (pread(fd, f->code, (size_t)st.st_size, 0) != st.st_size) {
		free(f->code);
		f->code = NULL;
		goto out;
	}
	f->len = (unsigned short)((size_t)st.st_size / sizeof *f->code);
	rc = 0;
out:
	close(fd);
	return rc;
}

int
sandbox_filter_compile(struct sandbox_filter *f, enum snap_network network,
    bool all_signals, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (!ctx)
		return err_set(e, ENOMEM, "cannot make a seccomp filter");
	rc = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (rc == 0)
		rc = seccomp_attr_set(
		    ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
	if (rc == 0)
		rc = add_rules(ctx, network, all_signals);
	if (rc < 0)
		err_set(e, -rc, "cannot make a seccomp filter: %s",
		    strerror(-rc));
	else if ((rc = export(ctx, f)) < 0)
		err_sys(e, "cannot compile a seccomp filter");
	seccomp_release(ctx);
	return rc < 0 ? -1 : 0;
}

void
sandbox_filter_release(struct sandbox_filter *f)
{
	free(f->code);
	f->code = NULL;
	f->len = 0;
}

int
sandbox_filter_install(const struct sandbox_filter *f, struct err *e)
{
	const struct sock_fprog program = {f->len, f->code};

	/*
	 * Without SPEC_ALLOW, kernels before 5.16 slow the whole process down
	 * (speculative store bypass off); processes of functions share nothing
	 * that this would guard.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	        SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
		return err_sys(e, "cannot install the seccomp filter");
	return 0;
}
