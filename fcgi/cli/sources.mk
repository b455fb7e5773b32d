# The command line, bothy.
fcgi/cli.SRCS := $(filter-out main.c,$(notdir $(wildcard fcgi/cli/*.c)))
fcgi/cli.BELOW := fcgi/build fcgi/aws fcgi/invoke fcgi/launch fcgi/data store/client fcgi/conf functions/sdk/abi store/wire store/expr store/value store/base
