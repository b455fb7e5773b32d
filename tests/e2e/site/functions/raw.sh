#!/bin/sh
# Writes CGI replies, good and bad ones, byte by byte.
html='Content-Type: text/html\n'
case $BOTHY_PARAM_case in
nothing) ;;
garbage) printf '\001\002 no header at all';;
ok) printf "${html}\nfine";;
esac
