/*
 * Reads a CGI reply as it comes, and prints it (cgishow.h).
 */
#include "cgishow.h"

#include "logline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
cgishow_init(struct cgishow *s, struct cgi_result *result)
{
	memset(result, 0, sizeof *result);
	s->result = result;
	s->in_body = false;
	buf_init(&s->header, CGISHOW_HEADER_MAX);
	buf_init(&s->line, LOGLINE_MAX);
}

/* RFC 3875 section 6 rules what follows. */
static void
complain(struct cgishow *s, const char *what, const char *line)
{
	snprintf(s->result->wrong, sizeof s->result->wrong, "%s: \"%.80s\"",
	    what, line);
}

/* One header line, without its end. */
static void
header_line(struct cgishow *s, char *line)
{
	char *colon = strchr(line, ':');
	const char *value;
	long status;

	if (!colon || colon == line) {
		complain(s, "a header line has no name", line);
		return;
	}
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strncasecmp(line, "Status:", 7) == 0) {
		status = strtol(value, NULL, 10);
		if (status < 200 || status > 599)
			complain(s, "the status is none", line);
		else
			s->result->status = (int)status;
	} else if (strncasecmp(line, "Location:", 9) == 0 &&
	    s->result->status == 0)
		s->result->status = 302;
	if (s->show_header && strncasecmp(line, "Status:", 7) != 0)
		printf("%s\n", line);
}

/* All headers are there: tells the status, prints them if asked. */
static void
parse_header(struct cgishow *s)
{
	char *rest = s->header.data, *line, *end;
	bool any = false;

	while ((line = strsep(&rest, "\n"))) {
		end = line + strlen(line);
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		if (!*line)
			continue;
		any = true;
		header_line(s, line);
	}
	if (!any)
		complain(s, "the output begins without a header",
		    "Content-Type: ... and an empty line come first");
	if (s->result->wrong[0])
		s->result->status = 0;
	else if (s->result->status == 0)
		s->result->status = 200;
	if (s->show_header)
		printf("Status: %d\n\n", s->result->status);
}

/* Where the header ends, behind its blank line; 0 if it does not yet. */
static size_t
header_end(const struct buf *b)
{
	const char *text = buf_str(b), *nl = text;

	if (text[0] == '\n')
		return 1;
	if (text[0] == '\r' && text[1] == '\n')
		return 2;
	while ((nl = strchr(nl, '\n'))) {
		nl++;
		if (nl[0] == '\n')
			return (size_t)(nl + 1 - text);
		if (nl[0] == '\r' && nl[1] == '\n')
			return (size_t)(nl + 2 - text);
	}
	return 0;
}

static void
put_body(struct cgishow *s, const char *p, size_t n)
{
	if (s->keep) {
		cgikeep_body(s->keep, p, n);
		return;
	}
	fwrite(p, 1, n, stdout);
	fflush(stdout);
}

static void
put_line(struct cgishow *s)
{
	if (s->keep)
		cgikeep_line(s->keep, buf_str(&s->line));
	else
		logline_stderr(s->function, s->binary, buf_str(&s->line));
}

void
cgishow_output(struct cgishow *s, const char *p, size_t n)
{
	struct buf body;
	size_t end;

	if (s->in_body) {
		put_body(s, p, n);
		return;
	}
	if (buf_add(&s->header, p, n) < 0) {
		if (!s->result->wrong[0])
			complain(s, "the header has no end within 64 KB",
			    "an empty line belongs behind it");
		return;
	}
	end = header_end(&s->header);
	if (!end)
		return;
	s->in_body = true;
	buf_init(&body, CGISHOW_HEADER_MAX);
	buf_add(&body, s->header.data + end, s->header.len - end);
	s->header.data[end - 1] = '\0';
	parse_header(s);
	put_body(s, buf_str(&body), body.len);
	buf_release(&body);
}

void
cgishow_errors(struct cgishow *s, const char *p, size_t n)
{
	const char *nl;
	size_t k;

	while (n) {
		nl = memchr(p, '\n', n);
		k = nl ? (size_t)(nl - p) : n;
		buf_add(&s->line, p, k);
		if (!nl)
			return;
		put_line(s);
		buf_reset(&s->line);
		p += k + 1;
		n -= k + 1;
	}
}

void
cgishow_end(struct cgishow *s)
{
	if (s->line.len)
		put_line(s);
	if (!s->in_body && !s->result->wrong[0])
		complain(s, "the output ends within the header",
		    s->header.len ? buf_str(&s->header) : "(nothing at all)");
	buf_release(&s->header);
	buf_release(&s->line);
}
