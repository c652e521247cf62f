# page.mk - $(B)/tests/page/page.so, which pretends that pages are larger
# (tests/e2e_page.sh preloads it).
#
#   make page-test    all unit tests, with pages of 16 and of 64 KiB: minutes

ifeq ($(SAN),)
test-programs: $(B)/tests/page/page.so
endif

$(B)/tests/page/page.so: tests/page/page.c $(B)/flags | $(B)/have-cc
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -shared -fPIC -fvisibility=hidden -o $@ $<

page-test: test-programs
	@PAGE_SOAK=1 $(RUN_TESTS) tests/e2e_page.sh

.PHONY: page-test
