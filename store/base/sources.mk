# The ground floor: knows no daemon and calls nothing above it.
store/base.SRCS := arena.c base64.c buf.c clock.c daemon.c err.c hash.c io.c \
	map.c siphash.c sock.c utf8.c
store/base.BELOW :=
