/*
 * A smoke request as deploy.yaml writes it: 'GET /health 200'.
 */
#ifndef CONF_SMOKE_H
#define CONF_SMOKE_H

enum {
	SMOKE_MAX = 50, /* requests of a site */
	SMOKE_PATH_MAX = 1024,
	SMOKE_TEXT_MAX = SMOKE_PATH_MAX + 16
};

struct smoke_request {
	char method[8];
	char path[SMOKE_PATH_MAX + 1]; /* with its query; encoded */
	int status;		       /* that is right */
};

/* Takes the text apart: 0, or -1 if it is not like that. */
int smoke_read(const char *text, struct smoke_request *out);

#endif
