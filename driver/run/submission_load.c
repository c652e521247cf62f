/* submission_load.c - in a child: from an image to a table; see submission.h.
 *
 * The table is found by what it is, not by its name: the one object of a struct
 * mm_allocator's size that is called mm_something. So a file may be named by
 * who hands it in. */
#include "driver/base/registry.h"
#include "driver/run/submission.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SYMBOL_ROOM 128

struct file {
    const unsigned char *at;
    size_t size;
};

/* @return n things of so many bytes at an offset; NULL: beyond its end. */
static const void *piece(const struct file *f, uint64_t at, uint64_t n,
                         size_t size)
{
    if (at > f->size || n > (f->size - at) / size ||
        at % _Alignof(ElfW(Ehdr)) != 0)
        return NULL;
    return f->at + at;
}

static bool is_table(const ElfW(Sym) * s, const char *name)
{
    return (s->st_info & 0xf) == STT_OBJECT && s->st_shndx != SHN_UNDEF &&
           s->st_size == sizeof(struct mm_allocator) &&
           strncmp(name, "mm_", 3) == 0;
}

/* Of one table of symbols. @return how many tables it names; the last one's
 * name in symbol. */
static unsigned scan(const struct file *f, const ElfW(Shdr) * all,
                     unsigned nall, const ElfW(Shdr) * s,
                     char symbol[SYMBOL_ROOM])
{
    unsigned found = 0;
    uint64_t n = s->sh_size / sizeof(ElfW(Sym));
    const ElfW(Sym) *symbols = piece(f, s->sh_offset, n, sizeof *symbols);
    if (!symbols || s->sh_link >= nall)
        return 0;
    const ElfW(Shdr) *strings = &all[s->sh_link];
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = symbols[i].st_name;
        const char *name = (const char *)f->at + strings->sh_offset + at;
        if (strings->sh_offset > f->size || at >= strings->sh_size ||
            strings->sh_size > f->size - strings->sh_offset ||
            !memchr(name, '\0', strings->sh_size - at) ||
            strlen(name) >= SYMBOL_ROOM || !is_table(&symbols[i], name))
            continue;
        found++;
        snprintf(symbol, SYMBOL_ROOM, "%s", name);
    }
    return found;
}

static unsigned find_table(const struct file *f, char symbol[SYMBOL_ROOM])
{
    const ElfW(Ehdr) *head = piece(f, 0, 1, sizeof *head);
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_shentsize != sizeof(ElfW(Shdr)))
        return 0;
    const ElfW(Shdr) *all = piece(f, head->e_shoff, head->e_shnum, sizeof *all);
    for (unsigned i = 0; all && i < head->e_shnum; i++)
        if (all[i].sh_type == SHT_DYNSYM)
            return scan(f, all, head->e_shnum, &all[i], symbol);
    return 0;
}

static unsigned find_in_image(int image, char symbol[SYMBOL_ROOM])
{
    struct stat st;
    if (fstat(image, &st) != 0 || st.st_size <= 0)
        return 0;
    size_t size = (size_t)st.st_size;
    void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, image, 0);
    if (at == MAP_FAILED)
        return 0;
    unsigned n = find_table(&(struct file){at, size}, symbol);
    munmap(at, size);
    return n;
}

static bool complete(const struct mm_allocator *a)
{
    return a->init && a->fini && a->malloc && a->free && a->realloc &&
           a->calloc && a->memalign && a->usable_size;
}

bool submission_load(int image, const char *name, struct mm_allocator *table,
                     char *err, size_t room)
{
    char symbol[SYMBOL_ROOM], path[64];
    unsigned n = find_in_image(image, symbol);
    *err = '\0';
    if (n == 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", image);
    void *library = n == 1 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct mm_allocator *a = library ? dlsym(library, symbol) : NULL;
    if (n > 1)
        snprintf(err, room, "found %u tables, expected one", n);
    else if (!a)
        snprintf(err, room, "%s", dlerror());
    else if (!complete(a))
        snprintf(err, room,
                 "%s lacks one of init, fini, malloc, free, realloc, calloc, "
                 "memalign, usable_size",
                 symbol);
    if (*err)
        return false;
    *table = *a;
    table->name = name;
    registry_adopt(table);
    return true;
}
