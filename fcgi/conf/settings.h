/*
 * resources.store -> what the store reads: one JSON text, in the shape of
 * store/engine/settings.h.  The table of keys has looked at every value.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "keys.h"
#include "zone.h"

/* In the zone; NULL without memory. */
const char *settings_json(struct zone *z, const struct store_keys *k);

#endif
