/*
 * What the pusher sees: each step as it ends, with the time it took.
 */
#ifndef DEPLOY_STEPS_H
#define DEPLOY_STEPS_H

#include <stddef.h>
#include <stdint.h>

struct steps {
	int64_t began_us; /* of the step that goes on */
};

void steps_begin(struct steps *s);

/* Ends a step: "   0.02 s  TEXT"; the next one begins. */
void steps_done(struct steps *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A line without a time: "bothy: TEXT". */
void steps_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Text of others, as it is but for control bytes, which are shown as '?': it
 * goes to a terminal.
 */
void steps_text(const char *text, size_t n);

#endif
