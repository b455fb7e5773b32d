/*
 * The tokens of lex.h.  Runs in the daemon wherever a request is decoded;
 * never looks past the end of the text, never allocates.
 */
#include "lex.h"

#include "store/base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum token_type
keyword(const char *p, size_t n)
{
	static const struct {
		const char *word;
		enum token_type type;
	} words[] = {
		{"AND", TOKEN_AND}, {"OR", TOKEN_OR}, {"NOT", TOKEN_NOT},
		{"BETWEEN", TOKEN_BETWEEN}, {"IN", TOKEN_IN},
		{"SET", TOKEN_SET}, {"REMOVE", TOKEN_REMOVE},
		{"ADD", TOKEN_ADD}, {"DELETE", TOKEN_DELETE},
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].word) == n &&
		    strncasecmp(words[i].word, p, n) == 0)
			return words[i].type;
	return TOKEN_WORD;
}

/* The end of the letters, digits and underscores that begin at `p`. */
static const char *
word_end(const char *p, const char *end)
{
	while (p < end && is_word(*p))
		p++;
	return p;
}

/* A number has no zeros before it. */
static const char *
number_end(const char *p, const char *end)
{
	if (*p == '0')
		return p + 1;
	while (p < end && is_digit(*p))
		p++;
	return p;
}

static enum token_type
sign(char c)
{
	static const char signs[] = "=<>+-,.()[]";
	static const enum token_type types[] = {
		TOKEN_EQ, TOKEN_LT, TOKEN_GT, TOKEN_PLUS, TOKEN_MINUS,
		TOKEN_COMMA, TOKEN_DOT, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_INDEX,
		TOKEN_UNINDEX
	};
	const char *found = c ? strchr(signs, c) : NULL;

	return found ? types[found - signs] : TOKEN_BAD;
}

/* "<>", "<=" and ">="; else TOKEN_BAD. */
static enum token_type
double_sign(const char *p, const char *end)
{
	if (end - p < 2)
		return TOKEN_BAD;
	if (p[0] == '<' && p[1] == '>')
		return TOKEN_NE;
	if (p[0] == '<' && p[1] == '=')
		return TOKEN_LE;
	if (p[0] == '>' && p[1] == '=')
		return TOKEN_GE;
	return TOKEN_BAD;
}

static struct token
placeholder(const char *p, const char *end)
{
	const char *stop = word_end(p + 1, end);
	enum token_type type = *p == '#' ? TOKEN_NAME : TOKEN_VALUE;

	return (struct token){
		stop == p + 1 ? TOKEN_BAD : type, p, (size_t)(stop - p)
	};
}

static struct token
signs(const char *p, const char *end)
{
	enum token_type type = double_sign(p, end);
	size_t n;

	if (type != TOKEN_BAD)
		return (struct token){type, p, 2};
	type = sign(*p);
	n = type == TOKEN_BAD ? utf8_step(p, (size_t)(end - p)) : 1;
	return (struct token){type, p, n ? n : 1};
}

/* The token that begins at the first byte that is no space. */
static struct token
scan(const char *p, const char *end)
{
	size_t n;

	while (p < end && is_space(*p))
		p++;
	if (p == end)
		return (struct token){TOKEN_END, p, 0};
	if (is_letter(*p)) {
		n = (size_t)(word_end(p, end) - p);
		return (struct token){keyword(p, n), p, n};
	}
	if (is_digit(*p)) {
		n = (size_t)(number_end(p, end) - p);
		return (struct token){TOKEN_INT, p, n};
	}
	if (*p == '#' || *p == ':')
		return placeholder(p, end);
	return signs(p, end);
}

void
lex_open(struct lex *l, const char *text, size_t n)
{
	l->end = text + n;
	l->before = (struct token){TOKEN_END, text, 0};
	l->token = scan(text, l->end);
	l->after = scan(l->token.p + l->token.n, l->end);
	l->at = l->after.p + l->after.n;
}

void
lex_next(struct lex *l)
{
	l->before = l->token;
	l->token = l->after;
	l->after = scan(l->at, l->end);
	l->at = l->after.p + l->after.n;
}

struct token
lex_near(const struct lex *l)
{
	const char *stop = l->after.p + l->after.n;

	return (struct token){
		TOKEN_BAD, l->before.p, (size_t)(stop - l->before.p)
	};
}
