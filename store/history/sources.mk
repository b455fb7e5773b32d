# The memory: commits, logs, tags and mirrors, in git.
store/history.SRCS := $(notdir $(wildcard store/history/*.c))
store/history.BELOW := store/value store/base
