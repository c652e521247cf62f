/* blocks.c - linear probing, at most half full; a removal moves the blocks
 * behind it up, so that no gap lies between a block and its home. */
#include "record/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BITS 10

static void *must(void *p)
{
    if (!p) {
        fputs("rec2trace: out of memory\n", stderr);
        exit(3);
    }
    return p;
}

void blocks_init(struct blocks *t)
{
    t->bits = FIRST_BITS;
    t->n = 0;
    t->slot = must(calloc((size_t)1 << t->bits, sizeof *t->slot));
}

void blocks_fini(struct blocks *t)
{
    free(t->slot);
}

/* Fibonacci hashing: addresses differ in their middle bits. */
static size_t home(const struct blocks *t, uint64_t addr)
{
    return (size_t)(addr * 0x9E3779B97F4A7C15u >> (64 - t->bits));
}

static size_t find(const struct blocks *t, uint64_t addr)
{
    size_t mask = ((size_t)1 << t->bits) - 1, i = home(t, addr);
    while (t->slot[i].addr && t->slot[i].addr != addr)
        i = (i + 1) & mask;
    return i;
}

static void grow(struct blocks *t)
{
    struct blocks old = *t;
    t->bits++;
    t->slot = must(calloc((size_t)1 << t->bits, sizeof *t->slot));
    for (size_t i = 0; i < (size_t)1 << old.bits; i++)
        if (old.slot[i].addr)
            t->slot[find(t, old.slot[i].addr)] = old.slot[i];
    free(old.slot);
}

void blocks_put(struct blocks *t, struct block b)
{
    if (2 * t->n >= (size_t)1 << t->bits)
        grow(t);
    size_t i = find(t, b.addr);
    t->n += !t->slot[i].addr;
    t->slot[i] = b;
}

bool blocks_take(struct blocks *t, uint64_t addr, struct block *out)
{
    size_t mask = ((size_t)1 << t->bits) - 1, gap = find(t, addr);
    if (!t->slot[gap].addr)
        return false;
    *out = t->slot[gap];
    for (size_t i = (gap + 1) & mask; t->slot[i].addr; i = (i + 1) & mask) {
        size_t from_home = (i - home(t, t->slot[i].addr)) & mask;
        if (from_home >= ((i - gap) & mask)) {
            t->slot[gap] = t->slot[i];
            gap = i;
        }
    }
    t->slot[gap].addr = 0;
    t->n--;
    return true;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct block *)a)->id;
    uint32_t y = ((const struct block *)b)->id;
    return (x > y) - (x < y);
}

struct block *blocks_sorted(const struct blocks *t)
{
    struct block *all = must(malloc((t->n + 1) * sizeof *all)), *end = all;
    for (size_t i = 0; i < (size_t)1 << t->bits; i++)
        if (t->slot[i].addr)
            *end++ = t->slot[i];
    qsort(all, t->n, sizeof *all, by_id);
    return all;
}
