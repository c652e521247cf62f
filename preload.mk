# preload.mk - libmm-NAME.so: an allocator as malloc of any program; libmm.so.
#
#   make preload            libmm-NAME.so for each stage and design, libmm.so
#   make programs           real programs under libmm.so, compared (CI)
#   make soak               more of them, for longer; LIBRARIES=libmm-arena.so
#   make libmm-mine.so      the same for designs/mine.c with mm_mine
#   make install DESTDIR= PREFIX=/usr/local     libmm.so, libmm.a, libmm.pc, the
#                           man page, libmm-top; make uninstall takes them away
#
# One compiler run each, over preload.c with the allocator's source, so that the
# hit path of malloc inlines (preload.c says how).

# What libmm.so and libmm.a are made of: one of the stages.
LIBMM   = lockfree
PREFIX  = /usr/local
LIBDIR  = $(PREFIX)/lib
BINDIR  = $(PREFIX)/bin
MANDIR  = $(PREFIX)/share/man
DESTDIR =

PRELOAD_NAMES = $(STAGES) fit_cas buddy buddy_plain \
                bucket bucket_inbox bucket_global
PRELOADS      = $(subst _,-,$(PRELOAD_NAMES:%=libmm-%.so))

# Never with a sanitizer: the programs that they run in have none.
PRELOAD_CFLAGS = $(filter-out $(SAN_FLAGS),$(CFLAGS)) $(ALLOC_CFLAGS) \
                 -fPIC -fvisibility=hidden
# A table mm_X is in mm.c over a stage X, or in designs/X.c; variants X_Y too,
# but where X_Y has a file of its own.
first = $(firstword $(subst _, ,$(1)))
source = $(firstword $(wildcard designs/$(1).c) designs/$(call first,$(1)).c)
preload_flags = -DMM_ALLOCATOR=mm_$(1) $(if $(filter $(1),$(STAGES)),\
    -DMM_SOURCE='"mm.c"' -DMM_STAGE='"$(call stage_file,$(1))"' \
    $(STAGE_FLAGS_$(1)),-DMM_SOURCE='"$(call source,$(1))"')
preload: $(PRELOADS) libmm-arena-nocache.so libmm.so libmm.a

# A name of before (mm.h).
libmm-arena-nocache.so: libmm-per-thread.so FORCE
	@ln -sfn $< $@

# As ./mdriver: what lies in the root is what a program shall run with.
libmm-%.so: $(B)/libmm-%.so FORCE
	@$(if $(SAN)$(DEBUG)$(ARCH),:,ln -sfn $< $@)

libmm.so: libmm-$(subst _,-,$(LIBMM)).so FORCE
	@$(if $(ARCH),:,ln -sfn $< $@)

libmm.a: $(B)/libmm.a FORCE
	@$(if $(ARCH),:,ln -sfn $< $@)

# The allocator's source is part of preload.c; memlib.c is the same for all.
$(B)/preload/%.o: private WERROR = $(own_werror)
$(B)/preload/%.o: preload.c preload.mk $(B)/flags | $(B)/have-cc
	$(call say,CC,$< ($*))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) -MMD -MP \
	    $(call preload_flags,$(subst -,_,$*)) -c -o $@ $<

$(B)/preload/memlib.o: memlib.c preload.mk $(B)/flags | $(B)/have-cc
	$(call say,CC,$< (preload))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/preload/dlopen.o: preload_dlopen.c preload.mk $(B)/flags | $(B)/have-cc
	$(call say,CC,$< (preload))
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) -MMD -MP -c -o $@ $<

# They all are libmm.so to who is linked with them: each does in its stead. None
# is ever unloaded, though dlclose may ask: threads end in it, and their blocks
# live on.
$(B)/libmm-%.so: $(B)/preload/%.o $(B)/preload/memlib.o $(B)/preload/dlopen.o
	$(call say,LD,$@)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -shared -Wl,-soname,libmm.so -Wl,-z,nodelete \
	    -o $@ $^

# One object that shows nothing but what preload.c exports.
$(B)/libmm.a: $(B)/preload/$(subst _,-,$(LIBMM)).o $(B)/preload/memlib.o
	$(call say,AR,$@)
	$(Q)$(CC) -nostdlib -r -o $(B)/libmm.o $^
	$(Q)$(OBJCOPY) --localize-hidden $(B)/libmm.o
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(B)/libmm.o

define LIBMM_PC
prefix=$(PREFIX)
libdir=$(LIBDIR)

Name: libmm
Description: malloc, and all that belongs to it, for any program
Version: 1
Libs: -L$${libdir} -lmm
Libs.private: -pthread
endef

$(B)/libmm.pc: $(B)/flags FORCE
	$(file >$@,$(LIBMM_PC))

INSTALLED = $(LIBDIR)/libmm.so $(LIBDIR)/libmm.a \
            $(LIBDIR)/pkgconfig/libmm.pc $(MANDIR)/man3/libmm.3 \
            $(BINDIR)/libmm-top

install: libmm.so libmm.a $(B)/libmm.pc
	install -D -m 755 libmm.so $(DESTDIR)$(LIBDIR)/libmm.so
	install -D -m 644 libmm.a $(DESTDIR)$(LIBDIR)/libmm.a
	install -D -m 644 $(B)/libmm.pc $(DESTDIR)$(LIBDIR)/pkgconfig/libmm.pc
	install -D -m 644 docs/libmm.3 $(DESTDIR)$(MANDIR)/man3/libmm.3
	install -D -m 755 scripts/libmm_top.py $(DESTDIR)$(BINDIR)/libmm-top

uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)

LIBRARIES = libmm.so
programs: preload
	@tests/programs/run.sh $(LIBRARIES)
soak: preload
	@tests/programs/run.sh --soak $(LIBRARIES)

# A sanitizer sees nothing of them, so nor do its tests.
ifeq ($(SAN),)
test-programs: preload
endif

clean: clean-preload
clean-preload: FORCE
	rm -f libmm.a

.PHONY: preload programs soak install uninstall clean-preload
# Chains of pattern rules shall not end in `rm libmm-arena.so`.
.PRECIOUS: libmm-%.so $(B)/libmm-%.so $(B)/preload/%.o
