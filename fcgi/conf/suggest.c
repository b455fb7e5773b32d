/*
 * Edit distance (optimal string alignment) over three rows.
 */
#include "suggest.h"

#include <ctype.h>
#include <string.h>

enum { SUGGEST_MAX = 48 };	/* longer words get no suggestion */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int
fold(char c)
{
	return tolower((unsigned char)c);
}

static size_t
distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][SUGGEST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= nb; j++)
		above[j] = before[j] = j;
	for (i = 1; i <= na; i++) {
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			size_t differs = fold(a[i - 1]) != fold(b[j - 1]);

			row[j] = least(above[j - 1] + differs,
			    least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 &&
			    fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

void
suggest_offer(struct suggest *s, const char *known)
{
	size_t n = strlen(s->word), k = strlen(known), d, most;

	if (n == 0 || n > SUGGEST_MAX || k == 0 || k > SUGGEST_MAX)
		return;
	most = (n > k ? n : k) / 3;
	if (most == 0)
		most = 1;
	d = distance(s->word, n, known, k);
	if (d > most || d >= k || (s->best && d >= s->distance))
		return;
	s->best = known;
	s->distance = d;
}
