# What a web server runs for each request of plain CGI, bothy-dispatch: without
# a C library, so with flags of its own in all variants.  On a machine that it
# has no system calls for, bothy-fcgi stands in its place.
fcgi/dispatch.SRCS := $(wildcard fcgi/dispatch/*.c)
fcgi/dispatch.FLAGS := -std=c11 $(WARNINGS) -D_GNU_SOURCE -I. -O2 \
	-ffreestanding \
	-fno-stack-protector -fno-pie -fno-asynchronous-unwind-tables \
	$(if $(WERROR),-Werror)
fcgi/dispatch.LINK := -nostdlib -static -Wl,-z,noexecstack \
	-Wl,--build-id=none

ifneq ($(filter x86_64-% aarch64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
$(B)/bin/bothy-dispatch: $(fcgi/dispatch.SRCS) $(wildcard fcgi/dispatch/*.h) \
		fcgi/dispatch/sources.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(fcgi/dispatch.FLAGS) \
		$(fcgi/dispatch.LINK) -o $@ $(fcgi/dispatch.SRCS)
else
$(B)/bin/bothy-dispatch: $(B)/bin/bothy-fcgi
	$(Q)cp $< $@
endif
