/*
 * One request through one function process: hand it over, read what comes
 * back, end it in time.
 *
 * Called by a gateway's worker (or the CLI), which blocks until the process is
 * done with the request.  It parses no reply: output goes to the caller byte
 * by byte.  Nothing can deadlock: the body is a file, and output, log and end
 * are read as they come.
 */
#ifndef INVOKE_RUN_H
#define INVOKE_RUN_H

#include "invoke.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum run_end {
	RUN_EXIT,	/* the process ended, status = its exit status */
	RUN_SIGNAL,	/* it crashed, status = the signal (0: not known) */
	RUN_NO_EXEC,	/* the program could not be started, status = errno */
	RUN_CLOSED,	/* it closed its output and went on; it was ended */
	RUN_TIMEOUT,	/* the deadline or the idle timeout; it was ended */
	RUN_MEMORY,	/* it passed memorySize; it was ended */
	RUN_PROCESSES,	/* it had too many processes; it was ended */
	RUN_STOPPED,	/* the caller wanted no more, or the client left */
	RUN_REFUSED	/* no process was to be had: status = launch_refusal */
};

struct run_request {
	const char *env;	/* "NAME=value\0"..., env_bytes in all */
	size_t env_bytes, env_count;
	int body_fd;		/* borrowed; -1: no body */
	uint64_t body_bytes;
	int64_t deadline_mono_ms;	/* 0: none */
	int64_t idle_timeout_ms;	/* between two outputs; 0: none */
	int client_fd;		/* watched for its hang-up; -1: none */
	bool stop_on_leave;	/* end the process when the client left */

	void *ctx;		/* of the calls below */
	/* Output.  -1: the caller wants no more, the process is ended. */
	int (*output)(void *ctx, const char *p, size_t n);
	/* What was put out so far is to reach the client. -1 as above. */
	int (*flush)(void *ctx);
	/* What the process wrote to stderr. */
	void (*log)(void *ctx, const char *p, size_t n);
	/* Time is up: called before the process is asked to end. */
	void (*expired)(void *ctx);
};

struct run_result {
	enum run_end end;
	int status;
	int64_t cpu_us, peak_kb;	/* -1: not known */
	int64_t lease_us;		/* waiting for a process */
	char text[512];			/* RUN_REFUSED: why, for people */
};

/* A worker's buffers and spare pipes, reused. */
struct run;
struct run *run_new(void);
void run_free(struct run *r);

void run_request(struct run *r, struct invoke_pool *p,
    const struct run_request *q, struct run_result *out);

/*
 * Closes what the last request left, and makes ready for the next one: call
 * it when the reply has gone out, so that nobody waits for it.
 */
void run_rest(struct run *r);

#endif
