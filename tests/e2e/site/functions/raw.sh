#!/bin/sh
# Writes CGI replies byte by byte, good and bad ones.
type='Content-Type: text/plain\n'
long() {	# $1 bytes
	head -c "$1" /dev/zero | tr '\0' x
}
case $BOTHY_PARAM_case in
ok)		printf "${type}\nfine" ;;
crlf)		printf 'Content-Type: text/plain\r\n\r\nfine' ;;
status)		printf "Status: 418 Short and stout\n${type}\nfine" ;;
status-number)	printf "Status: 299\n${type}\nfine" ;;
no-content)	printf 'Status: 204\n\n' ;;
error)		printf "Status: 500 Mine\n${type}\nmy own" ;;
absolute)	printf 'Location: https://example.org/there?x=1\n\n' ;;
relative)	printf 'Status: 303 See Other\nLocation: /there\n\n' ;;
document)	printf "Location: https://example.org/\n${type}\nmoved" ;;
local)		printf 'Location: /echo/moved?x=1\n\n' ;;
loop)		printf 'Location: /raw/loop\n\n' ;;
nowhere)	printf 'Location: /nowhere\n\n' ;;
cookies)	printf "${type}Set-Cookie: a=1; Path=/\n"
		printf 'Set-Cookie: b=2\n\nfine' ;;
length)		printf "${type}Content-Length: 4\n\nfine" ;;
surplus)	printf "${type}Content-Length: 4\n\nfine and more" ;;
own-id)		printf "${type}X-Request-Id: mine\nConnection: x\n\nfine" ;;
sendfile)	printf "${type}X-Sendfile: /etc/passwd\n"
		printf 'X-Accel-Redirect: /x\n\nfine' ;;
line-8000)	printf "${type}X-Long: $(long 7980)\n\nfine" ;;
exit-3)		printf "${type}\nfine"; exit 3 ;;
background)	printf "${type}\nfine"; sleep 600 & ;;
closed)		printf "${type}\nfine"; exec >&- 2>&-; sleep 600 ;;

nothing)	;;
nothing-3)	exit 3 ;;
garbage)	printf '\001\002 no header at all' ;;
no-end)		printf "${type}" ;;
no-header)	printf '\nonly a body' ;;
no-type)	printf 'X-Some: thing\n\nbody' ;;
no-colon)	printf "${type}what is this\n\nbody" ;;
bad-name)	printf "${type}Bad Name: x\n\nbody" ;;
control)	printf "${type}X-Bad: a\001b\n\nbody" ;;
return)		printf "${type}X-Bad: a\rSet-Cookie: x=1\n\nbody" ;;
folded)		printf "${type}X-Folded: a\n b\n\nbody" ;;
http)		printf "HTTP/1.1 200 OK\n${type}\nbody" ;;
status-word)	printf "Status: fine\n${type}\nbody" ;;
status-101)	printf "Status: 101 Switching\n${type}\nbody" ;;
status-999)	printf "Status: 999\n${type}\nbody" ;;
two-status)	printf "Status: 200\nStatus: 201\n${type}\nbody" ;;
two-lengths)	printf "${type}Content-Length: 4\nContent-Length: 5\n\nbody" ;;
length-word)	printf "${type}Content-Length: four\n\nbody" ;;
too-short)	printf "${type}Content-Length: 400\n\nbody" ;;
chunked)	printf "${type}Transfer-Encoding: chunked\n\n0\r\n\r\n" ;;
upgrade)	printf "${type}Upgrade: h2c\n\nbody" ;;
line-9000)	printf "${type}X-Long: $(long 9000)\n\nbody" ;;
header-40k)	for i in 1 2 3 4 5 6; do
			printf "X-$i: $(long 7000)\n"
		done
		printf "${type}\nbody" ;;
killed)		printf "${type}\nbody"; kill -KILL $$ ;;
segv)		kill -SEGV $$ ;;
hang)		sleep 600 ;;
late)		printf "${type}\nbody"; sleep 600 ;;
stubborn)	trap '' TERM; while :; do sleep 1; done ;;
esac
