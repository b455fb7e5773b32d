/*
 * resources.tables -> what the store reads: one JSON text a table, in the
 * shape of store/table/table_write.c.
 *
 * The table of keys has looked at every value by then; here it is checked that
 * they fit together.  What it refused is passed over.
 */
#ifndef CONF_TABLES_H
#define CONF_TABLES_H

#include "check.h"

/* Fills tables and ntables of c->conf from the map of tables. */
void tables_make(struct checker *c, struct node *tables);

#endif
