/*
 * The gateway's own answers (answer.h).
 */
#include "answer.h"

#include <string.h>

struct phrase {
	int status;
	const char *phrase;
	const char *message;	/* what a client is told; NULL: the phrase */
};

/* The IANA registry, and 507 which a full disk is. */
static const struct phrase phrases[] = {
    {200, "OK", NULL},
    {201, "Created", NULL},
    {202, "Accepted", NULL},
    {203, "Non-Authoritative Information", NULL},
    {204, "No Content", NULL},
    {205, "Reset Content", NULL},
    {206, "Partial Content", NULL},
    {207, "Multi-Status", NULL},
    {300, "Multiple Choices", NULL},
    {301, "Moved Permanently", NULL},
    {302, "Found", NULL},
    {303, "See Other", NULL},
    {304, "Not Modified", NULL},
    {307, "Temporary Redirect", NULL},
    {308, "Permanent Redirect", NULL},
    {400, "Bad Request", NULL},
    {401, "Unauthorized", NULL},
    {402, "Payment Required", NULL},
    {403, "Forbidden", NULL},
    {404, "Not Found", NULL},
    {405, "Method Not Allowed", NULL},
    {406, "Not Acceptable", NULL},
    {408, "Request Timeout", NULL},
    {409, "Conflict", NULL},
    {410, "Gone", NULL},
    {411, "Length Required", NULL},
    {412, "Precondition Failed", NULL},
    {413, "Content Too Large", "the request body is too large"},
    {414, "URI Too Long", "the address is too long"},
    {415, "Unsupported Media Type", NULL},
    {416, "Range Not Satisfiable", NULL},
    {418, "I'm a teapot", NULL},
    {421, "Misdirected Request", NULL},
    {422, "Unprocessable Content", NULL},
    {423, "Locked", NULL},
    {425, "Too Early", NULL},
    {426, "Upgrade Required", "this address speaks WebSocket only"},
    {428, "Precondition Required", NULL},
    {429, "Too Many Requests", "too many requests: try again later"},
    {431, "Request Header Fields Too Large", NULL},
    {451, "Unavailable For Legal Reasons", NULL},
    {500, "Internal Server Error", NULL},
    {501, "Not Implemented", NULL},
    {502, "Bad Gateway", "the function failed"},
    {503, "Service Unavailable", "overloaded: try again later"},
    {504, "Gateway Timeout", "the function took too long"},
    {507, "Insufficient Storage", NULL},
};

static const struct phrase *
find_phrase(int status)
{
	static const struct phrase none = {0, "Status", NULL};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return &phrases[i];
	return &none;
}

const char *
answer_phrase(int status)
{
	return find_phrase(status)->phrase;
}

static void
add_line(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, name);
	buf_puts(out, value);
	buf_puts(out, "\r\n");
}

/* The header block with its empty line. */
static void
add_header(struct buf *out, int status, const char *type, size_t body_bytes,
    const struct answer *a)
{
	unsigned seconds = a->retry_after_s ? a->retry_after_s : 1;

	buf_printf(out, "Status: %d %s\r\n", status, answer_phrase(status));
	add_line(out, "Content-Type: ", type);
	buf_printf(out, "Content-Length: %zu\r\n", body_bytes);
	buf_puts(out, "Cache-Control: no-store\r\n");
	if (a->request_id)
		add_line(out, "X-Request-Id: ", a->request_id);
	if (a->allow)
		add_line(out, "Allow: ", a->allow);
	if (a->authenticate)
		add_line(out, "WWW-Authenticate: ", a->authenticate);
	if (status == 429 || status == 503)
		buf_printf(out, "Retry-After: %u\r\n", seconds);
	if (a->cors)
		cors_lines(a->cors, a->origin, out);
	buf_puts(out, "\r\n");
}

/* Header and body, the body put together first, behind what is in `out`. */
static void
add_whole(struct buf *out, int status, const char *type,
    const struct buf *body, const struct answer *a)
{
	if (!buf_ok(body)) {
		out->failed = true;
		return;
	}
	add_header(out, status, type, body->len, a);
	if (!a->head)
		buf_add(out, body->data, body->len);
}

void
answer_json(struct buf *out, const struct answer *a)
{
	const struct phrase *p = find_phrase(a->status);
	const char *message = a->message;
	struct buf body;

	if (!message)
		message = p->message ? p->message : p->phrase;
	buf_init(&body, 8 * 1024);
	buf_puts(&body, "{\"message\":");
	buf_json(&body, message, strlen(message));
	buf_puts(&body, "}\n");
	add_whole(out, a->status, "application/json", &body, a);
	buf_release(&body);
}

void
answer_ok(struct buf *out, const char *json, const struct answer *a)
{
	size_t len = strlen(json);

	add_header(out, 200, "application/json", len, a);
	if (!a->head)
		buf_add(out, json, len);
}

/* Text as HTML; control bytes but line feeds and tabs are left out. */
static void
add_escaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			if ((unsigned char)*s >= 0x20 || *s == '\n' ||
			    *s == '\t')
				buf_putc(out, *s);
		}
	}
}

static const char page_style[] =
    "<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;"
    "max-width:60rem;padding:0 1rem;color:#222;background:#fff}\n"
    "h1{font-size:1.3rem;color:#a00}\n"
    "pre{background:#f6f6f6;border-left:4px solid #a00;padding:1rem;"
    "overflow:auto;font:14px/1.45 ui-monospace,monospace}\n"
    "mark{background:none;color:#a00;font-weight:bold}\n"
    "footer{color:#666;font-size:.85rem}\n"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}"
    "h1,mark{color:#f77}pre{background:#222}footer{color:#999}}\n"
    "</style>\n";

/* The compiler's lines; those with "error:" stand out. */
static void
add_compiler_text(struct buf *out, const char *text)
{
	const char *line, *end;
	struct buf one;
	bool marked;

	buf_init(&one, 64 * 1024);
	for (line = text; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		buf_reset(&one);
		buf_add(&one, line, (size_t)(end - line));
		marked = strstr(buf_str(&one), "error:") != NULL;
		buf_puts(out, marked ? "<mark>" : "");
		add_escaped(out, buf_str(&one));
		buf_puts(out, marked ? "</mark>\n" : "\n");
	}
	buf_release(&one);
}

void
answer_compile_error(struct buf *out, const char *function,
    const char *text, const struct answer *a)
{
	struct buf body;

	buf_init(&body, 1024 * 1024);
	buf_puts(&body, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
	                "<meta charset=\"utf-8\">\n"
	                "<meta name=\"viewport\" "
	                "content=\"width=device-width, initial-scale=1\">\n"
	                "<title>");
	add_escaped(&body, function);
	buf_puts(&body, ": does not compile</title>\n");
	buf_puts(&body, page_style);
	buf_puts(&body, "</head>\n<body>\n<h1>");
	add_escaped(&body, function);
	buf_puts(&body, " does not compile</h1>\n<pre>");
	add_compiler_text(&body, text);
	buf_puts(&body, "</pre>\n<footer>Save the file to build it again; the "
	                "other routes go on. Only bothy run shows this page."
	                "</footer>\n</body>\n</html>\n");
	add_whole(out, 500, "text/html; charset=utf-8", &body, a);
	buf_release(&body);
}
