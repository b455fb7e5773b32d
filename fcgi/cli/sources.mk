# The command line, bothy.
fcgi/cli.SRCS := $(filter-out main.c,$(patsubst fcgi/cli/%,%, \
	$(wildcard fcgi/cli/*.c fcgi/cli/store/*.c fcgi/cli/deploy/*.c)))
fcgi/cli.BELOW := fcgi/gateway fcgi/deploy fcgi/release fcgi/build fcgi/aws fcgi/invoke fcgi/launch fcgi/data store/client fcgi/conf functions/sdk/abi store/wire store/expr store/value store/base
