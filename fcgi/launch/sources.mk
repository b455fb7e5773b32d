# The launcher daemon, bothy-launch.
fcgi/launch.SRCS := $(filter-out main.c,$(notdir $(wildcard fcgi/launch/*.c)))
fcgi/launch.BELOW := fcgi/release fcgi/conf functions/sdk/abi store/wire store/base
