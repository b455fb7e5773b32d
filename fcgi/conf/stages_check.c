/*
 * Checks deploy.stages where its keys alone don't tell: that each rule has one
 * address, and no two addresses or routes are the same.  Runs where a
 * configuration is loaded.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* Of a rule, the address is path or host. */
static void
check_one(struct checker *c, const struct node *name, struct node *rule)
{
	const struct conf *conf = c->conf;
	const char *address;
	size_t i;

	rule = vars_resolve(c->vars, rule);
	if (!rule || rule->type != NODE_MAP)
		return;
	if (rule->count != 1) {
		check_fail(c, name,
		    "deploy.stages.%s takes either path or host", name->text);
		return;
	}
	address = "";
	for (i = 0; i < conf->stages.count; i++)
		if (strcmp(conf->stages.items[i].name, name->text) == 0)
			address = conf->stages.items[i].value;
	if (!strchr(name->text, '*') != !strchr(address, '*'))
		check_fail(c, rule->items[0],
		    "deploy.stages.%s: a * belongs into the branch and into "
		    "its address, or into neither",
		    name->text);
}

static void
check_doubles(struct checker *c, const struct node *n)
{
	const struct conf_pairs *all = &c->conf->stages;
	size_t i, j;

	for (i = 0; i < all->count && i < n->count; i++)
		for (j = 0; j < i; j++)
			if (*all->items[i].value &&
			    strcmp(all->items[i].value, all->items[j].value) ==
				0)
				check_fail(c, n->keys[i],
				    "deploy.stages.%s and deploy.stages.%s "
				    "have the same address %s",
				    all->items[j].name, all->items[i].name,
				    all->items[i].value);
}

/* True if the route would be looked for in the stage. */
static bool
is_below(const char *route, const char *address)
{
	size_t n = strcspn(address, "*");

	if (*address != '/' || strncmp(route, address, n) != 0)
		return false;
	return address[n] == '*' ? route[n] != '\0'
				 : route[n] == '/' || route[n] == '\0';
}

static void
check_routes(struct checker *c, const struct node *n)
{
	const struct conf *conf = c->conf;
	size_t i, j;

	for (i = 0; i < conf->stages.count && i < n->count; i++)
		for (j = 0; j < conf->nroutes; j++)
			if (is_below(conf->routes[j].path,
				conf->stages.items[i].value))
				check_fail(c, n->keys[i],
				    "the route %s lies below the path of "
				    "deploy.stages.%s",
				    conf->routes[j].key,
				    conf->stages.items[i].name);
}

void
stages_check(struct checker *c, struct node *n)
{
	size_t i;

	if (n->type != NODE_MAP)
		return;
	for (i = 0; i < n->count; i++)
		check_one(c, n->keys[i], n->items[i]);
	check_doubles(c, n);
	check_routes(c, n);
}
