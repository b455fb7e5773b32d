/*
 * Says what it was given: its environment, and length and CRC-32 of its body.
 */
#include <bothy.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static uint32_t
crc32_add(uint32_t crc, const unsigned char *p, size_t n)
{
	int bit;

	for (crc = ~crc; n; n--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static json_t *
environment(void)
{
	json_t *env = json_object();
	char **p, name[512];

	for (p = environ; *p; p++) {
		size_t n = strcspn(*p, "=");

		if (n >= sizeof name)
			continue;
		memcpy(name, *p, n);
		name[n] = '\0';
		json_object_set_new(env, name, json_string(*p + n + 1));
	}
	return env;
}

int
bothy_handle(struct bothy_req *req)
{
	char buf[16384], cwd[4096];
	uint32_t crc = 0;
	json_int_t bytes = 0;
	ssize_t n;

	while ((n = bothy_read(req, buf, sizeof buf)) > 0) {
		crc = crc32_add(crc, (unsigned char *)buf, (size_t)n);
		bytes += n;
	}
	return bothy_json_new(req, 200, json_pack(
	    "{s:o, s:I, s:I, s:i, s:s}", "env", environment(), "bytes", bytes,
	    "crc32", (json_int_t)crc, "pid", (int)getpid(), "cwd",
	    getcwd(cwd, sizeof cwd)));
}
