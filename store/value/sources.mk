# The attribute value tree, its numbers, and both kinds of JSON.
store/value.SRCS := $(notdir $(wildcard store/value/*.c))
store/value.BELOW := store/base
