# What checks the rest: unit tests, replay of the fuzz seeds, fuzzing, lint,
# end to end, and `make test`, which is all of them.

# --- unit tests: tests/unit/<folder>/<name>_test.c ------------------------

LIBS.store/base := -lcrypto
LIBS.store/value := -lcrypto
LIBS.store/expr := -lcrypto
LIBS.store/journal := -lz -lcrypto
LIBS.store/table := -lcrypto
LIBS.store/index := -llmdb -lcrypto
LIBS.store/files := -lcrypto
LIBS.store/history := -lgit2 -lz -lcrypto
LIBS.store/engine := -llmdb -lgit2 -lz -lcrypto
LIBS.store/wire := -lcrypto
LIBS.store/partiql := -lcrypto
LIBS.store/relay := -lcurl -lcrypto
LIBS.store/op := -llmdb -lgit2 -lz -lcrypto
LIBS.store/daemon := -lcurl $(LIBS.store/op)
LIBS.store/client := -lcrypto
LIBS.functions/sdk/abi :=
LIBS.functions/sdk := -ljansson
LIBS.fcgi/conf := -lyaml -ljansson
LIBS.fcgi/launch := -lseccomp -lyaml -ljansson
LIBS.fcgi/invoke := $(LIBS.fcgi/launch)
LIBS.fcgi/data := -lyaml -ljansson -lcrypto
LIBS.fcgi/aws := -lz -lcrypto
LIBS.fcgi/gateway := -lfcgi -lz -lcrypto $(LIBS.fcgi/invoke)
LIBS.fcgi/build := $(LIBS.fcgi/conf) -lcrypto
LIBS.fcgi/release := -ljansson
LIBS.fcgi/deploy := -lgit2 $(LIBS.fcgi/launch) -lcrypto
LIBS.fcgi/cli := -lgit2 $(LIBS.fcgi/launch) -lz -lcrypto

define UNIT
$(B)/test/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $$(call archives,$(1))
	$$(call link,-lcmocka $$(LIBS.$(1)))
