# Makefile - builds the driver, the libraries and the tests.
#
#   make            ./mdriver and librecord.so
#   make run        the main job: 16 threads, each with its own trace
#   make grade      points for every allocator on every trace; A=NAME: for one;
#                   RUNS=1: time each once, as for `make run`, too
#   make lesson N=3 checks an exercise of docs/tutorial.md
#   make teach      small programs under each allocator: time and memory
#   make test       unit and end-to-end tests; last line `N passed, N failed`
#   make quicktest  some of them, for a first look: less than two minutes
#   make check      layers and style of the sources, links of the documents
#   make traces     regenerate the generated traces
#   make results    measure again (an hour), then make figures
#   make figures    charts and tables of README and docs, of what results/ holds
#   make report     report.html: one page with all of results/
#   make preload    libmm-NAME.so, the allocators as malloc of any program
#   make install    libmm.so and what belongs to it; DESTDIR=, PREFIX=
#   make programs   real programs under libmm.so; make soak: more and longer
#   make bench      measure everything into results/, at once, for hours; first
#                   scripts/bench.sh -l lists it, and -k, -n, -r or a part's
#                   name takes less (docs/bench.md)
#   make model-check  the lock-free headers under a model checker (GenMC)
#   make fuzz       feed the trace reader garbage for FUZZ_SECONDS=60
#   make clean      remove all that was built
#
#   make CC=clang   with another compiler, in build-clang/
#   make SAN=address,undefined   with sanitizers, in build-address-undefined/;
#                   SAN=thread is the other set
#   make DEBUG=1    the allocators check their contracts (dbg_*): build-debug/
#   make COUNT=1    the stages count how often threads meet: build-count/
#   make OPT=-O0    other optimization; changed flags rebuild what they touch
#   make ARCH=aarch64   for another machine, in build-aarch64/ (arch.mk);
#                   ARCH=riscv64 is the other one that is tested
#   make WITHOUT=zstd,jansson   a driver without these libraries; check: the
#                   unit tests have a stand-in for Check
#   make WERROR=    warnings stay warnings
#   make test T=trace   only the tests whose name contains `trace`
#   make V=1        shows the commands
#
# A new allocator is a new file in designs/ and one line in mm.h.

# Another machine's programs: by Debian's cross compiler (arch.mk).
ARCH     =
CROSS    = $(ARCH:%=%-linux-gnu-)
CC       = $(CROSS)gcc
AR       = $(CROSS)ar
OBJCOPY  = $(CROSS)objcopy
FOREIGN  = zstd jansson check
WITHOUT  = $(if $(ARCH),$(foreach l,$(FOREIGN),$(if $(wildcard \
             /usr/lib/$(ARCH)-linux-gnu/lib$(l).*),,$(l))))
OPT      = -O2
SAN      =
DEBUG    =
COUNT    =
V        =
T        =
RUNS     =
WERROR   = -Werror
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS   = -std=gnu11 $(OPT) -g $(WARN) $(WERROR) -pthread $(SAN_FLAGS)
CPPFLAGS = -I. -D_GNU_SOURCE $(if $(DEBUG),-DMM_DEBUG=1) \
           $(if $(COUNT),-DMM_COUNT=1)
LDLIBS   = $(if $(filter jansson,$(LACKS)),,-ljansson) $(ZSTD_LIBS) -lm $(EXPORT)
ZSTD_LIBS = $(if $(filter zstd,$(LACKS)),,-lzstd)

# The driver notes what allocators map: these are its own
# (driver/check/account.h).
ACCOUNTED = $(foreach f,map map_at remap unmap,-Dmem_$(f)=memlib_$(f))
# What a file that is handed in may call (driver/run/submission.h).
EXPORT   = -Wl,--export-dynamic-symbol=mem_*
comma   := ,
space   := $() $()
LACKS    = $(subst $(comma),$(space),$(WITHOUT))

# Allocator code: the compiler must not turn malloc + memset into calloc.
ALLOC_CFLAGS = -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc \
               -fno-builtin-free -ftls-model=initial-exec

# A stage X is mm.c over mm/X/stage.h, or over another room's with its flags.
STAGES  = global per_thread arena arena_favorite lockfree \
          fit_list fit_tree fit_tlsf
