# Handler -> binary.
fcgi/build.SRCS := $(filter-out main.c,$(notdir $(wildcard fcgi/build/*.c)))
fcgi/build.BELOW := fcgi/conf store/wire store/base
