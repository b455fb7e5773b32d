# deploy.yaml -> checked structs -> snapshot.
fcgi/conf.SRCS := $(notdir $(wildcard fcgi/conf/*.c))
fcgi/conf.BELOW := store/wire store/base
