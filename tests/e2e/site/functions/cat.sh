#!/bin/sh
# Gives the body back while it is being read.
printf 'Content-Type: application/octet-stream\n\n'
exec cat
