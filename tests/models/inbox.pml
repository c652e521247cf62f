/* inbox.pml - mm/front/inbox.h: pushes, takes, and the close, at their steps.
 *
 * Two pushers, one with a chain of two blocks; the owner takes, hands what he
 * got out again, so that a pusher may meet the same head once more (ABA), and
 * closes. Each load, store and compare-and-swap is a step. Promela's memory is
 * sequentially consistent: orders are ThreadSanitizer's business.
 *
 *   safety     each block is got once: by the owner, or kept by its pusher who
 *              found the inbox closed
 *   progress   there is no cycle at all: whoever goes round again does so as
 *              another got on
 *
 * Mutants: PLAIN_PUSH, PLAIN_TAKE (a store, not a CAS or an exchange),
 * NO_CLOSED (the close leaves the inbox open), WAITS (who finds it closed tries
 * again). */

#define BLOCKS 3
#define NIL 0
#define CLOSED 9
#define KEPT 1
#define MAILED 2
#define HANDED 3 /* to whoever wants to push it */

byte chain = NIL;
byte link[BLOCKS + 1];
byte fate[BLOCKS + 1]; /* ghost */
byte done = 0;

inline push(first, last)
{
    head = chain;
    do
    :: head == CLOSED ->
#ifdef WAITS
        head = chain
#else
        closed = true;
        break
#endif
    :: else ->
        link[last] = head;
#ifdef PLAIN_PUSH
        if
        :: chain == head -> chain = first; closed = false; break
        :: else -> head = chain
        fi
#else
        atomic {
            if
            :: chain == head -> chain = first; closed = false; break
            :: else -> head = chain
            fi
        }
#endif
    od
}

inline keep(b)
{
    assert(fate[b] == MAILED);
    fate[b] = KEPT
}

proctype single()
{
    byte head, b = 1, round = 0;
    bool closed;
    do
    :: round < 3 ->
        fate[b] = MAILED;
        push(b, b);
        if
        :: closed -> keep(b); break
        :: else
        fi;
        round++;
        if
        :: atomic { fate[1] == HANDED -> fate[1] = KEPT; b = 1 }
        :: atomic { fate[2] == HANDED -> fate[2] = KEPT; b = 2 }
        :: break
        fi
    :: else -> break
    od;
    done++
}

proctype pair()
{
    byte head;
    bool closed;
    fate[2] = MAILED;
    fate[3] = MAILED;
    link[2] = 3;
    push(2, 3);
    if
    :: closed -> keep(2); keep(3)
    :: else
    fi;
    done++
}

/* Walk what was taken. */
inline got_all(as)
{
    do
    :: b != NIL && b != CLOSED ->
        assert(fate[b] == MAILED);
        next = link[b];
        fate[b] = as;
        b = next
    :: else -> break
    od
}

inline take()
{
#ifdef PLAIN_TAKE
    b = chain;
    chain = NIL;
#else
    atomic { b = chain; chain = NIL }
#endif
    got_all(HANDED)
}

inline close()
{
#ifdef NO_CLOSED
    atomic { b = chain; chain = NIL }
#else
    atomic { b = chain; chain = CLOSED }
#endif
    got_all(KEPT)
}

proctype owner()
{
    byte b, next;
    take();
    take();
    close();
    done++
}

init {
    byte i;
    atomic { run single(); run pair(); run owner() }
    done == 3;
    for (i : 1 .. BLOCKS) {
        assert(fate[i] == KEPT || fate[i] == HANDED)
    }
}
