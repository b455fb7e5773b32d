/*
 * A whole request with a form: the first line is its Content-Type, the rest
 * its body.  All that a handler is shown is text, or bytes that are there.
 */
#include "functions/sdk/bothy.h"
#include "functions/sdk/serve.h"

#include "store/base/utf8.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static volatile unsigned char sum;

static void
check_text(const char *s)
{
	if (!utf8_valid(s, strlen(s)))
		abort();
}

static void
check_file(const struct bothy_file *f)
{
	const unsigned char *bytes = f->data;
	size_t i;

	check_text(f->name);
	check_text(f->filename);
	check_text(f->type);
	if (strpbrk(f->filename, "/\\"))
		abort();
	if (!f->data == !f->path)
		abort();
	for (i = 0; bytes && i < f->size; i++)
		sum = (unsigned char)(sum + bytes[i]);
	if (f->path && access(f->path, R_OK) != 0)
		abort();
}

int
bothy_handle(struct bothy_req *req)
{
	const struct bothy_pair *field;
	const struct bothy_file *file;
	size_t i;

	for (i = 0; (field = bothy_form_at(req, i)); i++) {
		check_text(field->name);
		check_text(field->value);
	}
	for (i = 0; (file = bothy_file_at(req, i)); i++)
		check_file(file);
	return bothy_failed(req) ? bothy_refuse(req) : bothy_status(req, 204);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const uint8_t *line_end = memchr(input, '\n', n);
	size_t type_len = line_end ? (size_t)(line_end - input) : n;
	struct sdk_io io = {.out_fd = -1, .body_bytes = n - type_len};
	char *type = strndup((const char *)input, type_len);
	struct sdk_output rest;

	if (!type)
		return 0;
	setenv("CONTENT_TYPE", type, 1);
	free(type);
	io.in_fd = memfd_create("body", MFD_CLOEXEC);
	if (line_end)
		io.body_bytes--;
	if (io.body_bytes && write(io.in_fd, line_end + 1,
	        (size_t)io.body_bytes) < 0)
		abort();
	lseek(io.in_fd, 0, SEEK_SET);
	if (sdk_serve(&io, &rest) != 0 || rest.len == 0)
		abort();
	sdk_reset();
	close(io.in_fd);
	return 0;
}
