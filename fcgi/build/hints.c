/*
 * The table of known compiler and linker troubles (hints.h).
 */
#include "hints.h"

#include <string.h>

static const struct {
	const char *sign, *hint;
} hints[] = {
    {"in statically linked applications",
	"a static program finds no name servers, plug-ins or character sets "
	"of the system: give it `link: dynamic` in deploy.yaml"},
    {"undefined reference to `bothy_handle'",
	"a function defines int bothy_handle(struct bothy_req *req)"},
    {"multiple definition of `main'",
	"main() is the SDK's: define bothy_handle(), or make this a program "
	"of its own with `runtime: exec`"},
    {"jansson.h: No such file",
	"install Jansson (Debian: apt install libjansson-dev)"},
    {"cannot find -ljansson",
	"install Jansson (Debian: apt install libjansson-dev)"},
    {"cannot find -lc",
	"install the C library (Debian: apt install libc6-dev)"},
};

void
hints_add(struct buf *messages, const char *function)
{
	const char *last = NULL;
	size_t i;

	for (i = 0; i < sizeof hints / sizeof *hints; i++) {
		if (hints[i].hint == last ||
		    !strstr(buf_str(messages), hints[i].sign))
			continue;
		last = hints[i].hint;
		buf_printf(messages, "%s: hint: %s\n", function, last);
	}
}
