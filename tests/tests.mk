# tests.mk - builds and runs the tests.
#
# tests/test_NAME.c  unit tests of one module (Check): $(B)/tests/test_NAME,
#                    linked with the objects it calls; it may include mm/*.h
# tests/e2e_NAME.sh  or .py: end-to-end tests, TAP lines, binary in $MDRIVER
#
# `make test T=NAME` runs only those whose file name contains NAME. What hangs is
# ended by tests/watch.py; no test has a limit in seconds of its own.

# What steps from instruction to instruction does it by the trap flag of x86; on
# other machines by a plugin of qemu's (tests/arch.sh). A test's own mmap would
# stand before ThreadSanitizer's, which that cannot bear. The sanitizers have
# memory of their own where test_window looks for room.
STEPPING   = $(patsubst %,tests/test_%.c,lf_steps lf_jump mm_jump)
# ThreadSanitizer gets these: the others have no second thread to race with
# (tests/e2e_threaded.sh holds the list to what the programs call).
THREADED   = arena arena_cache arena_few arena_fork arena_gate arena_level \
             arena_limits arena_lines arena_memory arena_order arena_stress \
             arena_threads arena_turns bucket_ways census designs_ends \
             designs_large designs_threads fit_cas_threads grade huge lf_fork \
             lf_freeze lf_jump lf_signals lf_start lf_steps lflist lfshard \
             lfsteal lfstress lock memlib_fork memlib_holes memlib_jump \
             memlib_side memlib_threads mm_jump mm_threads novice \
             oracle_threads per_thread_few remote remote_ends replay shadow \
             team usage zones
UNIT_TESTS = $(patsubst tests/%.c,$(B)/tests/%,$(filter-out \
                 $(if $(filter-out x86_64,$(MACHINE)),$(STEPPING)) \
                 $(if $(findstring thread,$(SAN)),tests/test_memlib_fork.c) \
                 $(if $(SAN),tests/test_window.c) \
                 $(if $(filter zstd,$(LACKS)),tests/test_trace_zstd.c), \
                 $(if $(findstring thread,$(SAN)),\
                     $(wildcard $(THREADED:%=tests/test_%.c)), \
                     $(wildcard tests/test_*.c))))
E2E_TESTS  = $(filter-out $(if $(SAN),$(SCRIPT_TESTS)) \
                 $(if $(findstring thread,$(SAN)),$(FAULT_TESTS)), \
                 $(wildcard tests/e2e_*.sh tests/e2e_*.py))
e2e        = $(foreach t,$(1),$(wildcard tests/e2e_$(t).*))
# They test scripts, the build, and what a sanitizer is not built into
# (libmm-*.so, librecord.so, build-count): it sees nothing of those.
SCRIPT_TESTS = $(call e2e,build checks docs plot add_allocator gen conformance \
                   preload hitpath thread_memory install programs trace_stats \
                   report teach bench compare count models model_check import \
                   watch progression counting figures peers record trace_local \
                   submission trust lessons handout heap_bytes huge \
                   stats top pressure scale decay \
                   operator watch_page thrash page window names threaded cpu_name)
# Their allocators and traces are wrong by intent: ThreadSanitizer ends those
# that race before the driver can say what it finds, and is told nothing by the
# others.
FAULT_TESTS = $(call e2e,faulty faults cheats bad_traces)
# Without Check (make WITHOUT=check), tests/without/check.h is taken for it.
LACKS_CHECK = $(filter check,$(LACKS))
CHECK_LIBS = $(if $(LACKS_CHECK),,\
                 $(shell pkg-config --libs check 2>/dev/null || echo -lcheck))
ALL_TESTS  = $(UNIT_TESTS) $(E2E_TESTS)
WANTED     = $(if $(T),$(foreach t,$(ALL_TESTS),\
                 $(if $(findstring $(T),$(notdir $(t))),$(t))),$(ALL_TESTS))

RUN_TESTS  = MDRIVER=$(B)/mdriver B=$(B) CC='$(CC)' SAN='$(SAN)' \
             tests/run.sh $(if $(CSV),--csv $(CSV))

# For a first look: each stage and the designs as a program sees them, what they
# are made of, the oracle and its planted faults, the driver's options.
QUICK       = trace script replay oracle oracle_threads sizeclass heap slab \
              arena lfshard mm mm_realloc mm_threads designs
QUICK_E2E   = mdriver faulty bad_traces
QUICK_UNITS = $(QUICK:%=$(B)/tests/test_%)

test: test-programs
	@$(RUN_TESTS) $(strip $(WANTED))

quicktest: all $(B)/tests/mdriver-faulty $(QUICK_UNITS)
	@$(RUN_TESTS) $(QUICK_UNITS) $(QUICK_E2E:%=tests/e2e_%.sh)

test-programs: all $(UNIT_TESTS)

threaded:
	@echo $(THREADED)

BUILT_UNITS = $(filter-out $(B)/tests/test_zones,$(sort $(UNIT_TESTS) $(STEPPING:%.c=$(B)/%)))
$(BUILT_UNITS): $(B)/tests/%: $(B)/tests/%.o $(B)/liblab.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS)

$(BUILT_UNITS:%=%.o): $(B)/tests/%.o: tests/%.c $(B)/flags | $(B)/have-check
	$(call say,CC,$<)
	$(COMPILE) $(ALLOC_CFLAGS) $(LACKS_CHECK:%=-Itests/without)

$(B)/have-check: $(B)/have-cc
	$(if $(LACKS_CHECK),,$(need-check))
need-check = $(call need,check.h,$(CHECK_LIBS),check pkg-config)

.PHONY: test-programs quicktest threaded