STAGE_ROOM_arena_favorite  = arena
STAGE_ROOM_fit_list        = fit
STAGE_ROOM_fit_tree        = fit
STAGE_ROOM_fit_tlsf        = fit
STAGE_FLAGS_arena_favorite = -DARENA_FAVORITE=1
STAGE_FLAGS_fit_list       = -DMM_FIT='"mm/engine/fit_list.h"'
STAGE_FLAGS_fit_tree       = -DMM_FIT='"mm/engine/fit_tree.h"'
STAGE_FLAGS_fit_tlsf       = -DMM_FIT='"mm/engine/fit_tlsf.h"'
stage_file = mm/$(or $(STAGE_ROOM_$(1)),$(1))/stage.h
DESIGNS = $(patsubst designs/%.c,%,$(wildcard designs/*.c))
# A warning in a file of yours is shown, and no more; in one of the lab's own it
# is an error. For a pattern, as `private WERROR`: flags is made for it, too.
LAB_DESIGNS = buddy bucket fit_cas libc null
own_werror  = $(if $(filter-out $(LAB_DESIGNS),$(filter $(DESIGNS),\
                  $(subst -,_,$(basename $(@F))))),,-Werror)
DRIVER_ROOMS = base trace check run report
# What stands in driver/without/ is taken instead where its library lacks.
DRIVER  = $(filter-out $(if $(filter zstd,$(LACKS)),trace/trace_zstd) \
              $(if $(filter jansson,$(LACKS)),report/report_json), \
              $(patsubst driver/%.c,%,$(wildcard $(DRIVER_ROOMS:%=driver/%/*.c)))) \
          $(patsubst %,without/%,$(filter zstd jansson,$(LACKS)))

# ---- one build directory for each CC, SAN, DEBUG, COUNT ------------------
dash   = $(subst $(space),-,$(subst $(comma),-,$(strip $(1))))
B      = build$(addprefix -,\
    $(call dash,$(SAN) $(ARCH) \
        $(notdir $(filter-out $(CROSS)gcc,$(CC))) $(DEBUG:%=debug) \
    $(COUNT:%=count)))
SAN_FLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
                        -fno-omit-frame-pointer)

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
Q   = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

ALLOCATOR_OBJS = $(B)/memlib.o $(STAGES:%=$(B)/stage_%.o) \
                 $(DESIGNS:%=$(B)/designs/%.o)
DRIVER_OBJS    = $(DRIVER:%=$(B)/driver/%.o)
LAB_OBJS       = $(ALLOCATOR_OBJS) $(DRIVER_OBJS)

all: mdriver

# ./mdriver is always one whose figures count; others stay where they are made.
mdriver: $(B)/mdriver FORCE
	@$(if $(SAN)$(DEBUG)$(COUNT)$(ARCH),:,ln -sfn $< $@)

$(B)/mdriver: $(B)/mdriver.o $(LAB_OBJS) $(B)/objects
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

# All but main, for the tests: each links only what it calls.
$(B)/liblab.a: $(LAB_OBJS) $(B)/objects
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

COMPILE = $(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# One object per stage, all from mm.c.
$(B)/stage_%.o: mm.c $(B)/flags
	$(call say,CC,$< (stage $*))
	$(COMPILE) $(ALLOC_CFLAGS) \
	    -DMM_STAGE='"$(call stage_file,$*)"' \
	    -DMM_ALLOCATOR=mm_$* $(STAGE_FLAGS_$*)

$(B)/designs/%.o: private WERROR = $(own_werror)
$(B)/designs/%.o: designs/%.c $(B)/flags
	$(call say,CC,$<)
	$(COMPILE) $(ALLOC_CFLAGS)

$(B)/memlib.o: memlib.c $(B)/flags
	$(call say,CC,$<)
	$(COMPILE) $(ACCOUNTED)

HAVE = $(addprefix $(B)/have-,$(filter-out $(LACKS),zstd jansson))
$(B)/driver/%.o: driver/%.c $(B)/flags | $(HAVE)
	$(call say,CC,$<)
	$(COMPILE)

# It has the template of --watch's page in it.
$(B)/driver/report/scene_page.o: driver/report/scene_page.html

$(B)/mdriver.o: mdriver.c $(B)/flags | $(HAVE)
	$(call say,CC,$<)
	$(COMPILE)

# ---- what a rebuild depends on beside the sources --------------------------
# $(call remember,TEXT): $@ holds TEXT, and is touched only when TEXT changes.
remember = @mkdir -p $(@D); \
    printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@

$(B)/flags: FORCE
	@mkdir -p $(addprefix $(B)/driver/,$(DRIVER_ROOMS) without) $(B)/designs $(B)/tests
	$(call remember,$(CC) $(CPPFLAGS) $(CFLAGS) $(ALLOC_CFLAGS) \
	    $(ACCOUNTED) $(LACKS))
$(B)/objects: FORCE
	$(call remember,$(LDLIBS) $(LAB_OBJS))

# $(call need,HEADER,LIBRARIES,PACKAGES): one clear line for what is missing.
need = @echo 'int main(void) { return 0; }' | $(CC) $(CFLAGS) $(1:%=-include %) \
    -x c -o $@ - $(2) 2>/dev/null || { echo "error: $(CC) cannot build with \
    $(or $(1),$(SAN_FLAGS) $(CFLAGS)): apt-get install $(3)" >&2; exit 1; }

$(B)/have-cc: $(B)/flags
	$(call need,,,$(if $(findstring clang,$(CC)),clang libclang-rt-14-dev,gcc libc6-dev))
$(B)/have-zstd: $(B)/have-cc
	$(call need,zstd.h,-lzstd,libzstd-dev)
$(B)/have-jansson: $(B)/have-cc
	$(call need,jansson.h,-ljansson,libjansson-dev)

# Never remade by themselves: `%: %.o` would have it that stage_x.d is linked
# from stage_x.d.o, which is compiled from mm.c.
%.d: ;
-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d)

# ---- jobs ------------------------------------------------------------------
run: all
	./mdriver -t traces -n 16 $(RUNS:%=-r %)

# One thread and several: an allocator must be right, and good, with both.
A = all
grade: all
	./mdriver --grade -t traces -a $(A) -n 1,4 -r $(or $(RUNS),5)

check: check-layers check-style check-format check-links
check-%: FORCE
	@scripts/check_$*.py

# Measured anew: results/, its charts, and the figures of README.md and docs/.
# Less than an hour on two processors with nothing else to do. What is
# compared later (make bench-check) needs five rounds.
RESULTS_BENCH = scripts/bench.sh -a \
    global,per-thread,arena,lockfree,buddy,bucket,libc,jemalloc,tcmalloc,mimalloc
# Instructions are counted where valgrind is, those of another machine where qemu
# and a compiler for it are.
COUNTED = $(foreach m,$(ARCHES),$(if $(shell command -v qemu-$(m)),$(if \
    $(shell command -v $(m)-linux-gnu-gcc),$(m))))
COMMIT = $(shell git describe --always)$(shell \
    git diff --quiet HEAD -- . ':!results' || echo -dirty)
results: all
	$(RESULTS_BENCH) -n 1,2,4,16 -r 5,1 traces
	$(RESULTS_BENCH) -n 2,16 -r 2,1 own
	$(RESULTS_BENCH) -n 1,2,16 -r 2,1 -p 30 stress
	$(RESULTS_BENCH) -r 3 programs
	$(if $(shell command -v valgrind),scripts/count.sh)
	$(foreach m,$(COUNTED),scripts/count.sh -m $(m) &&) true
	./mdriver -f traces/gen-binary.trace.zst -a global,lockfree,libc \
	    --heapmap $@/heapmap.csv
	@sed -i '1s/$$/; commit: $(COMMIT)/' $@/heapmap.csv
	scripts/trace_stats.py >$@/trace_stats.csv
	@$(MAKE) --no-print-directory figures

# What follows from results/ without measuring.
figures: FORCE
	scripts/plot.sh
	scripts/figures.py
	scripts/progression.py

# One page with all of them, to be read in a browser.
report: FORCE
	scripts/report.py results report.html

# The lock-free headers and their mutants under GenMC, all of them: minutes.
model-check: FORCE
	tests/models/c/matrix.py --all

FUZZ_SECONDS = 60
fuzz: FORCE
	tests/fuzz/run.sh $(FUZZ_SECONDS)

clean:
	rm -rf build build-* mdriver report.html *.so

help:
	@sed -n '1!{/^#/!q;s/^# \{0,1\}//p}' Makefile

# Which machine the compiler makes programs for.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))

# Further rooms of the house; each file names its own targets, and may add to
# `all` and to `test-programs` (what must be built before the tests run).
# arch.mk takes some of what the others name, so it comes last.
-include record.mk preload.mk bench.mk teach/teach.mk course/course.mk \
    tests/tests.mk \
    tests/faulty/faulty.mk tests/faults/faults.mk \
    tests/conformance/conformance.mk tests/page/page.mk \
    tests/hitpath/hitpath.mk tests/zones/zones.mk arch.mk

ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.PHONY: all run results figures report grade test check model-check traces fuzz clean help FORCE
