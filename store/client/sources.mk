# The blocking client.
store/client.SRCS := $(notdir $(wildcard store/client/*.c))
store/client.BELOW := store/wire store/expr store/value store/base
