/* collatz_vector.c - Collatz over growing vectors: realloc to twice the size.
 *
 *   chain: length, capacity | 6 | 3 | 10 | 5 | 16 | 8 | 4 | 2 | 1 | . | . | */
#include "teach/collatz.h"

struct chain {
    size_t length, capacity;
    uint64_t numbers[];
};

#define FIRST_CAPACITY 4

static struct chain *chain_grow(struct chain *c, size_t capacity)
{
    c = allocated(realloc(c, sizeof *c + capacity * sizeof c->numbers[0]));
    c->capacity = capacity;
    return c;
}

static struct chain *chain_new(uint64_t n)
{
    struct chain *c = chain_grow(NULL, FIRST_CAPACITY);
    for (c->length = 0;; n = next_number(n)) {
        if (c->length == c->capacity)
            c = chain_grow(c, c->capacity * 2);
        c->numbers[c->length++] = n;
        if (n == 1)
            return c;
    }
}

static void chain_free(struct chain *c)
{
    free(c);
}

static size_t chain_steps(const struct chain *c)
{
    return c->length - 1;
}
