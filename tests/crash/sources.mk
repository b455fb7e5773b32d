# The crash suite: a recorder to preload, a replayer, and what they are tried
# on.  `make test` asks for `crash-test`; `make crash` takes hours.

CRASH := $(B)/crash
CRASH_STATES ?= 100000
CRASH_KILLS ?= 500
CRASH_CUTS ?= 100
CRASH_PUSHES ?= 3000

crash_objs = $(patsubst %,$(B)/obj/tests/crash/%.o,$(1))
planted_objs = $(patsubst %.c,$(B)/obj/planted/%.o,$(1))

# Whatever the variant, the recorder is plain: it is preloaded before libasan.
RECORDER := tests/crash/record
$(CRASH)/record.so: $(RECORDER).c $(RECORDER)_names.c $(RECORDER)_stdio.c \
		$(RECORDER)_memory.c $(RECORDER)_log.c $(RECORDER).h \
		$(RECORDER)_internal.h
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=c11 $(WARNINGS) -D_GNU_SOURCE -I. -O2 \
		-g -fPIC -shared -o $@ $(filter %.c,$^)

$(CRASH)/states: $(call crash_objs,states verdict nested model) \
		$(call archives,store/base)
	$(call link)

# The journal alone, sound and with mistakes planted in it.
JOURNAL_SRCS := $(wildcard store/journal/*.c)
$(CRASH)/journal_store: $(call crash_objs,journal_store) \
		$(JOURNAL_SRCS:%.c=$(B)/obj/%.o) $(call archives,store/base)
	$(call link,-lz)
$(CRASH)/journal_store-planted: $(call crash_objs,journal_store) \
		$(call planted_objs,$(JOURNAL_SRCS)) $(call archives,store/base)
	$(call link,-lz)

# The whole engine.
ENGINE_SRCS := $(wildcard $(patsubst %,store/%/*.c,journal table index files \
	history engine))
DOCUMENT_OBJS := $(call crash_objs,document_store document_check \
	document_history drill documents)
$(CRASH)/document_store: $(DOCUMENT_OBJS) $(call archives,store/op)
	$(call link,$(LIBS.store/op))
$(CRASH)/document_store-planted: $(DOCUMENT_OBJS) \
		$(call planted_objs,$(ENGINE_SRCS)) \
		$(call archives,store/op)
	$(call link,$(LIBS.store/op))

# The daemon, by its socket; the engine checks what it leaves.
$(CRASH)/daemon_store: $(call crash_objs,daemon_store daemon_frames \
		document_check document_history drill documents) \
		$(B)/lib/store/client.a \
		$(call archives,store/op)
	$(call link,$(LIBS.store/op))

# The daemon, with mistakes planted in engine and operations.
$(CRASH)/bothy-store-planted: $(B)/obj/store/daemon/main.o \
		$(call planted_objs,$(ENGINE_SRCS) $(wildcard store/op/*.c store/op/*/*.c)) \
		$(call archives,store/daemon)
	$(call link,$(LIBS.store/daemon))

# The command line, with mistakes planted in deployment and releases.
DEPLOY_SRCS := $(wildcard fcgi/deploy/*.c fcgi/release/*.c)
$(CRASH)/planted/bothy: $(B)/obj/fcgi/cli/main.o \
		$(call planted_objs,$(DEPLOY_SRCS)) $(call archives,fcgi/cli)
	$(call link,$(LIBS.fcgi/cli))

$(B)/obj/planted/%.o: %.c $(B)/flags
	$(call say,CC,$< (planted))
	$(Q)mkdir -p $(@D) && $(COMPILE) -DPLANTS

# What a line of the journal costs, beside write and fdatasync.
$(B)/bench/journalapi: $(B)/obj/tests/bench/programs/journalapi.o \
		$(JOURNAL_SRCS:%.c=$(B)/obj/%.o) $(call archives,store/base)
	$(call link,-lz)

CRASH_PROGRAMS := $(addprefix $(CRASH)/,record.so states journal_store \
	journal_store-planted document_store document_store-planted \
	daemon_store bothy-store-planted) $(B)/bin/bothy-store
crash.py := $(PYTHON) -B tests/crash/crash.py --bin $(CRASH) \
	--daemon $(B)/bin/bothy-store

# Clients at its socket: histories over power cuts and kills, calls that fail,
# want.
LIVE_PROGRAMS := $(CRASH)/bothy-store-planted $(CRASH)/record.so \
	$(B)/bin/bothy-store
live := $(PYTHON) -B tests/crash
LIVE_STORES := --store $(B)/bin/bothy-store \
	--planted $(CRASH)/bothy-store-planted --recorder $(CRASH)/record.so

# Pushes to a site.
PUSH_PROGRAMS := $(addprefix $(CRASH)/,record.so states planted/bothy) \
	$(PROGRAMS) $(SDK)
push := $(PYTHON) -B tests/crash/push.py --bin $(B)/bin --crash $(CRASH)
push_live := $(PYTHON) -B tests/crash/push_live.py --bin $(B)/bin \
	--crash $(CRASH)

CRASH_TESTS := $(addprefix crash-test-,states powercut linear fault exhaust \
	push)
.PHONY: crash crash-test crash-faults $(CRASH_TESTS)

# Each by itself, on stores of its own: make -j runs them side by side.
crash-test: $(CRASH_TESTS)

crash-test-states: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --states 3000 --kills 20

crash-test-powercut: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/powercut.py $(LIVE_STORES) --cuts 4

crash-test-linear: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/linear.py $(LIVE_STORES) --kills 20

crash-test-fault: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/fault.py $(LIVE_STORES) --each 3

crash-test-exhaust: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/exhaust.py --store $(B)/bin/bothy-store

crash-test-push: $(PUSH_PROGRAMS)
	@$(NO_MAKE) $(push) --states 80
	@$(NO_MAKE) $(push_live) --kills 16 --rooms 4 --cuts 3 kills rooms cuts

# The long run, part by part; each can be asked for by its name, too.
CRASH_LONG := $(addprefix crash-long-,push planted powercut linear exhaust \
	kills states faults fault)
.PHONY: $(CRASH_LONG)
crash: $(CRASH_PROGRAMS) $(LIVE_PROGRAMS) $(PUSH_PROGRAMS)
	@tests/crash/long $(MAKE) $(CRASH_LONG)

crash-long-push: $(PUSH_PROGRAMS)
	@$(NO_MAKE) $(push) --states $(CRASH_PUSHES)
	@$(NO_MAKE) $(push_live) --kills 0 --faults 60 --rooms 100 \
		--cuts $(CRASH_CUTS)

crash-long-planted: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) planted

crash-long-states: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --states $(CRASH_STATES) states

crash-long-kills: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --kills $(CRASH_KILLS) kills

crash-long-faults: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --faults 40 faults

crash-long-powercut: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/powercut.py $(LIVE_STORES) --cuts $(CRASH_CUTS)

crash-long-linear: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/linear.py $(LIVE_STORES) --kills $(CRASH_KILLS)

crash-long-fault: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/fault.py $(LIVE_STORES) --each 200

crash-long-exhaust: $(LIVE_PROGRAMS)
	@$(NO_MAKE) $(live)/exhaust.py --store $(B)/bin/bothy-store

# Under a sanitizer: no leak, no misstep, whatever of the journal fails.
crash-faults: $(CRASH)/record.so $(CRASH)/journal_store
	@$(NO_MAKE) ASAN_OPTIONS=verify_asan_link_order=0 $(crash.py) \
		--only journal $(if $(filter asan,$(VARIANT)),--preload \
		$(shell $(CC) -print-file-name=libasan.so)) faults
