# bench.mk - what the benchmarks run: stress programs, and the launcher that
# measures a program.
#
#   make bench-programs   build/bench/NAME [THREADS [PERCENT]]
#   make bench            measure all into results/, for hours. scripts/bench.sh
#                         does the same, and less: `-l` lists, `stress` is a part
#   make bench-check      is anything slower than in the committed results?
#
# The programs know nothing of the lab: an allocator is put under them by
# LD_PRELOAD. So they are never built with a sanitizer.

BENCH_PROGRAMS = $(patsubst bench/%.c,build/bench/%,$(wildcard bench/*.c))

bench-programs: $(BENCH_PROGRAMS)

test-programs: bench-programs

$(BENCH_PROGRAMS): build/bench/%: bench/%.c bench/stress.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fsanitize=%,$(CFLAGS)) \
	    $(ALLOC_CFLAGS) -o $@ $<

bench: FORCE
	scripts/bench.sh

bench-check: FORCE
	scripts/bench_check.sh

.PHONY: bench-programs bench bench-check
