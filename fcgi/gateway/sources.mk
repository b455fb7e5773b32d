# The gateway daemon, bothy-fcgi.
fcgi/gateway.SRCS := $(filter-out main.c,$(notdir $(wildcard fcgi/gateway/*.c)))
fcgi/gateway.BELOW := fcgi/aws fcgi/invoke fcgi/launch fcgi/release fcgi/data store/client fcgi/conf functions/sdk/abi store/wire store/expr store/value store/base