UNIT.$(1) := $$(patsubst tests/unit/$(1)/%.c,$(B)/test/$(1)/%, \
	$$(wildcard tests/unit/$(1)/*_test.c))
endef
$(foreach f,$(FOLDERS),$(eval $(call UNIT,$(f))))

# The test of the server puts itself between two steps of the daemon.
$(B)/test/store/daemon/server_test: LDFLAGS += \
	-Wl,--wrap=relays_hold,--wrap=longwork_add

# A data race needs threads: only these folders have any.
UNIT_FOLDERS := $(if $(filter tsan,$(VARIANT)), \
	store/base store/files store/engine store/daemon \
	fcgi/invoke fcgi/gateway,$(FOLDERS))
UNIT_TESTS := $(foreach f,$(UNIT_FOLDERS),$(UNIT.$(f)))

# LMDB is not built with the sanitizer, which sees the copies and comparisons
# that it makes in its map, but not the transaction numbers that keep a reader
# off the pages a writer takes.
TSAN_LMDB := suppressions=$(abspath tests/lmdb.tsan)

# Each runs on its own, ends in time, and leaves its output beside it.
.PHONY: unit $(UNIT_TESTS:=.run)
unit: $(UNIT_TESTS:=.run)
	@for t in $(UNIT_TESTS); do \
		echo "# $$t"; grep '^\[  [A-Z]' $$t.log; done

UNIT_SECONDS := 300
$(UNIT_TESTS:=.run): %.run: %
	@$(NO_MAKE) TSAN_OPTIONS=$(TSAN_LMDB) \
		timeout -k 5 $(UNIT_SECONDS) $< >$<.log 2>&1 </dev/null || \
		{ r=$$?; cat $<.log; echo "$<: status $$r"; exit 1; }

.PHONY: asan tsan
asan tsan:
	$(MAKE) VARIANT=$@ B=$(BUILD)/$@ all unit

# --- fuzzing: tests/fuzz/<name>_fuzz.c, its seeds in corpus/<name>/ ---------

FUZZ := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SECONDS ?= 60

# What a target needs is told by its first include: the folder it fuzzes.
fuzz_folder = $(shell sed -n \
	'/^\#include "/{s/^[^"]*"\(.*\)\/[^/]*"/\1/p;q}' tests/fuzz/$(1)_fuzz.c)

# replay/<name> is a plain program that runs a target over files.
define FUZZER
FOLDER.$(1) := $$(call fuzz_folder,$(1))
$(B)/replay/$(1): $(B)/obj/tests/fuzz/replay.o $(B)/obj/tests/fuzz/$(1)_fuzz.o \
		$$(call archives,$$(FOLDER.$(1)))
	$$(call link,$$(LIBS.$$(FOLDER.$(1))))
$(B)/fuzz/$(1): $(B)/obj/tests/fuzz/$(1)_fuzz.o \
		$$(call archives,$$(FOLDER.$(1)))
	$$(call link,$$(LIBS.$$(FOLDER.$(1))),-fsanitize=fuzzer)
endef
$(foreach f,$(FUZZ),$(eval $(call FUZZER,$(f))))

.PHONY: replay
replay: $(FUZZ:%=$(B)/replay/%)
	@for f in $(FUZZ); do \
		$(B)/replay/$$f tests/fuzz/corpus/$$f || exit 1; done

# New inputs are kept in build/corpus; a crash is left in build/crash.
.PHONY: fuzz fuzz-all
fuzz:
	$(MAKE) VARIANT=fuzz B=$(BUILD)/fuzz fuzz-all
fuzz-all: $(FUZZ:%=$(B)/fuzz/%)
	@for f in $(FUZZ); do \
		echo "# $$f"; mkdir -p $(BUILD)/corpus/$$f $(BUILD)/crash; \
		$(B)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/crash/$$f- \
			$(BUILD)/corpus/$$f tests/fuzz/corpus/$$f \
			>$(B)/fuzz/$$f.log 2>&1 || \
			{ tail -n 60 $(B)/fuzz/$$f.log; exit 1; }; \
		grep -E '^stat::(number|new)' $(B)/fuzz/$$f.log; done

# --- lint: each file once, by three readers; see .clang-tidy ----------------

# All but the programs of bench and e2e: those have flags of their own, and
# some of them go wrong on purpose.
LINTED := $(patsubst %.c,$(BUILD)/lint/%.ok,$(shell find store fcgi \
	functions tests/unit tests/fuzz tests/crash -name '*.c'))
LINT_CFLAGS = -std=c11 $(WARNINGS) -Werror -D_GNU_SOURCE -I. -Ifunctions/sdk \
	-O2 -pthread

# No analyzer sees that cmocka's assertions end a test. gcc's loses memory
# that was put into an array which a struct owns: LeakSanitizer and clang's
# answer for the files named.  A unit test's other warnings are those of its
# build, which `make test` takes for errors.
gcc_reads = $(if $(filter tests/unit/%,$(1)),-fsyntax-only,-c -o /dev/null \
	$(if $(filter tests/%,$(1)),,-fanalyzer $(ANSWER.$(1))))
OWNED := -Wno-analyzer-malloc-leak
ANSWER.fcgi/cli/logtail.c := $(OWNED)
ANSWER.fcgi/conf/secret.c := $(OWNED)
ANSWER.fcgi/conf/snaptrie.c := $(OWNED)
ANSWER.fcgi/gateway/sitefile.c := $(OWNED)
ANSWER.store/op/op_table.c := $(OWNED)

# clang's own warnings are clang-tidy's, too: clang-diagnostic-*.
# (A third of its usual nodes found the same here, in a third of the time.)
tidy = $(if $(filter tests/%,$(1)),--checks=-clang-analyzer-*) $(1) -- \
	$(LINT_CFLAGS) -Xclang -analyzer-config -Xclang max-nodes=75000

# ctuuninitvar: it doesn't follow memset through a pointer. autoVariables: who
# waits in a list waits there on its stack. varFuncNullUB: NULL is a pointer
# wherever this builds.
CPPCHECK := cppcheck --quiet --enable=warning,performance,portability \
	--suppress=ctuuninitvar --suppress=autoVariables --suppress=varFuncNullUB \
	--inline-suppr --error-exitcode=1 --std=c11 -I. \
	-D'__attribute__(x)=' -D'ElfW(type)=Elf64_\#\#type'

# The manual is well-formed.
.PHONY: lint lint-man
lint-man:
	$(Q)mandoc -Tlint -Wwarning $(PAGES)

lint: lint-man $(LINTED)
	@echo "lint: $(words $(LINTED)) files, nothing found"

$(BUILD)/lint/%.ok: %.c .clang-tidy tests/sources.mk
	$(call say,LINT,$<)
	$(Q)mkdir -p $(@D)
	$(Q)gcc $(LINT_CFLAGS) $(call gcc_reads,$<) -MMD -MP -MT $@ -MF $@.d $<
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $(call tidy,$<) \
		>$@.log 2>&1 || { cat $@.log; exit 1; }
	$(Q)$(CPPCHECK) $(if $(filter tests/%,$<),--suppress=arrayIndexOutOfBounds) $<
	$(Q)touch $@
ifneq ($(filter lint %.ok,$(MAKECMDGOALS)),)	# it may be under way beside us
-include $(shell test -d $(BUILD)/lint && find $(BUILD)/lint -name '*.d')
endif

# --- end to end, and beside its peers ---------------------------------------

# A file's tests run one after the other, files side by side.
PYTEST := $(PYTHON) -B -m pytest -q -rs -p no:cacheprovider -n $(JOBS) \
	--dist loadfile

.PHONY: e2e
e2e: all
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) $(PYTEST) tests/e2e

# A client of DynamoDB's protocol that sends what nobody should, for longer.
DYNAMODB_FUZZ_SECONDS ?= 600
.PHONY: fuzz-dynamodb
fuzz-dynamodb: all
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) \
		BOTHY_FUZZ_SECONDS=$(DYNAMODB_FUZZ_SECONDS) \
		$(PYTHON) -B -m pytest -q -s -p no:cacheprovider \
		tests/e2e/dynamofuzz_test.py

# What goes over one way in, and what the gateway alone is asked, but for what
# is judged by time, again with gateway and store under a sanitizer, beside
# programs of the release build; a report of the sanitizer fails it.
SANITIZED := $(BUILD)/e2e/$(VARIANT)
SANITIZED_TESTS := \
	(lighttpd or aws_test or gateway_test or logs_test or reload_test or \
	store_test) \
	and not (fifty_at_once or hold_nobody or overload or under_load)
.PHONY: e2e-sanitized
e2e-sanitized: $(B)/bin/bothy-fcgi $(B)/bin/bothy-store
	@rm -rf $(SANITIZED) && mkdir -p $(SANITIZED)
	@cp -r $(BUILD)/release/bin $(BUILD)/release/sdk $(SANITIZED)
	@cp $^ $(SANITIZED)/bin
	@reports=$$(mktemp -d) && chmod 1777 $$reports && \
	$(NO_MAKE) BOTHY_BIN=$(abspath $(SANITIZED)/bin) \
		ASAN_OPTIONS=log_path=$$reports/asan \
		TSAN_OPTIONS="log_path=$$reports/tsan $(TSAN_LMDB)" \
		UBSAN_OPTIONS=print_stacktrace=1:log_path=$$reports/ubsan \
		$(PYTEST) tests/e2e --way=lighttpd -k '$(SANITIZED_TESTS)'; r=$$?; \
	cat $$reports/* 2>/dev/null && r=1; rm -rf $$reports; exit $$r

.PHONY: bench
bench:
	@.ci/packages $(RUN_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) \
		BENCH_OUT=$(abspath $(BUILD)/bench) \
		$(PYTHON) -B tests/bench/bench.py
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) \
		BENCH_OUT=$(abspath $(BUILD)/bench) \
		$(PYTHON) -B tests/bench/stores.py
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) \
		BENCH_OUT=$(abspath $(BUILD)/bench) \
		$(PYTHON) -B tests/bench/dynamo.py
	@$(NO_MAKE) BOTHY_BIN=$(abspath $(B)/bin) \
		BENCH_OUT=$(abspath $(BUILD)/bench) \
		$(PYTHON) -B tests/bench/pushes.py

# Log and blame of one document, in what thinning leaves of a million commits.
$(B)/bench/history_age: $(B)/obj/tests/bench/history_age.o \
		$(call archives,store/history)
	$(call link,$(LIBS.store/history))

# `make bench-history AGE="1000000 10000 all"` makes every one of them.
AGE ?= 1000000 10000
.PHONY: bench-history
bench-history: $(B)/bench/history_age
	@$(NO_MAKE) $< $(AGE)

# --- make test ----------------------------------------------------------------

part := tests/part $(BUILD)/test
again := $(MAKE) --no-print-directory -O -j$(JOBS)

# Three streams: what waits (for disks, clients, deadlines), what computes, and
# lint, which takes what they leave. No two make the same file: each makes in a
# directory of its own, but for the tests of the release, which one stream has.
STREAMS := test-waits test-computes test-lint
.PHONY: test $(STREAMS)
test:
	@.ci/packages $(RUN_PACKAGES) $(TEST_PACKAGES)
	@rm -rf $(BUILD)/test
	@$(part) build $(again) WERROR=1 all
	@test ! -e $(BUILD)/test/failed
	@$(MAKE) --no-print-directory -j$(words $(STREAMS)) $(STREAMS)
	@$(part) --end

test-waits:
	@$(part) e2e $(again) e2e
	@$(part) crash $(again) -k crash-test
	@$(part) unit $(again) -k WERROR=1 unit
	@$(part) install $(again) install DESTDIR= PREFIX=$(BUILD)/test/prefix
	@$(part) installed $(NO_MAKE) tests/installed $(BUILD)/test/prefix

test-computes:
	@$(part) unit-asan $(again) VARIANT=asan B=$(BUILD)/asan -k unit
	@$(part) unit-tsan $(again) VARIANT=tsan B=$(BUILD)/tsan -k unit
	@$(part) replay $(again) VARIANT=asan B=$(BUILD)/asan replay
	@$(part) crash-asan $(again) VARIANT=asan B=$(BUILD)/asan crash-faults
	@$(part) e2e-asan $(again) VARIANT=asan B=$(BUILD)/asan e2e-sanitized
	@$(part) e2e-tsan $(again) VARIANT=tsan B=$(BUILD)/tsan e2e-sanitized

test-lint:
	@$(part) lint nice -n 19 $(again) B=$(BUILD)/lint/none -k lint

.PHONY: fresh-test
fresh-test:
	@$(NO_MAKE) tests/fresh
