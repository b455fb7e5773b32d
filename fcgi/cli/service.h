/*
 * A daemon that `bothy run` keeps: started in the foreground in a process
 * group of its own, ended with us whatever happens to us.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct service {
	const char *name;
	pid_t pid;		/* 0: not running */
	int64_t started_ms;
	int status;		/* of its last end, as waitpid's */
};

/* Starts argv[0] (a path). 0, or -1 with the error set. */
int service_start(struct service *s, const char *const *argv, struct err *e);

/* Looks whether it has ended: true once, and pid is 0. */
bool service_ended(struct service *s);

/* Sends a signal if it runs. */
void service_signal(const struct service *s, int sig);

/* TERM, up to `grace_ms` to leave, KILL; waits for its end. */
void service_stop(struct service *s, int64_t grace_ms);

/* How it ended, for people: "exit status 1", "signal 11". */
void service_ending(const struct service *s, char *out, size_t room);

#endif
