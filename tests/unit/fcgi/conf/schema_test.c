/*
 * What is made from the table of keys is complete: the JSON Schema, and the
 * manual page.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/conf/keys.h"
#include "fcgi/conf/schema.h"

#include <jansson.h>

static json_t *
load_schema(void)
{
	json_error_t error;
	struct buf out;
	json_t *schema;

	buf_init(&out, 1024 * 1024);
	schema_write(&out);
	assert_true(buf_ok(&out));
	assert_int_equal(out.data[out.len - 1], '\n');
	schema = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES,
	    &error);
	if (!schema)
		fail_msg("line %d col %d: %s", error.line, error.column,
		    error.text);
	buf_release(&out);
	return schema;
}

/* The alternative of `value` that has a member, or NULL. */
static const json_t *
alternative(const json_t *value, const char *member)
{
	const json_t *any = json_object_get(value, "anyOf");
	size_t i;

	for (i = 0; i < json_array_size(any); i++)
		if (json_object_get(json_array_get(any, i), member))
			return json_array_get(any, i);
	return NULL;
}

/* Everything that the table says about a key must be in its schema. */
static void
compare(const struct key *k, const json_t *value)
{
	const json_t *has, *keys;
	const struct key *child;
	const char *text;

	assert_non_null(value);
	text = json_string_value(json_object_get(value, "description"));
	assert_non_null(text);
	assert_string_equal(text, k->text);
	assert_non_null(alternative(value, "$ref"));
	if (k->shape & KEY_WORD)
		assert_non_null(alternative(value, "enum"));
	if (k->shape & KEY_LIST)
		compare(k->item, json_object_get(
		    alternative(value, "items"), "items"));
	if (k->shape & KEY_NAMES)
		compare(k->item, json_object_get(
		    alternative(value, "additionalProperties"),
		    "additionalProperties"));
	if (k->unit) {
		has = alternative(value, "maximum");
		assert_non_null(has);
		assert_true(json_number_value(json_object_get(has,
		    "maximum")) == k->max);
	}
	if (!(k->shape & KEY_MAP))
		return;
	keys = json_object_get(alternative(value, "properties"),
	    "properties");
	for (child = k->keys; child->name; child++) {
		has = json_object_get(keys, child->name);
		if (child->refused)
			assert_null(has);
		else
			compare(child, has);
	}
}

static void
schema_says_what_the_table_says(void **state)
{
	json_t *schema = load_schema();
	const struct key *k;
	const json_t *root, *keys;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(schema,
	    "$schema")), "https://json-schema.org/draft/2020-12/schema");
	root = json_array_get(json_object_get(schema, "allOf"), 0);
	assert_true(json_is_false(json_object_get(root,
	    "additionalProperties")));
	keys = json_object_get(root, "properties");
	for (k = keys_root.keys; k->name; k++)
		if (!k->refused)
			compare(k, json_object_get(keys, k->name));
	assert_int_equal(json_array_size(json_object_get(root, "required")),
	    2);
	json_decref(schema);
}

/* --- the table itself ----------------------------------------------------- */

static void
visit(const struct key *k, void (*each)(const struct key *, const char *),
    const char *path)
{
	const struct key *child;
	char below[256];

	each(k, path);
	for (child = k->keys; child && child->name; child++) {
		snprintf(below, sizeof below, "%.150s.%.100s", path,
		    child->name);
		visit(child, each, below);
	}
	if (k->item) {
		snprintf(below, sizeof below, "%.250s.*", path);
		visit(k->item, each, below);
	}
}

static void
check_entry(const struct key *k, const char *path)
{
	if (k->refused) {
		assert_int_equal(k->shape, 0);
		return;
	}
	if (!k->shape || !k->text)
		fail_msg("%s has no shape or text", path);
	if ((k->shape & KEY_NUMBER) && !(k->shape & KEY_STRING) &&
	    (!k->unit || k->scale == 0 || k->max <= k->min ||
	    k->max * k->scale >= UINT32_MAX))
		fail_msg("%s needs unit, scale and bounds", path);
	if ((k->shape & (KEY_STRING | KEY_LIST | KEY_NAMES)) && k->max <= 0)
		fail_msg("%s needs a limit", path);
	if ((k->shape & (KEY_NAMES | KEY_LIST)) && !k->item)
		fail_msg("%s needs an item", path);
	if ((k->shape & KEY_NAMES) && !k->format)
		fail_msg("%s needs a form of names", path);
	if ((k->shape & KEY_MAP) && !k->keys)
		fail_msg("%s needs keys", path);
	if ((k->shape & KEY_WORD) && !k->words)
		fail_msg("%s needs words", path);
}

static void
table_is_complete(void **state)
{
	(void)state;
	visit(&keys_root, check_entry, "");
}

/* --- the manual page ------------------------------------------------------ */

static struct buf page;

/* Each key has an item of its own: ".It Cm name". */
static void
check_page(const struct key *k, const char *path)
{
	char item[128];
	int i;

	if (!*k->name || strcmp(k->name, "*") == 0 || k->refused)
		return;
	snprintf(item, sizeof item, "\n.It Cm %s", k->name);
	if (!strstr(buf_str(&page), item))
		fail_msg("deploy.yaml.5 has no item for %s", path);
	for (i = 0; k->words && k->words[i]; i++) {
		snprintf(item, sizeof item, "Cm %s", k->words[i]);
		if (!strstr(buf_str(&page), item))
			fail_msg("deploy.yaml.5 does not say %s of %s",
			    k->words[i], path);
	}
	if (k->unit) {
		snprintf(item, sizeof item, "%.10g", k->max);
		if (!strstr(buf_str(&page), item))
			fail_msg("deploy.yaml.5 does not say %s of %s", item,
			    path);
	}
}

static void
manual_page_has_every_key(void **state)
{
	struct err e;

	(void)state;
	buf_init(&page, 1024 * 1024);
	assert_int_equal(io_read_file(AT_FDCWD, "fcgi/conf/deploy.yaml.5",
	    &page, &e), 0);
	visit(&keys_root, check_page, "");
	buf_release(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_says_what_the_table_says),
		cmocka_unit_test(table_is_complete),
		cmocka_unit_test(manual_page_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
