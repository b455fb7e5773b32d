# Frames, and the operations as requests and replies.
store/wire.SRCS := $(notdir $(wildcard store/wire/*.c))
store/wire.BELOW := store/expr store/value store/base
