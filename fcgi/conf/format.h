/*
 * The forms that names and values in deploy.yaml must have: each gives NULL
 * for a well-formed string, else what it must be ("must be ...").
 */
#ifndef CONF_FORMAT_H
#define CONF_FORMAT_H

#include <stdbool.h>

const char *format_name(const char *s);		/* service, stage */
const char *format_function_name(const char *s);
const char *format_param_name(const char *s);
const char *format_env_name(const char *s);	/* and not reserved */
const char *format_base_path(const char *s);
const char *format_network(const char *s);	/* 10.0.0.0/8, ::1 */
const char *format_origin(const char *s);	/* https://a.example, * */
const char *format_token(const char *s);	/* RFC 9110 5.6.2, or * */
const char *format_path(const char *s);		/* of the file system */
const char *format_table_name(const char *s);	/* and an index's */
const char *format_attribute(const char *s);
const char *format_resource(const char *s);	/* table/x, *, an ARN */
const char *format_mirror_name(const char *s);
const char *format_mirror_url(const char *s);
const char *format_endpoint(const char *s);	/* https://HOST[:PORT] */
const char *format_region(const char *s);
const char *format_smoke(const char *s);	/* GET /health 200 */

/* True if `s` is [A-Za-z_][A-Za-z0-9_]*. */
bool format_identifier(const char *s);

#define FORMAT_NAME_PATTERN "^[A-Za-z0-9_-]{1,64}$"
#define FORMAT_TABLE_PATTERN "^[A-Za-z0-9_.-]{3,255}$"
#define FORMAT_ENDPOINT_PATTERN "^https?://[A-Za-z0-9.:[\\]-]+$"
#define FORMAT_REGION_PATTERN "^[a-z0-9-]{1,60}$"
#define FORMAT_MIRROR_PATTERN "^[A-Za-z0-9._-]{1,64}$"
#define FORMAT_SMOKE_PATTERN "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) " \
	"/[!\"$-\\[\\]-~]* [2-5][0-9][0-9]$"
#define FORMAT_ENV_PATTERN "^[A-Za-z_][A-Za-z0-9_]*$"

#endif
