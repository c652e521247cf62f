/* stack.pml - mm/lockfree/stack.h: the tagged stack, at its steps.
 *
 * Three threads pop and push three nodes in any order; loads of head and link
 * and the compare-and-swap are steps of their own. The tag is as wide as all
 * changes together need: that 44 bits do not wrap while a thread is between two
 * steps is the one thing that is assumed.
 *
 *   safety     a node that was popped is nobody else's; at the end each node is
 *              in the stack or with a thread, once
 *   progress   there is no cycle: a CAS fails only as another succeeded
 *
 * Mutants: NO_TAG, PLAIN_POP and PLAIN_PUSH (a store, not a CAS), WAITS (a pop
 * of an empty stack waits for a push). */

#define NODES 3
#define THREADS 2
#define OPERATIONS 4

typedef head_word {
    byte tag;
    byte node; /* 0: none */
}

head_word top;
byte below[NODES + 1];
bool taken[NODES + 1]; /* ghost */
byte done = 0;

#ifdef NO_TAG
#define SAME (top.node == node)
#else
#define SAME (top.node == node && top.tag == tag)
#endif

inline look()
{
    atomic { tag = top.tag; node = top.node }
}

inline swap(with)
{
    top.node = with;
    top.tag = top.tag + 1
}

inline pop()
{
    look();
    do
    :: node == 0 ->
#ifdef WAITS
        look()
#else
        break
#endif
    :: else ->
        next = below[node];
#ifdef PLAIN_POP
        if
        :: SAME -> swap(next); break
        :: else -> look()
        fi
#else
        atomic {
            if
            :: SAME -> swap(next); break
            :: else -> look()
            fi
        }
#endif
    od;
    if
    :: node != 0 ->
        d_step { assert(!taken[node]); taken[node] = true };
        mine[node] = true
    :: else
    fi
}

inline push(n)
{
    mine[n] = false;
    taken[n] = false;
    look();
    do
    :: true ->
        below[n] = node;
#ifdef PLAIN_PUSH
        if
        :: SAME -> swap(n); break
        :: else -> look()
        fi
#else
        atomic {
            if
            :: SAME -> swap(n); break
            :: else -> look()
            fi
        }
#endif
    od
}

proctype thread()
{
    byte tag, node, next, i;
    bool mine[NODES + 1];
    for (i : 1 .. OPERATIONS) {
        if
        :: pop()
        :: mine[1] -> push(1)
        :: mine[2] -> push(2)
        :: mine[3] -> push(3)
        fi
    }
    done++
}

init {
    byte i, n;
    atomic {
        for (i : 1 .. NODES) {
            below[i] = i - 1
        }
        top.node = NODES;
        for (i : 1 .. THREADS) {
            run thread()
        }
    }
    done == THREADS;
    n = top.node;
    do
    :: n != 0 ->
        assert(!taken[n]);
        taken[n] = true;
        n = below[n]
    :: else -> break
    od;
    for (i : 1 .. NODES) {
        assert(taken[i])
    }
}
