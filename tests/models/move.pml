/* move.pml - mm/lockfree/thread.h, shard.h: a thread moves to another shard.
 *
 * Shard 0 is a thief's, who works there and gives it back; so its thread, which
 * is inside, takes shard 1, that nobody has. Two thieves look at shard 1, one
 * of them twice. An heir takes shard 0 when it is an orphan, opens its thread and
 * leaves. Each load, store and compare-and-swap is a step; memory is
 * sequentially consistent (steal.pml has the store buffers).
 *
 *   safety     never two inside one shard
 *   progress   there is no cycle
 *
 * Mutants: OWNED_FIRST (shard 1 is OWNED before the threads are swapped: a thief
 * reads the thread that it had), MADE_OWNED (a new shard's state is OWNED before
 * its thread sets it: two claims look the same), WAITS (for the thief). */

#ifdef MADE_OWNED
#define TWICE
#endif

#define OWNED 0
#define CLAIMED 1
#define STOLEN 2
#define ABANDONED 3
#define ORPHAN 4
#define SPARE 6
#define STATUS(s) ((s) & 7)
#define NEXT(s, status) ((((s) >> 3) + 1) << 3 | (status))

byte state[2];
byte thread_at[2];   /* of each shard */
bool open[2];        /* each thread */
bool orphan = false; /* shard 0 */
byte inside[2];      /* ghosts */
byte running = 5;

inline change(s, from, status, done)
{
    atomic {
        if
        :: state[s] == from ->
            from = NEXT(from, status);
            state[s] = from;
            done = true
        :: else -> from = state[s]; done = false
        fi
    }
}

inline work(s)
{
    atomic { assert(inside[s] == 0); inside[s]++ };
    inside[s]--
}

inline push_orphan()
{
    now = state[0];
    do
    :: change(0, now, ORPHAN, done);
        if
        :: done -> break
        :: else
        fi
    od;
    orphan = true
}

inline swap_threads()
{
    thread_at[0] = 1;
    thread_at[1] = 0
}

/* For who has the shard: a load and a store. */
inline own_new()
{
    now = state[1];
    state[1] = NEXT(now, OWNED)
}

/* Its thread is 0, which is shut: it is inside. */
proctype mover()
{
    byte was, now;
    bool done;
    was = state[0];
#ifdef WAITS
    do
    :: STATUS(was) == STOLEN -> was = state[0]
    :: else -> break
    od;
#endif
#ifdef OWNED_FIRST
    own_new();
    swap_threads();
#else
    swap_threads();
    own_new();
#endif
    if
    :: STATUS(was) == STOLEN -> change(0, was, ABANDONED, done)
    :: else -> done = false
    fi;
    if
    :: done
    :: else -> push_orphan()
    fi;
    work(1);
    open[0] = true;
#ifdef TWICE /* it enters once more: takes claims back, or finds it stolen */
    open[0] = false;
    was = state[1];
    do
    :: STATUS(was) == CLAIMED -> change(1, was, OWNED, done)
    :: else -> break
    od;
    if
    :: STATUS(was) == OWNED -> work(1)
    :: else
    fi;
#endif
    running--
}

/* It has shard 0. */
proctype first_thief()
{
    byte now;
    bool done = false;
    work(0);
    now = state[0];
    if
    :: STATUS(now) == STOLEN -> change(0, now, OWNED, done)
    :: else
    fi;
    if
    :: done
    :: else -> push_orphan()
    fi;
    running--
}

proctype thief(byte rounds)
{
    byte now, t;
    bool done;
    do
    :: rounds > 0 ->
        rounds--;
        now = state[1];
        if
        :: STATUS(now) > CLAIMED -> goto next
        :: else
        fi;
        change(1, now, CLAIMED, done);
        if
        :: !done -> goto next
        :: else
        fi;
        t = thread_at[1];
        if
        :: open[t] -> change(1, now, STOLEN, done)
        :: else -> change(1, now, OWNED, done); done = false
        fi;
        if
        :: done ->
            work(1);
            now = state[1];
            change(1, now, OWNED, done)
        :: else
        fi;
next:
        skip
    :: else -> break
    od;
    running--
}

proctype heir()
{
    byte now, t;
    if
    :: atomic { orphan -> orphan = false };
        now = state[0];
        state[0] = NEXT(now, OWNED);
        t = thread_at[0];
        work(0);
        open[t] = true
    :: skip /* it never comes */
    fi;
    running--
}

init {
    atomic {
        state[0] = STOLEN;
#ifdef MADE_OWNED
        state[1] = OWNED;
#else
        state[1] = SPARE;
#endif
        thread_at[1] = 1;
        run mover();
        run first_thief();
        run thief(2);
        run thief(1);
        run heir()
    };
    running == 0
}
