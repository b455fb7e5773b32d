/*
 * Clocks and their two text forms; locale plays no part.
 */
#include "clock.h"

#include <stdio.h>
#include <string.h>

static const char DAYS[7][4] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t
now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

/*
 * The date of a moment in UTC: years, months and days as people count them.
 * (gmtime would read the time zone's file, at each start of a CGI program.)
 * Days are counted from 1 March of a year that is divisible by 400, so that
 * the leap day is the last of its year.
 */
static void
civil(time_t t, struct tm *tm)
{
	int64_t days = t / 86400, rest = t % 86400;
	int64_t era, of_era, year, of_year, month;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	tm->tm_hour = (int)(rest / 3600);
	tm->tm_min = (int)(rest / 60 % 60);
	tm->tm_sec = (int)(rest % 60);
	tm->tm_wday = (int)((days % 7 + 11) % 7);
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
	    365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	tm->tm_mday = (int)(of_year - (153 * month + 2) / 5 + 1);
	tm->tm_mon = (int)(month < 10 ? month + 2 : month - 10);
	tm->tm_year = (int)(year + era * 400 + (month >= 10) - 1900);
}

/* Two or more digits of `v` ending before `end`. */
static void
digits(char *end, int width, unsigned v)
{
	while (width-- > 0) {
		*--end = (char)('0' + v % 10);
		v /= 10;
	}
}

void
clock_iso(int64_t wall_ms, char *out)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	civil(t, &tm);
	memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_ISO_SIZE);
	digits(out + 4, 4, (unsigned)(tm.tm_year + 1900));
	digits(out + 7, 2, (unsigned)(tm.tm_mon + 1));
	digits(out + 10, 2, (unsigned)tm.tm_mday);
	digits(out + 13, 2, (unsigned)tm.tm_hour);
	digits(out + 16, 2, (unsigned)tm.tm_min);
	digits(out + 19, 2, (unsigned)tm.tm_sec);
	digits(out + 23, 3, (unsigned)(wall_ms % 1000));
}

void
clock_http(time_t t, char *out)
{
	struct tm tm;

	civil(t, &tm);
	memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", CLOCK_HTTP_SIZE);
	memcpy(out, DAYS[tm.tm_wday], 3);
	memcpy(out + 8, MONTHS[tm.tm_mon], 3);
	digits(out + 7, 2, (unsigned)tm.tm_mday);
	digits(out + 16, 4, (unsigned)(tm.tm_year + 1900));
	digits(out + 19, 2, (unsigned)tm.tm_hour);
	digits(out + 22, 2, (unsigned)tm.tm_min);
	digits(out + 25, 2, (unsigned)tm.tm_sec);
}

int
clock_http_parse(const char *s, time_t *t)
{
	struct tm tm = {0};
	char day[4], month[4], zone[4];
	int i;

	if (sscanf(s, "%3s, %2d %3s %4d %2d:%2d:%2d %3s", day, &tm.tm_mday,
	        month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
	        zone) != 8 ||
	    strcmp(zone, "GMT") != 0)
		return -1;
	for (i = 0; i < 12 && strcmp(month, MONTHS[i]) != 0; i++)
		;
	if (i == 12)
		return -1;
	tm.tm_mon = i;
	tm.tm_year -= 1900;
	*t = timegm(&tm);
	return *t == (time_t)-1 ? -1 : 0;
}
