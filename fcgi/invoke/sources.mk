# The gateway's side of a function.
fcgi/invoke.SRCS := $(filter-out main.c,$(notdir $(wildcard fcgi/invoke/*.c)))
fcgi/invoke.BELOW := fcgi/launch fcgi/conf functions/sdk/abi store/wire store/base
