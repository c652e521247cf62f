# conformance.mk - $(B)/tests/conformance/NAME: programs that hold malloc to its
# contract; they run under the libmm-*.so (tests/e2e_conformance.sh).
#
#   make conformance-test    all rounds with each library: minutes

CONFORMANCE = $(patsubst %.c,$(B)/%,$(wildcard tests/conformance/*.c))

ifeq ($(SAN),)
test-programs: $(CONFORMANCE) $(B)/tests/conformance/new
endif

# The compiler shall neither know what malloc does nor leave a call out.
$(CONFORMANCE): CFLAGS += -fno-builtin
$(CONFORMANCE): $(B)/tests/conformance/%: tests/conformance/%.c $(B)/flags \
                tests/conformance/conform.h | $(B)/have-cc
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $<

CXX      = $(if $(findstring clang,$(CC)),clang++,$(CROSS)g++)
CXXFLAGS = -std=c++17 -fsized-deallocation $(OPT) -g -Wall -Wextra $(WERROR) -pthread

$(B)/tests/conformance/new: tests/conformance/new.cc $(B)/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS) -o $@ $<

conformance-test: test-programs
	@CONFORM_SOAK=1 $(RUN_TESTS) tests/e2e_conformance.sh

.PHONY: conformance-test
