# Bothy: one Makefile, one sources.mk a folder.
#
#   make run        the example site on http://127.0.0.1:8080 (PORT=)
#   make serve-dynamodb   DynamoDB's protocol on PORT, an empty store behind it
#   make test       everything that CI checks
#   make            the programs, into build/<variant>/bin
#   make unit | lint | fuzz | bench | asan | tsan | man | install | clean
#   make fresh-test both commands on a bare Debian (root; takes its time)
#
# A folder's sources.mk names its sources and the archives below it; a unit
# test links its own archive and those, so an upward call fails to link.
# V=1 shows commands. tests/sources.mk has what checks the rest.

VARIANT ?= release
BUILD := build
B := $(BUILD)/$(VARIANT)
PREFIX ?= /usr/local
DESTDIR ?=
PORT ?= 8080
JOBS ?= $(shell nproc)
PYTHON := /usr/bin/python3

# Debian packages: what `make run` needs, and what `make test` needs besides.
RUN_PACKAGES := gcc libc6-dev libcurl4-openssl-dev libfcgi-dev libgit2-dev \
	libjansson-dev liblmdb-dev libseccomp-dev libssl-dev libyaml-dev \
	lighttpd mandoc python3 zlib1g-dev
TEST_PACKAGES := apache2 ca-certificates caddy cgit clang clang-tidy cppcheck \
	g++ gdb git libapache2-mod-fcgid libcgi-pm-perl libcmocka-dev nginx \
	openssh-server openssl php-cgi python3-boto3 python3-pytest \
	python3-pytest-xdist strace valgrind xfsprogs
BENCH_PACKAGES := apache2 fcgiwrap git nginx npm postgresql redis-server wrk

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)")

FOLDERS := store/base store/value store/expr store/wire store/partiql store/relay \
	store/journal \
	store/table store/index store/files store/history store/engine store/op \
	store/daemon store/client \
	functions/sdk/abi functions/sdk fcgi/conf fcgi/data fcgi/aws fcgi/release \
	fcgi/launch fcgi/invoke fcgi/gateway fcgi/build fcgi/deploy fcgi/cli
include $(wildcard $(addsuffix /sources.mk,$(FOLDERS)))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wformat=2 -Wvla -Wnull-dereference -Wimplicit-fallthrough -fno-common
HARDEN := -fstack-protector-strong -fstack-clash-protection
CPPFLAGS += -D_GNU_SOURCE -I.

# The sanitizers' variants serve tests alone: they compile a third sooner so,
# and a report needs functions and lines. How long a text may get, gcc only
# knows at -O2; it has judged there.
ifneq ($(filter asan tsan,$(VARIANT)),)
CFLAGS ?= -O1 -g1
WARNINGS += -Wno-format-truncation
endif
CFLAGS ?= -O2 -g

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
COMPILE = $(CC) $(ALL_CFLAGS) $(if $(WERROR),-Werror) -MMD -MP -c -o $@ $<
LINK = $(CC) $(HARDEN) $(CFLAGS) -pthread $(LDFLAGS)

# $(call note,FILE,TEXT): FILE holds TEXT, and is new if TEXT is, so that other
# flags compile again, and a source that went away leaves its archive.
ifneq ($(MAKECMDGOALS),clean)
note = $(if $(subst =$(strip $(2)),,=$(file <$(1))),$(file >$(1),$(strip $(2))))
$(shell mkdir -p $(B)/obj $(addprefix $(B)/lib/,$(FOLDERS)))
endif
$(call note,$(B)/flags,$(CC) $(ALL_CFLAGS) $(LDFLAGS))

# An archive a folder: $(B)/lib/<folder>.a
define ARCHIVE
$(1).DIR ?= $(1)
$(1).OBJS := $$($(1).SRCS:%.c=$(B)/obj/$$($(1).DIR)/%.o)
$$(call note,$(B)/lib/$(1)/members,$$($(1).OBJS))
$(B)/lib/$(1).a: $$($(1).OBJS) $(B)/lib/$(1)/members
	$$(call archive,$$($(1).OBJS))
endef

define archive
$(call say,AR,$@)
$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(1)
endef

$(foreach f,$(FOLDERS),$(eval $(call ARCHIVE,$(f))))

