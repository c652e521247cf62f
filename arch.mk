# arch.mk - the lab for another machine, by Debian's cross compilers.
#
#   make ARCH=aarch64 all preload   in build-aarch64/; ./mdriver stays as it is
#   make ARCH=aarch64 arch-test     some of its tests, run by qemu-user: minutes
#   make ARCH=aarch64 arch-soak     all of them, and programs: an hour
#   scripts/setup.sh --arch         what these need
#
#   make musl-test                  libmm.a and libmm.so in programs of musl
#
# The machine's own zstd, jansson and Check are taken where they are installed
# (Debian 12 has them for aarch64), and otherwise left out, as by
# WITHOUT=zstd,jansson,check.

ARCHES = aarch64 riscv64
ifneq ($(filter-out $(ARCHES),$(ARCH)),)
$(error ARCH=$(ARCH) is not tested; expected one of: $(ARCHES))
endif

ifneq ($(ARCH),)
# All libraries from one place: a C library and a loader of two builds do not
# fit each other. Debian's for that machine where they can be had, otherwise the
# compiler's, and then no program of Debian's is tried.
ARCH_UNPACKED = build-root/$(ARCH)
ARCH_ROOT = $(shell test -e $(ARCH_UNPACKED)/complete && \
                    echo $(abspath $(ARCH_UNPACKED)) || \
                    echo /usr/$(ARCH)-linux-gnu)
RUNNER = qemu-$(ARCH) -L $(ARCH_ROOT)

# What the width of a word, the order of atomics, signals, fork and the
# compiler could break: the engine, the front end, the lock-free stage. Whole
# programs that qemu bears (docs/other-machines.md says which it does not).
ARCH_UNITS = sizeclass heap slab remote memlib memlib_threads merge arena_threads \
             lflist lfshard lf_start lf_fork lf_signals memlib_fork arena_fork
ARCH_QUICK = $(ARCH_UNITS:%=$(B)/tests/test_%)
ARCH_STAGES = global arena lockfree
ARCH_PROGRAMS = $(B)/mdriver $(CONFORMANCE) $(B)/tests/conformance/new \
                $(FAULTS) $(B)/tests/test_lf_jump $(B)/tests/test_mm_jump

# What is resident is qemu's own: 280 KB for each thread that has ended.
ARCH_UNSHOWN  = $(B)/tests/test_arena_memory
ARCH_ALL      = $(filter-out $(ARCH_UNSHOWN),$(UNIT_TESTS))

# Tried each time until it is complete.
arch-root: FORCE
	@scripts/arch_root.sh $(ARCH) $(ARCH_UNPACKED) || \
	    echo "# Debian's programs of $(ARCH) are left out"
ARCH_RUN = RUNNER='$(RUNNER)' ARCH_ROOT='$(ARCH_ROOT)' B=$(B) \
           MDRIVER=$(B)/mdriver CC='$(CC)' tests/run.sh

# Only the target's recipe is skipped: who asks for a build is told by it.
ARCH_TOOLS = qemu-$(ARCH) $(CROSS)gcc $(CROSS)g++
ARCH_MISSES := $(strip $(foreach t,$(ARCH_TOOLS),$(if \
    $(shell command -v $(t)),,$(t))))
ifneq ($(ARCH_MISSES),)
arch-test arch-soak:
	@echo "skipped: found no $(ARCH_MISSES); scripts/setup.sh --arch has them"
	@echo "0 passed, 0 failed"
else
arch-test: $(ARCH_PROGRAMS) $(ARCH_STAGES:%=$(B)/libmm-%.so) $(ARCH_QUICK) \
           arch-root
	@ONLY='global lockfree' $(ARCH_RUN) $(ARCH_QUICK) tests/arch.sh \
	    tests/e2e_faults.sh
arch-soak: $(ARCH_PROGRAMS) $(PRELOADS:%=$(B)/%) $(ARCH_ALL) \
           $(B)/tests/test_lf_steps arch-root
	@SOAK=1 $(ARCH_RUN) $(ARCH_ALL) tests/arch.sh tests/e2e_faults.sh
endif
endif

# ---- musl: another C library ---------------------------------------------
# The programs of the contract, linked with libmm.a (static) and with libmm.so.
# Those that need nothing of glibc's or of the kernel's headers.
MUSL_CONTRACT = blocks errors resize forks times limits
MUSL_B       = build-musl-gcc
MUSL_TESTS   = $(MUSL_CONTRACT:%=$(MUSL_B)/tests/musl/%-dynamic) \
               $(patsubst %,$(MUSL_B)/tests/musl/%-static,\
                   $(filter-out times,$(MUSL_CONTRACT))) # no dlopen there

musl-test:
ifeq ($(shell command -v musl-gcc),)
	@echo "skipped: found no musl-gcc; scripts/setup.sh --arch has it"
	@echo "0 passed, 0 failed"
else
	@$(MAKE) --no-print-directory CC=musl-gcc WITHOUT=$(subst \
	    $(space),$(comma),$(FOREIGN)) musl-run
endif
musl-run: $(MUSL_TESTS)
	@B=$(B) tests/run.sh $(MUSL_TESTS)

MUSL_BUILD = $(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin \
             -o $@
$(MUSL_B)/tests/musl/%-static: tests/conformance/%.c $(MUSL_B)/libmm.a
	$(MUSL_BUILD) -static $^
$(MUSL_B)/tests/musl/%-dynamic: tests/conformance/%.c $(MUSL_B)/libmm-lockfree.so
	$(MUSL_BUILD) $^ -Wl,-rpath,'$$ORIGIN'
	@ln -sf ../../libmm-lockfree.so $(@D)/libmm.so

.PHONY: arch-root arch-test arch-soak musl-test musl-run
