/* steal.pml - mm/lockfree/steal.h, mm/lockfree/thread.h: stealing, with store buffers.
 *
 * One shard whose thread works in it, moves out when it is stolen, or ends; two
 * thieves; and a thread that takes the shard over when it is an orphan. Memory
 * is x86's: plain stores wait in a buffer of the thread, in order, and it reads
 * its own from there; a CAS empties it; mem_barrier empties everybody's.
 *
 * The shipped C is checked for safety by tests/models/c/steal.c, with the same
 * four threads. This model stays for what that cannot say: that nobody waits,
 * in any state, whoever is stopped, as it sees only executions that end; and for
 * a barrier that comes at any moment, to two threads at once, where the driver
 * has a run for each of twelve points of one thread.
 *
 *   safety     never two inside one shard, and no write to it is lost: at the
 *              end its counter says how often it was worked in
 *   progress   there is no cycle: nobody waits for another's step
 *
 * Mutants: NO_BARRIER, NO_CLAIM (steal at once), NO_LOOK (at open), PLAIN_CLAIM
 * (a store, not a CAS), WAITS (for the thief to be done). */

/* state: how often it changed * 8 + status */
#define OWNED 0
#define CLAIMED 1
#define STOLEN 2
#define ABANDONED 3
#define ORPHAN 4
#define STATUS(s) ((s) & 7)
#define NEXT(s, status) ((((s) >> 3) + 1) << 3 | (status))

#define OPEN 0 /* of two structs */
#define STATE 2
#define WORK 3 /* a word in the arena */
#define WORDS 4
#define DEEP 4

#define ROUNDS 2 /* of the thread */

byte memory[WORDS];
byte word[2 * DEEP], value[2 * DEEP], waiting[2]; /* the buffers of threads */
byte thread_at = 0; /* the shard's */
bool orphan = false;
byte inside = 0, worked = 0; /* ghosts */
byte running = 4;

inline store(t, at, what)
{
    atomic {
        waiting[t] < DEEP ->
        word[t * DEEP + waiting[t]] = at;
        value[t * DEEP + waiting[t]] = what;
        waiting[t]++
    }
}

inline drain_one(t)
{
    d_step {
        memory[word[t * DEEP]] = value[t * DEEP];
        waiting[t]--;
        k = 0;
        do
        :: k < waiting[t] ->
            word[t * DEEP + k] = word[t * DEEP + k + 1];
            value[t * DEEP + k] = value[t * DEEP + k + 1];
            k++
        :: else -> break
        od;
        word[t * DEEP + k] = 0;
        value[t * DEEP + k] = 0;
        k = 0
    }
}

inline drain_all(t)
{
    do
    :: waiting[t] > 0 -> drain_one(t)
    :: else -> break
    od
}

inline load(t, at, into)
{
    d_step {
        into = memory[at];
        k = 0;
        do
        :: k < waiting[t] ->
            if
            :: word[t * DEEP + k] == at -> into = value[t * DEEP + k]
            :: else
            fi;
            k++
        :: else -> break
        od;
        k = 0
    }
}

/* CAS of the state, by one whose own buffer is empty. */
inline change(from, status, done)
{
    atomic {
        if
        :: memory[STATE] == from ->
            from = NEXT(from, status);
            memory[STATE] = from;
            done = true
        :: else -> from = memory[STATE]; done = false
        fi
    }
}

/* Work on the arena, through a buffer or not. */
inline work_begins()
{
    atomic { assert(inside == 0); inside++ }
}

inline work_ends()
{
    atomic { worked++; inside-- }
}

proctype buffer(byte t)
{
    byte k;
end:
    do
    :: atomic { waiting[t] > 0 -> drain_one(t) }
    od
}

inline push_orphan(t)
{
    atomic { drain_all(t); state = memory[STATE] };
    do
    :: change(state, ORPHAN, done);
        if
        :: done -> break
        :: else
        fi
    od;
    atomic { drain_all(t); orphan = true }
}

/* Enter and work, if it is still ours. */
inline shard_enter(t, my)
{
    store(t, OPEN + my, 0);
    load(t, STATE, state);
    do
    :: STATUS(state) == CLAIMED ->
        atomic { drain_all(t); change(state, OWNED, done) }
#ifdef WAITS
    :: STATUS(state) == STOLEN -> load(t, STATE, state)
#endif
    :: else -> break
    od;
    if
    :: STATUS(state) == OWNED ->
        work_begins();
        load(t, WORK, work);
        store(t, WORK, work + 1);
        work_ends();
        mine = true
    :: else -> /* self_move: the shard gets another struct, which is not open */
        thread_at = 1;
        atomic { drain_all(t); change(state, ABANDONED, done) };
        if
        :: done
        :: else -> push_orphan(t)
        fi;
        mine = false
    fi
}

inline leave(t, my)
{
    store(t, OPEN + my, 1)
}

proctype thread()
{
    byte state, work, k, round;
    bool done, mine;
    for (round : 1 .. ROUNDS) {
        shard_enter(0, 0);
        if
        :: mine && round == ROUNDS -> push_orphan(0) /* it ends */
        :: else -> leave(0, 0) /* with another shard, perhaps */
        fi;
        if
        :: mine
        :: else -> break
        fi
    }
    running--
}

proctype heir()
{
    byte state, work, k, my;
    bool done, mine;
    if
    :: atomic { orphan -> orphan = false };
        my = thread_at;
        load(1, STATE, state);
        store(1, STATE, NEXT(state, OWNED));
        leave(1, my);
        shard_enter(1, my);
        if
        :: mine -> leave(1, my)
        :: else
        fi
    :: skip /* it never comes */
    fi;
    running--
}

proctype thief()
{
    byte state, work, k, open;
    bool done;
    state = memory[STATE];
    if
    :: STATUS(state) > CLAIMED -> goto next
    :: else
    fi;
#ifdef PLAIN_CLAIM
    state = NEXT(state, CLAIMED);
    memory[STATE] = state;
#elif !defined(NO_CLAIM)
    change(state, CLAIMED, done);
    if
    :: !done -> goto next
    :: else
    fi;
#endif
#ifndef NO_BARRIER
    atomic { drain_all(0) };
    atomic { drain_all(1) };
#endif
    open = thread_at;
#ifdef NO_LOOK
    open = 1;
#else
    open = memory[OPEN + open];
#endif
    if
    :: open -> change(state, STOLEN, done)
    :: else -> change(state, OWNED, done); done = false
    fi;
    if
    :: done ->
        work_begins();
        work = memory[WORK];
        memory[WORK] = work + 1;
        work_ends();
        /* shard_return */
        state = memory[STATE];
        done = false;
        if
        :: STATUS(state) == STOLEN -> change(state, OWNED, done)
        :: else
        fi;
        if
        :: done
        :: else ->
            do
            :: change(state, ORPHAN, done);
                if
                :: done -> break
                :: else
                fi
            od;
            orphan = true
        fi
    :: else
    fi;
next:
    running--
}

init {
    atomic {
        memory[OPEN] = 1;
        run buffer(0);
        run buffer(1);
        run thread();
        run heir();
        run thief();
        run thief()
    };
    running == 0 && waiting[0] == 0 && waiting[1] == 0;
    assert(memory[WORK] == worked)
}
