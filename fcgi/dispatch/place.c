/*
 * Finding the gateway, as place.h describes it.  Runs in bothy-dispatch; opens
 * one file, looks at one, and says nothing: what is wrong, bothy-fcgi tells.
 */
#include "place.h"

#include "sys.h"
#include "text.h"

struct lines {
	const char *site, *state, *gateway, *resident;
};

/* FNV-1a, over several pieces. */
static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n--)
		h = (h ^ *s++) * 0x100000001b3;
	return h;
}

static void
take_line(struct lines *l, const char *line)
{
	const struct {
		const char *name;
		const char **to;
	} KEYS[] = {
	    {"site=", &l->site},
	    {"state=", &l->state},
	    {"gateway=", &l->gateway},
	    {"resident=", &l->resident},
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
		value = text_after(line, KEYS[i].name);
		if (value && !*KEYS[i].to)
			*KEYS[i].to = value;
	}
}

/* bothy.site beside us, if there is one: its bytes, 0 without. */
static size_t
read_file(struct place *p, const char *self, size_t directory)
{
	char path[PLACE_PATH];
	struct text t = {path, 0, sizeof path, false};
	long fd, n;

	text_add(&t, self, directory);
	text_puts(&t, "bothy.site");
	fd = t.full ? -1 : sys_open(path);
	if (fd < 0)
		return 0;
	n = sys_read((int)fd, p->file, PLACE_FILE - 1);
	sys_close((int)fd);
	return n > 0 ? (size_t)n : 0;
}

static void
take_lines(struct place *p, size_t n, struct lines *l)
{
	size_t i, start = 0;

	for (i = 0; i <= n; i++)
		if (i == n || p->file[i] == '\n') {
			p->file[i] = '\0';
			take_line(l, p->file + start);
			start = i + 1;
		}
}

/* All that a resident is started with, but the site's own files. */
static uint64_t
identity(const struct place *p, size_t bytes, char *const *envp)
{
	uint64_t h = hash(0xcbf29ce484222325, p->file, bytes);
	struct stat st = {0};

	for (; *envp; envp++)
		if (text_after(*envp, "BOTHY_"))
			h = hash(h, *envp, text_length(*envp) + 1);
	if (sys_stat(p->program, &st) < 0)
		return h;
	h = hash(h, &st.st_dev, sizeof st.st_dev);
	h = hash(h, &st.st_ino, sizeof st.st_ino);
	h = hash(h, &st.st_size, sizeof st.st_size);
	return hash(h, &st.st_mtim, sizeof st.st_mtim);
}

static void
name_socket(struct place *p, const struct lines *l, uint64_t id)
{
	struct text t = {p->socket, 0, sizeof p->socket, false};
	int shift;

	if (l->resident && text_number(l->resident) == 0)
		return;
	text_puts(&t, l->state ? l->state : l->site ? l->site : "");
	if (t.len == 0 || p->socket[0] != '/') {
		p->socket[0] = '\0';
		return;
	}
	if (!l->state)
		text_puts(&t, "/.bothy");
	text_puts(&t, "/run/resident-");
	for (shift = 60; shift >= 0; shift -= 4)
		text_add(&t, &"0123456789abcdef"[id >> shift & 15], 1);
	text_puts(&t, ".sock");
	if (t.full)
		p->socket[0] = '\0';
}

int
place_find(struct place *p, const char *self, char *const *envp)
{
	struct lines l = {.site = text_variable(envp, "BOTHY_SITE="),
	    .state = text_variable(envp, "BOTHY_STATE="),
	    .resident = text_variable(envp, "BOTHY_RESIDENT=")};
	struct text program = {p->program, 0, sizeof p->program, false};
	size_t directory = 0, bytes = 0, i;

	for (i = 0; self[i]; i++)
		if (self[i] == '/')
			directory = i + 1;
	if (!l.site)
		bytes = read_file(p, self, directory);
	take_lines(p, bytes, &l);
	if (l.gateway)
		text_puts(&program, l.gateway);
	else {
		text_add(&program, self, directory);
		text_puts(&program, "bothy-fcgi");
	}
	if (program.full)
		return -1;
	name_socket(p, &l, identity(p, bytes, envp));
	return 0;
}
