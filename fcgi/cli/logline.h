/*
 * Log lines for people: what a function wrote to stderr, and the JSON lines
 * of STATE/log.
 */
#ifndef CLI_LOGLINE_H
#define CLI_LOGLINE_H

#include <jansson.h>
#include <stdio.h>

enum { LOGLINE_MAX = 64 * 1024 };	/* bytes of a line */

/*
 * Prints a line of a function's stderr to stderr: "<3>text" as "NAME: error:
 * text", and of a crash's backtrace ("bothy:   at +0x1234") the place in the
 * source, if `binary` (NULL: none) and addr2line tell it.
 */
void logline_stderr(const char *function, const char *binary,
    const char *line);

/*
 * Prints a JSON line of a log: access, function, gateway or launcher.
 * `source` is the log's name without .jsonl; `color` marks what went wrong.
 */
void logline_print(FILE *out, const char *source, const json_t *line,
    const char *binary, int color);

#endif