# The archives of a folder and of all below it, in link order.
archives = $(patsubst %,$(B)/lib/%.a,$(1) $($(1).BELOW))

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(COMPILE)

# $(call link,LIBRARIES,OPTIONS): the prerequisites, linked.
define link
$(call say,LD,$@)
$(Q)mkdir -p $(@D) && $(LINK) $(2) -o $@ $(filter %.o %.a,$^) $(1)
endef

PROGRAMS := $(B)/bin/bothy-fcgi $(B)/bin/bothy-dispatch \
	$(B)/bin/bothy-launch $(B)/bin/bothy-store $(B)/bin/bothy
SDK := $(B)/sdk/libbothy.a $(B)/sdk/bothy.h

# libfcgi could look up hosts, which a static program can't; ours never does.
NO_LOOKUP := $(if $(STATIC),-Xlinker --defsym=gethostbyname=abort)

$(B)/bin/bothy-fcgi: $(B)/obj/fcgi/gateway/main.o $(call archives,fcgi/gateway)
	$(call link,-lfcgi -ljansson -lyaml -lz -lcrypto,$(STATIC) $(NO_LOOKUP))

include fcgi/dispatch/sources.mk

$(B)/bin/bothy-launch: $(B)/obj/fcgi/launch/main.o $(call archives,fcgi/launch)
	$(call link,-lseccomp,$(STATIC))

# Linked dynamically: tests/crash preloads what records its calls.
$(B)/bin/bothy-store: $(B)/obj/store/daemon/main.o $(call archives,store/daemon)
	$(call link,-llmdb -lgit2 -lcurl -lz -lcrypto,$(if $(STATIC),-pie))

$(B)/bin/bothy: $(B)/obj/fcgi/cli/main.o $(call archives,fcgi/cli)
	$(call link,-lgit2 -lseccomp -lyaml -ljansson -lz -lcrypto,$(if $(STATIC),-pie))

# What a function links: the SDK and the ground floor it stands on.  All names
# but main and bothy_* are made ours, so that an author may have a buf_add too.
NOT_IN_SDK := hash.o
SDK_OBJS := $(functions/sdk.OBJS) $(functions/sdk/abi.OBJS) \
	$(filter-out $(addprefix %/,$(NOT_IN_SDK)),$(store/base.OBJS)) \
	$(addprefix $(B)/obj/store/,client/client.o client/connection.o \
	client/message.o wire/frame.o wire/operation.o value/fault.o)
$(B)/sdk/libbothy.a: $(SDK_OBJS) $(call archives,functions/sdk)
	$(call say,SDK,$@)
	$(Q)rm -rf $(B)/sdk/obj $@ && mkdir -p $(B)/sdk/obj
	$(Q)nm -g --defined-only $(SDK_OBJS) | awk 'NF == 3 && \
		$$3 !~ /^(bothy_|main$$)/ { print $$3, "bothy__" $$3 }' | \
		sort -u >$(B)/sdk/obj/names
	$(Q)for o in $(SDK_OBJS:$(B)/obj/%=%); do objcopy \
		--redefine-syms=$(B)/sdk/obj/names $(B)/obj/$$o \
		$(B)/sdk/obj/$$(echo $$o | tr / -) || exit 1; done
	$(Q)$(AR) rcs $@ $(B)/sdk/obj/*.o

$(B)/sdk/bothy.h: functions/sdk/bothy.h
	$(Q)mkdir -p $(@D) && cp $< $@

.PHONY: all
all: $(PROGRAMS) $(SDK) $(if $(shell command -v mandoc),man)

# What we start is no part of this make, even if it runs one.
NO_MAKE := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL

.PHONY: run
run:
	@.ci/packages $(RUN_PACKAGES)
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@exec $(NO_MAKE) $(B)/bin/bothy run --site . --state $(BUILD)/run \
		--port $(PORT)

# For suites from outside: the key `unknownuser`, the secret `unknownsecret`.
.PHONY: serve-dynamodb
serve-dynamodb:
	@.ci/packages $(RUN_PACKAGES)
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@exec $(NO_MAKE) tests/serve-dynamodb $(B)/bin $(PORT)

# --- the manual: mdoc pages lie beside the code; www/docs is made from them --

PAGES := $(wildcard $(foreach d,store/* fcgi/* functions/sdk,$(d)/*.[1-9]))

# The names that a page describes: its own comes first.
names = sed -n '/^\.Sh NAME/,/^\.Sh [^N]/s/^\.Nm \([^ ,]*\).*/\1/p' $(1)

