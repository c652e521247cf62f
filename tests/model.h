/* model.h - random operations on an allocator, against a list of what is live:
 * no block overlaps another, every byte stays, every promise is kept.
 *
 *   model_run(allocator, seed, nops)   then model_end() frees what is left */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "mm.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

#define MODEL_LIVE 300       /* blocks at most */
#define MODEL_CHECK_EVERY 64 /* operations */
#define MODEL_SAMPLE 4096    /* of a large block, each so many bytes one */

struct model_block {
    unsigned char *p;
    size_t size;
    unsigned char seed;
};

static struct {
    const struct mm_allocator *mm;
    uint64_t seed, state;
    size_t op;
    size_t nlive;
    struct model_block live[MODEL_LIVE];
} model;

#define model_assert(holds, what)                                              \
    ck_assert_msg(holds, "%s: seed %lu, operation %zu: %s", model.mm->name,    \
                  model.seed, model.op, what)

static inline size_t model_random(size_t n)
{
    model.state ^= model.state << 13;
    model.state ^= model.state >> 7;
    model.state ^= model.state << 17;
    return (size_t)(model.state >> 11) % n;
}

static inline size_t model_size(void)
{
    switch (model_random(40)) {
    case 0 ... 9: return model_random(9);
    case 10 ... 19:
        return 16 * (1 + model_random(8)) - model_random(8); /* tight */
    case 20 ... 31: return model_random(1100);
    case 32 ... 36: return model_random(20000);
    case 37 ... 38: return model_random(300000);
    default: return model_random(4 << 20);
    }
}

/* Bytes of large blocks are only sampled, but both ends are whole. */
static inline size_t model_next_byte(size_t i, size_t size)
{
    bool middle = i >= MODEL_SAMPLE && i + 2 * MODEL_SAMPLE < size;
    return i + (middle ? MODEL_SAMPLE : 1);
}

static inline unsigned char model_byte(const struct model_block *b, size_t i)
{
    return (unsigned char)(b->seed + i * 7 + i / 251);
}

static inline void model_fill(struct model_block *b)
{
    b->seed = (unsigned char)model_random(256);
    for (size_t i = 0; i < b->size; i++)
        b->p[i] = model_byte(b, i);
}

/* Are the first size bytes of b, now at p, what they were? */
static inline void model_ck_bytes(const struct model_block *b,
                                  const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i = model_next_byte(i, size))
        if (p[i] != model_byte(b, i))
            model_assert(false, "a block's bytes changed");
}

/* A block that was just made: keep it, unless it breaks a promise. */
static inline void model_add(unsigned char *p, size_t align, size_t size)
{
    model_assert(p != NULL, "no memory");
    model_assert((uintptr_t)p % align == 0, "misaligned");
    size_t usable = model.mm->usable_size(p);
    model_assert(usable >= size, "usable_size is too small");
    model_assert(model.mm->contains(p, usable), "outside the heap");
    for (size_t i = 0; i < model.nlive; i++) {
        const struct model_block *b = &model.live[i];
        if (p < b->p + b->size && b->p < p + usable)
            model_assert(false, "overlaps a live block");
        if (p == b->p)
            model_assert(false, "not unique");
    }
    struct model_block *b = &model.live[model.nlive++];
    *b = (struct model_block){.p = p, .size = size};
    model_fill(b);
}

static inline struct model_block model_remove(size_t i)
{
    struct model_block b = model.live[i];
    model.live[i] = model.live[--model.nlive];
    return b;
}

static inline void model_calloc(size_t size)
{
    unsigned char *p = model.mm->calloc(1, size);
    model_assert(p != NULL, "no memory");
    for (size_t i = 0; i < size; i = model_next_byte(i, size))
        if (p[i])
            model_assert(false, "calloc is not zero");
    model_add(p, 16, size);
}

static inline void model_make(size_t size)
{
    size_t align = (size_t)16 << model_random(12);
    switch (model_random(10)) {
    case 0: model_calloc(size); break;
    case 1: model_add(model.mm->memalign(align, size), align, size); break;
    default: model_add(model.mm->malloc(size), 16, size);
    }
}

static inline void model_free(size_t i)
{
    struct model_block b = model_remove(i);
    model_ck_bytes(&b, b.p, b.size);
    model.mm->free(b.p);
}

/* Half of the new sizes are near the old one. */
static inline void model_realloc(size_t i)
{
    struct model_block b = model_remove(i);
    size_t size = model_random(2) ? model_size() : b.size + model_random(200);
    if (model_random(4) == 0)
        size = b.size - b.size / (1 + model_random(8));
    size += size == 0;
    model_ck_bytes(&b, b.p, b.size);
    unsigned char *p = model.mm->realloc(b.p, size);
    model_assert(p != NULL, "no memory");
    model_ck_bytes(&b, p, size < b.size ? size : b.size);
    model_add(p, 16, size);
}

static inline void model_step(void)
{
    size_t want = model.nlive < MODEL_LIVE ? model_random(100) : 99;
    if (model.nlive == 0 || want < 45)
        model_make(model_size());
    else if (want < 60)
        model_realloc(model_random(model.nlive));
    else
        model_free(model_random(model.nlive));
    if (model.op % MODEL_CHECK_EVERY == 0)
        model_assert(model.mm->check() == 0, "broken, see stderr");
}

static inline void model_run(const struct mm_allocator *allocator,
                             uint64_t seed, size_t nops)
{
    model.mm = allocator;
    model.seed = seed;
    model.state = seed * 0x9e3779b97f4a7c15u + 1;
    for (model.op = 1; model.op <= nops; model.op++)
        model_step();
}

static inline void model_end(void)
{
    while (model.nlive)
        model_free(model_random(model.nlive));
    model_assert(model.mm->check() == 0, "broken after the last free");
}

#endif
