// A handler in C++11: bothy.h must be clean there, attributes and all.
#include <bothy.h>

#include <string>

int
bothy_handle(struct bothy_req *req)
{
	bothy_cookie_attrs attrs = bothy_cookie_attrs();
	std::string names;

	attrs.same_site = BOTHY_SAME_SITE_STRICT;
	bothy_set_cookie(req, "seen", "1", &attrs);
	bothy_limit(req, BOTHY_MAX_FIELDS, 10);
	for (size_t i = 0; const bothy_pair *p = bothy_query_at(req, i); i++)
		names += p->name;
	bothy_log(BOTHY_INFO, "%s", names.c_str());
	return bothy_json_new(req, 200, json_string(names.c_str()));
}
