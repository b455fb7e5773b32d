/*
 * A zygote: started, confined and initialised once, it forks the children
 * that serve one request each (or more, with requestsPerProcess).
 *
 * Calling sequence: the launcher starts a program with ABI_ENV_ZYGOTE set;
 * its main calls zygote_run(), which never returns to it.  The engine is the
 * same for a C function (sdk/function.c) and for exec functions
 * (launch/runner.c); the operations differ.
 */
#ifndef SDK_ZYGOTE_H
#define SDK_ZYGOTE_H

struct zygote_ops {
	/*
	 * Runs once, before READY.  0; anything else ends the zygote with
	 * FAILED.  May leave no thread and no process behind.
	 */
	int (*init)(void);
	/*
	 * Runs in a child: serve requests that arrive on `ctl_fd` (child.h);
	 * `own` is HOME and TMPDIR, the request's own directory.  Does not
	 * return.  Descriptors 1 and 2 are closed, 0 is /dev/null, nothing
	 * else is open.  `reuse` is requestsPerProcess, 0 for any number.
	 */
	void (*child)(int ctl_fd, char *const own[2], unsigned reuse)
	    __attribute__((noreturn));
};

/* True if this process was started as a zygote. */
int zygote_wanted(void);

/* The zygote's life; the process's exit status when it is over. */
int zygote_run(const struct zygote_ops *ops);

#endif
