/* blocks.h - which block lies at an address: an open-addressing hash table. */
#ifndef RECORD_BLOCKS_H
#define RECORD_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint64_t addr; /* never 0 */
    uint64_t size; /* bytes asked for */
    uint32_t id;
    uint32_t thread; /* that made it or resized it last */
};

struct blocks {
    struct block *slot; /* 1 << bits of them; addr 0: empty */
    unsigned bits;
    size_t n;
};

void blocks_init(struct blocks *t);
void blocks_fini(struct blocks *t);
/** Add b; a block that lay at its address is replaced. */
void blocks_put(struct blocks *t, struct block b);
/** Remove the block at addr. @return false: there is none. */
bool blocks_take(struct blocks *t, uint64_t addr, struct block *out);
/** All blocks, in order of id; the caller frees the array of t->n. */
struct block *blocks_sorted(const struct blocks *t);

#endif
