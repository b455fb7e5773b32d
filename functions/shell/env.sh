#!/bin/sh
# ANY /shell: what a CGI program is told about its request, one variable a
# line.  Any executable is a function with `runtime: exec`.

printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n'
env | sort
if [ "${CONTENT_LENGTH:-0}" -gt 0 ]; then
	printf '\n%s bytes of body:\n' "$CONTENT_LENGTH"
	head -c "$CONTENT_LENGTH"
fi
