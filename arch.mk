# arch.mk - the lab for another machine, by Debian's cross compilers.
#
#   make ARCH=aarch64 all preload   in build-aarch64/; ./mdriver stays as it is
#   make ARCH=aarch64 arch-test     its tests, run by qemu-user
#   scripts/setup.sh --arch         what both need
#
# aarch64 has all libraries of the lab as Debian packages of the foreign
# architecture. Debian 12 has none for riscv64: there WITHOUT=zstd,jansson
# holds, and the unit tests (which need Check) and programs are left out.

ARCHES = aarch64 riscv64
ifneq ($(filter-out $(ARCHES),$(ARCH)),)
$(error ARCH=$(ARCH) is not tested; expected one of: $(ARCHES))
endif

# Which machine the compiler makes programs for.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))

ifneq ($(ARCH),)
ARCH_ROOT = $(if $(filter aarch64,$(ARCH)),$(B)/root,/usr/$(ARCH)-linux-gnu)
# All of its libraries from one place: a C library and a loader of two builds
# do not fit each other.
RUNNER = qemu-$(ARCH) -L $(abspath $(ARCH_ROOT))
ARCH_UNIT_TESTS = $(if $(filter aarch64,$(ARCH)),$(UNIT_TESTS))
ARCH_PROGRAMS = $(B)/mdriver $(PRELOADS:%=$(B)/%) $(CONFORMANCE) \
                $(B)/tests/conformance/new $(FAULTS)

arch-test: $(ARCH_PROGRAMS) $(ARCH_UNIT_TESTS)
	$(if $(filter aarch64,$(ARCH)),scripts/arch_root.sh arm64 $(B)/root)
	@RUNNER='$(RUNNER)' ARCH_ROOT=$(ARCH_ROOT) MDRIVER=$(B)/mdriver B=$(B) \
	    CC='$(CC)' tests/run.sh $(ARCH_UNIT_TESTS) tests/arch.sh
endif

.PHONY: arch-test
