# Frames, and the operations as requests and replies.
store/wire.SRCS := $(notdir $(wildcard store/wire/*.c))
store/wire.BELOW := store/value store/base