# The head of a page that mandoc does not write, but for its title.
HEAD := <!doctype html><html lang="en"><meta charset="utf-8"><meta \
	name="viewport" content="width=device-width, initial-scale=1"><link \
	rel="stylesheet" href="../manual.css">
UP := <nav><a href="./">The manual</a></nav>

define PAGE
www/docs/$(notdir $(1)).html: $(1)
	$$(call say,MAN,$$@)
	$(Q)mkdir -p www/docs
	$(Q)mandoc -Thtml -Ostyle=../manual.css,man=%N.%S.html $$< | \
		sed 's|^<body>|&$(UP)|' >$$@
	$(Q)for n in $$$$($(call names,$(1))); do \
		test -e www/docs/$$$$n$(suffix $(1)).html || \
		ln $$@ www/docs/$$$$n$(suffix $(1)).html || exit 1; done
HTML += www/docs/$(notdir $(1)).html
endef
$(foreach p,$(PAGES),$(eval $(call PAGE,$(p))))

# What answers of DynamoDB's protocol: the program says it.
www/docs/operations.html: $(B)/bin/bothy
	$(call say,MAN,$@)
	$(Q)mkdir -p www/docs
	$(Q){ echo '$(HEAD)<title>Operations</title>$(UP)'; \
	echo "<h1>DynamoDB's operations that answer</h1>"; \
	echo '<p>Any other is an UnknownOperationException.</p>'; \
	echo '<div class="wide"><table>'; \
	$< key operations | awk 'NR == 1 { next } { printf "<tr><td>%s<td>" \
		"<code>%s</code><td><code>%s</code>\n", $$1, $$2, $$3 }'; \
	echo '</table></div>'; } >$@
HTML += www/docs/operations.html

# $(call section,TITLE,NUMBER): a list of the pages with that number.
define section
echo '<h2>$(1)</h2><ul>'; for p in $(filter %.$(2),$(PAGES)); do \
	sed -n "s|^\.Nd \(.*\)|<li><a href='$${p##*/}.html'>$${p##*/}</a>: \1|p" \
	$$p; done; echo '</ul>';
endef

www/docs/index.html: $(HTML)
	$(Q){ echo '$(HEAD)<title>Bothy: the manual</title>'; \
	echo '<nav><a href="../">Bothy</a></nav><h1>The manual</h1>'; \
	$(call section,Commands,1) \
	$(call section,Files and formats,5) \
	$(call section,Programs that serve,8) \
	echo "<ul><li><a href='operations.html'>operations</a>: DynamoDB's \
	that answer</ul>"; \
	$(call section,What a function calls,3) } >$@

.PHONY: man
man: $(HTML) $(if $(PAGES),www/docs/index.html)

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include \
		$(DESTDIR)$(PREFIX)/lib/bothy $(DESTDIR)$(PREFIX)/share/bothy \
		$(DESTDIR)$(COMPLETION.bash) $(DESTDIR)$(COMPLETION.zsh)
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 functions/sdk/bothy.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(B)/sdk/libbothy.a $(DESTDIR)$(PREFIX)/lib/bothy
	$(B)/bin/bothy check --schema \
		>$(DESTDIR)$(PREFIX)/share/bothy/deploy.schema.json
	$(B)/bin/bothy completion bash >$(DESTDIR)$(COMPLETION.bash)/bothy
	$(B)/bin/bothy completion zsh >$(DESTDIR)$(COMPLETION.zsh)/_bothy
	for p in $(PAGES); do \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${p##*.}; \
		install -D -m 644 -t $$d $$p || exit 1; \
		for n in $$($(call names,$$p)); do \
			test $$n.$${p##*.} = $${p##*/} || \
			ln -sf $${p##*/} $$d/$$n.$${p##*.} || exit 1; \
		done; \
	done
COMPLETION.bash := $(PREFIX)/share/bash-completion/completions
COMPLETION.zsh := $(PREFIX)/share/zsh/site-functions

include tests/sources.mk tests/crash/sources.mk

.PHONY: clean
clean:
	rm -rf $(BUILD) www/docs

-include $(shell find $(B)/obj -name '*.d')
