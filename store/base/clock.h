/*
 * Time: the monotonic clock for durations and deadlines, the wall clock for
 * logs and headers.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in milliseconds and microseconds. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Wall clock, milliseconds since 1970. */
int64_t clock_wall_ms(void);

enum { CLOCK_ISO_SIZE = 25, CLOCK_HTTP_SIZE = 30 };

/* "2026-11-22T10:20:30.123Z" (RFC 3339); `out` has CLOCK_ISO_SIZE bytes. */
void clock_iso(int64_t wall_ms, char *out);

/* "Sun, 22 Nov 2026 10:20:30 GMT" (RFC 9110 5.6.7); CLOCK_HTTP_SIZE bytes. */
void clock_http(time_t t, char *out);

/* The inverse of clock_http: 0 and *t, or -1 if `s` is no such date. */
int clock_http_parse(const char *s, time_t *t);

#endif
