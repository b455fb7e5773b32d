# Bothy: one Makefile, one sources.mk a folder.
#
#   make run        the example site on http://127.0.0.1:8080 (PORT=)
#   make test       everything that CI checks
#   make            the programs, into build/<variant>/bin
#   make bench | fuzz | lint | asan | tsan | install | clean | fresh-test
#
# A folder's sources.mk names its sources and the archives below it; a unit
# test links its own archive and those, so an upward call fails to link.

VARIANT ?= release
B := build/$(VARIANT)
PREFIX ?= /usr/local
DESTDIR ?=
PORT ?= 8080
PYTHON := /usr/bin/python3

.DEFAULT_GOAL := all

FOLDERS := store/base functions/sdk/abi functions/sdk fcgi/conf fcgi/launch \
	fcgi/invoke fcgi/gateway fcgi/build fcgi/cli
include $(wildcard $(addsuffix /sources.mk,$(FOLDERS)))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wformat=2 -Wvla -Wnull-dereference -Wimplicit-fallthrough -fno-common
HARDEN := -fstack-protector-strong -fstack-clash-protection
CPPFLAGS += -D_GNU_SOURCE -I.
CFLAGS ?= -O2 -g
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif

ifeq ($(VARIANT),release)
CPPFLAGS += -D_FORTIFY_SOURCE=2
HARDEN += -fPIE
STATIC := -static-pie
LDFLAGS += -Wl,-z,relro,-z,now,-z,noexecstack
else ifeq ($(VARIANT),asan)
HARDEN += -fsanitize=address,undefined -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined
else ifeq ($(VARIANT),tsan)
HARDEN += -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
CC := clang
HARDEN += -fsanitize=fuzzer-no-link,address,undefined \
	-fno-omit-frame-pointer -fno-sanitize-recover=undefined
else
$(error VARIANT is release, asan, tsan or fuzz, not $(VARIANT))
endif

ALL_CFLAGS = -std=c11 $(WARNINGS) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -pthread
COMPILE = $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
LINK = $(CC) $(HARDEN) $(CFLAGS) -pthread $(LDFLAGS)

# An archive a folder: $(B)/lib/<folder>.a
define ARCHIVE
$(1).DIR ?= $(1)
$(1).OBJS := $$($(1).SRCS:%.c=$(B)/obj/$$($(1).DIR)/%.o)
$(B)/lib/$(1).a: $$($(1).OBJS)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
OBJS += $$($(1).OBJS)
endef
$(foreach f,$(FOLDERS),$(eval $(call ARCHIVE,$(f))))

# The archives of a folder and of all below it, in link order.
archives = $(patsubst %,$(B)/lib/%.a,$(1) $($(1).BELOW))

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE)

PROGRAMS := $(B)/bin/bothy-fcgi $(B)/bin/bothy-launch $(B)/bin/bothy
SDK := $(B)/sdk/libbothy.a $(B)/sdk/bothy.h

$(B)/bin/bothy-fcgi: $(B)/obj/fcgi/gateway/main.o $(call archives,fcgi/gateway)
	@mkdir -p $(@D)
	$(LINK) $(STATIC) -o $@ $^ -lfcgi -ljansson -lyaml

$(B)/bin/bothy-launch: $(B)/obj/fcgi/launch/main.o $(call archives,fcgi/launch)
	@mkdir -p $(@D)
	$(LINK) $(STATIC) -o $@ $^ -lseccomp

$(B)/bin/bothy: $(B)/obj/fcgi/cli/main.o $(call archives,fcgi/cli)
	@mkdir -p $(@D)
	$(LINK) $(if $(STATIC),-pie) -o $@ $^ -lyaml -ljansson -lcrypto

# What a function links: the SDK and the ground floor it stands on.
$(B)/sdk/libbothy.a: $(functions/sdk.OBJS) $(functions/sdk/abi.OBJS) \
		$(filter-out %/hash.o,$(store/base.OBJS))
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/sdk/bothy.h: functions/sdk/bothy.h
	@mkdir -p $(@D)
	cp $< $@

.PHONY: all
all: $(PROGRAMS) $(SDK)

.PHONY: asan tsan
asan tsan:
	$(MAKE) VARIANT=$@ all unit

# --- unit tests: tests/unit/<folder>/<name>_test.c ------------------------

LIBS.store/base := -lcrypto
LIBS.functions/sdk/abi :=
LIBS.functions/sdk := -ljansson
LIBS.fcgi/conf := -lyaml -ljansson
LIBS.fcgi/launch := -lseccomp -lyaml -ljansson
LIBS.fcgi/invoke := $(LIBS.fcgi/launch)
LIBS.fcgi/gateway := -lfcgi $(LIBS.fcgi/invoke)
LIBS.fcgi/build := $(LIBS.fcgi/conf) -lcrypto
LIBS.fcgi/cli := $(LIBS.fcgi/launch) -lcrypto

define UNIT
$(B)/test/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$(call archives,$(1))
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ -lcmocka $$(LIBS.$(1))
UNIT_TESTS += $$(patsubst tests/unit/$(1)/%.c,$(B)/test/$(1)/%, \
	$$(wildcard tests/unit/$(1)/*_test.c))
endef
$(foreach f,$(FOLDERS),$(eval $(call UNIT,$(f))))
.SECONDARY:

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do echo "# $$t"; $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf build

-include $(shell test -d $(B)/obj && find $(B)/obj -name '*.d')
