/*
 * The function ABI's wire: how a request reaches a warm child.
 *
 * Spoken between the gateway (fcgi/invoke) and a child of a zygote (the
 * SDK, or the launcher's exec runner) over a SEQPACKET socket pair that the
 * zygote made for the child alone.  What is carried is CGI/1.1 (RFC 3875): an
 * environment and the descriptors 0, 1 and 2.  Both ends are of one machine,
 * and numbers are in its byte order.
 *
 *   gateway -> child   REQUEST  header, environment block
 *                      + descriptors: [stdout stderr] [stdin]
 *   child -> gateway   FLUSH    header: what is in stdout is to go out now
 *   child -> gateway   DONE     header, then up to ABI_INLINE_MAX bytes of CGI
 *                               output that follow whatever is in stdout
 *
 * stdout and stderr are sent with the first request to a child; a child that
 * serves more keeps them.  A request without a body carries no stdin
 * (ABI_NO_STDIN): the child has /dev/null there.  A waiting child has 1 and 2
 * closed, so the kernel itself puts the first two descriptors in place.
 *
 * Whether a child began a request is told by the kernel: if the child ends
 * with the REQUEST unread, the gateway's receive fails with ECONNRESET, and
 * the request may go to another child; an end of file means that it was read,
 * so user code may have run.
 */
#ifndef SDK_ABI_H
#define SDK_ABI_H

#include <stddef.h>
#include <stdint.h>

enum {
	ABI_MAGIC = 0x42746831,		/* "Bth1" */
	ABI_ENV_MAX = 64 * 1024,	/* bytes of an environment block */
	ABI_INLINE_MAX = 64 * 1024,	/* bytes of output in DONE */
	ABI_VARIABLES_MAX = 1024,	/* variables in a block */
	ABI_CHILD_FILES = 256		/* descriptors of a child (RLIMIT_NOFILE) */
};

/*
 * struct abi_request, 32 bytes, then env_bytes of "NAME=value\0" each:
 *
 *    0 u32 magic      4 u32 flags      8 u32 env_bytes   12 u32 env_count
 *   16 u64 body_bytes                 24 i64 deadline_mono_ms (0: none)
 */
struct abi_request {
	uint32_t magic;
	uint32_t flags;		/* ABI_NO_STDIN | ABI_HAS_OUTPUTS */
	uint32_t env_bytes;
	uint32_t env_count;
	uint64_t body_bytes;
	int64_t deadline_mono_ms;
};

enum {
	ABI_NO_STDIN = 1,	/* no descriptor for 0 is there */
	ABI_HAS_OUTPUTS = 2	/* descriptors for 1 and 2 are there */
};

/* How a request ended, as the child itself saw it. */
enum abi_end {
	ABI_END_EXIT,		/* `status` is the exit status, 0 to 255 */
	ABI_END_SIGNAL,		/* `status` is the signal that ended it */
	ABI_END_NO_EXEC,	/* `status` is the errno of a failed exec */
	ABI_END_NOT_YET		/* FLUSH: the request goes on */
};

/*
 * struct abi_done (DONE and FLUSH), 40 bytes, then inline_bytes of output:
 *
 *    0 u32 magic      4 u32 end        8 i32 status      12 u32 inline_bytes
 *   16 u64 max_rss_kb                 24 u64 cpu_us
 *   32 u32 again (1: the child serves another request)   36 u32 zero
 */
struct abi_done {
	uint32_t magic;
	uint32_t end;
	int32_t status;
	uint32_t inline_bytes;
	uint64_t max_rss_kb;
	uint64_t cpu_us;
	uint32_t again;
	uint32_t zero;
};

/*
 * Check what was received: 0, or -1 for a message that is not of this ABI
 * (`n` bytes arrived in all).
 */
int abi_request_check(const struct abi_request *h, size_t n, size_t nfds);
int abi_done_check(const struct abi_done *h, size_t n);

/*
 * Sets envp[0..count) to the variables in `block` and envp[count] to NULL; the
 * block must hold `count` strings that fill it exactly, each with a '=' that
 * is not its first byte.  0, or -1.  `envp` has room for count + 1.
 */
int abi_env_split(char *block, size_t bytes, size_t count, char **envp);

/*
 * The zygote's side, spoken with the launcher over descriptor number
 * $BOTHY_ZYGOTE (SEQPACKET).
 *
 *   launcher -> zygote   FORK {count}: make that many children
 *                        REAP {}: report ended children now
 *   zygote -> launcher   READY {}: init is done
 *                        FAILED {} + text: init failed, the zygote ends
 *                        CHILDREN {count} + struct abi_child[count],
 *                          descriptors: socket and pidfd of each; {0} if
 *                          fewer were made than asked for
 *                        EXITED {count} + struct abi_exit[count]
 * End of file from the launcher: make no more children, end when the last has.
 */
enum abi_zygote_type {
	ABI_Z_FORK = 1,
	ABI_Z_REAP,
	ABI_Z_READY,
	ABI_Z_FAILED,
	ABI_Z_CHILDREN,
	ABI_Z_EXITED
};

enum {
	ABI_Z_BATCH = 16,	/* children in one message */
	ABI_Z_TEXT = 1024	/* bytes of a FAILED text */
};

struct abi_zygote {
	uint32_t magic;
	uint32_t type;
	uint32_t count;
	uint32_t zero;
};

struct abi_child {
	uint32_t serial;	/* the zygote's own number for it; its low byte
				 * differs among those that live */
	int32_t pid;		/* as the zygote sees it */
};

struct abi_exit {
	uint32_t serial;
	int32_t wait_status;	/* as waitpid's */
	uint64_t max_rss_kb;
	uint64_t cpu_us;
};

/* Variables that the launcher hands to a zygote. */
#define ABI_ENV_ZYGOTE "BOTHY_ZYGOTE"	/* descriptor of the launcher */
#define ABI_ENV_CONTAIN "BOTHY_CONTAIN"	/* namespace | subreaper */
#define ABI_ENV_SCRATCH "BOTHY_SCRATCH"	/* directory for scratch dirs */
#define ABI_ENV_REUSE "BOTHY_REUSE"	/* requestsPerProcess */

#endif
