#!/bin/sh
# Misbehaves as a program would; its processes end after some seconds, and
# can be told by the mark among their arguments.
mark=$BOTHY_PARAM_mark
stay() {
	exec sleep 60 0.0001 0.000"$mark"
}
printf 'Content-Type: text/plain\n\nscript'
case $BOTHY_PARAM_how in
daemon)
	(setsid sh -c "trap '' TERM HUP; sleep 60 0.000$mark" >/dev/null 2>&1 &)
	;;
stubborn)
	trap '' TERM
	sleep 60 0.000"$mark"
	;;
crowd)
	for i in 1 2 3 4 5 6 7 8 9 10; do
		stay &
	done
	stay
	;;
esac
