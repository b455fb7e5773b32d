/*
 * The tokens of scan.h.  Runs in the daemon wherever a statement is read;
 * never looks past the end of the text, and looks at each byte a bounded
 * number of times.
 */
#include "scan.h"

#include "store/base/utf8.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum scan_type type;
} words[] = {
	{"SELECT", SCAN_SELECT}, {"INSERT", SCAN_INSERT},
	{"UPDATE", SCAN_UPDATE}, {"DELETE", SCAN_DELETE},
	{"FROM", SCAN_FROM}, {"WHERE", SCAN_WHERE}, {"ORDER", SCAN_ORDER},
	{"SET", SCAN_ASSIGN}, {"REMOVE", SCAN_REMOVE},
	{"RETURNING", SCAN_RETURNING}, {"AND", SCAN_AND}, {"OR", SCAN_OR},
	{"NOT", SCAN_NOT}, {"BETWEEN", SCAN_BETWEEN}, {"IN", SCAN_IN},
	{"IS", SCAN_IS}, {"MISSING", SCAN_MISSING}, {"NULL", SCAN_NULL},
	{"TRUE", SCAN_TRUE}, {"FALSE", SCAN_FALSE},
};

/* The longer first. */
static const struct {
	char sign[3];
	enum scan_type type;
} signs[] = {
	{"<<", SCAN_SET}, {">>", SCAN_UNSET}, {"<>", SCAN_NE},
	{"!=", SCAN_NE}, {"<=", SCAN_LE}, {">=", SCAN_GE}, {"=", SCAN_EQ},
	{"<", SCAN_LT}, {">", SCAN_GT}, {"+", SCAN_PLUS}, {"-", SCAN_MINUS},
	{"*", SCAN_STAR}, {",", SCAN_COMMA}, {".", SCAN_DOT},
	{":", SCAN_COLON}, {";", SCAN_SEMICOLON}, {"(", SCAN_OPEN},
	{")", SCAN_CLOSE}, {"[", SCAN_LIST}, {"]", SCAN_UNLIST},
	{"{", SCAN_MAP}, {"}", SCAN_UNMAP}, {"?", SCAN_PARAMETER},
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
begins_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    c == '$';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
scan_is(const struct scan_token *t, const char *word)
{
	return t->type == SCAN_NAME && !t->quoted &&
	    t->text.n == strlen(word) &&
	    strncasecmp(t->text.p, word, t->text.n) == 0;
}

/* --- kinds ------------------------------------------------------------------ */

static void
scan_word(struct scan *s, struct scan_token *t)
{
	size_t i;

	while (s->at < s->end && (begins_word(*s->at) || is_digit(*s->at)))
		s->at++;
	t->type = SCAN_NAME;
	t->text = (struct text){t->p, (size_t)(s->at - t->p)};
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (scan_is(t, words[i].word))
			break;
	if (i < sizeof words / sizeof *words)
		t->type = words[i].type;
}

static void
scan_digits(struct scan *s)
{
	while (s->at < s->end && is_digit(*s->at))
		s->at++;
}

/* digits [. digits] [e [sign] digits]; number.h says what may be. */
static void
scan_number(struct scan *s, struct scan_token *t)
{
	const char *back;

	scan_digits(s);
	if (s->end - s->at > 1 && *s->at == '.' && is_digit(s->at[1])) {
		s->at++;
		scan_digits(s);
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		back = s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		if (s->at == s->end || !is_digit(*s->at))
			s->at = back;
		scan_digits(s);
	}
	t->type = SCAN_NUMBER;
	t->text = (struct text){t->p, (size_t)(s->at - t->p)};
}

/* Between `n` bytes at `p` each quote stands twice: once in what is kept. */
static int
decode(struct scan *s, const char *p, size_t n, char quote, struct text *out)
{
	char *copy = arena_alloc(s->arena, n);
	size_t i, len = 0;

	if (!copy)
		return -1;
	for (i = 0; i < n; i++) {
		copy[len++] = p[i];
		if (p[i] == quote)
			i++;
	}
	*out = (struct text){copy, len};
	return 0;
}

static void
scan_quoted(struct scan *s, struct scan_token *t, enum scan_type type)
{
	const char quote = *s->at++, *begin = s->at;
	bool doubled = false;
	size_t n;

	for (;; s->at++) {
		if (s->at == s->end)
			return;		/* SCAN_BAD */
		if (*s->at != quote)
			continue;
		if (s->end - s->at < 2 || s->at[1] != quote)
			break;
		doubled = true;
		s->at++;
	}
	n = (size_t)(s->at++ - begin);
	t->text = (struct text){begin, n};
	if (doubled && decode(s, begin, n, quote, &t->text) < 0) {
		s->failed = true;
		return;
	}
	t->type = type;
	t->quoted = true;
}

static void
scan_sign(struct scan *s, struct scan_token *t)
{
	size_t left = (size_t)(s->end - s->at), i, n;

	/* No two signs: in PartiQL it hides what stands behind it. */
	if (left > 1 && memcmp(s->at, "--", 2) == 0) {
		s->at += 2;
		return;
	}
	for (i = 0; i < sizeof signs / sizeof *signs; i++) {
		n = strlen(signs[i].sign);
		if (n > left || memcmp(s->at, signs[i].sign, n) != 0)
			continue;
		t->type = signs[i].type;
		s->at += n;
		return;
	}
	n = utf8_step(s->at, left);
	s->at += n ? n : 1;
}

/* --- one after the other ------------------------------------------------------ */

static struct scan_token
scan_one(struct scan *s)
{
	struct scan_token t;

	while (s->at < s->end && is_space(*s->at))
		s->at++;
	t = (struct scan_token){.type = SCAN_BAD, .p = s->at};
	if (s->failed)
		return t;
	if (s->at == s->end)
		t.type = SCAN_END;
	else if (begins_word(*s->at))
		scan_word(s, &t);
	else if (is_digit(*s->at))
		scan_number(s, &t);
	else if (*s->at == '\'')
		scan_quoted(s, &t, SCAN_STRING);
	else if (*s->at == '"')
		scan_quoted(s, &t, SCAN_NAME);
	else
		scan_sign(s, &t);
	t.n = (size_t)(s->at - t.p);
	return t;
}

void
scan_open(struct scan *s, struct arena *a, const char *text, size_t n)
{
	*s = (struct scan){.arena = a, .text = text, .at = text,
	    .end = text + n};
	s->token = scan_one(s);
	s->after = scan_one(s);
}

void
scan_next(struct scan *s)
{
	s->token = s->after;
	s->after = scan_one(s);
}
