/* merge.pml - mm/lockfree/shard.h: merging, relabelling, ids that serve anew.
 *
 * Three shards; 2 was taken in by 1, an orphan. Thread 0 owns shard 0; one more thread takes an orphan or a
 * spare, so that ids come back. Both take
 * what their inboxes hold; the first one takes an orphan in, relabels and lets merged ids go. Others send the blocks: one alone, and two in one
 * batch, which the first block's label leads on its way; or the second thread
 * begins by freeing one of the two. An inbox is a set
 * here, and push, take and close are one step each: inbox.pml has shown that.
 * Labels, owners[] and versions are read and written in steps of their own.
 *
 *   safety     who frees a block owns the shard that it lies in; none is freed
 *              twice; at the end each is freed, or in an inbox that is open;
 *              send_on never takes a true label for a lie
 *   progress   there is no cycle: who finds an inbox closed finds another owner
 *
 * Mutants: CLOSE_FIRST (before owners[]: a send must wait), NO_CLOSED,
 * NO_RECHECK (what arrives is freed, whatever its label says), SERVES_EARLY
 * (the ids serve anew before the blocks are relabelled), NO_MERGED (of the one
 * taken in: they lead to it for ever), STATE_LATE (owners[] says that an id
 * serves anew before its state does: send_on takes a true label for a lie),
 * OWNER_EARLY (free looks the owner up before its thread has a shard). */

#define SHARDS 3
#define BLOCKS 3
#define NONE 7
#define BORN_LATER 2 /* the block of the second thread */
#define BIT(b) (1 << (b))

byte owners[SHARDS];
byte version[SHARDS]; /* of its state */
byte inbox[SHARDS];    /* set of blocks */
bool closed[SHARDS];
byte merged_into[SHARDS];
byte orphans = BIT(1), spares = 0;
byte label[BLOCKS];
byte lies[BLOCKS]; /* ghost: the shard that it lies in; NONE: not born */
bool freed[BLOCKS];
byte running = 0;
bool frees = false; /* the second thread, block 0 */

/* send_on, the loop that send begins, too. */
inline send(first, set)
{
    do
    :: true ->
        id = label[first];
        to = owners[id];
        was = version[to];
        atomic {
            if
            :: !closed[to] -> inbox[to] = inbox[to] | (set); break
            :: else
            fi
        }
        id = label[first];
        if
        :: owners[id] == to ->
#ifndef CLOSE_FIRST
            assert(version[to] != was)
#endif
        :: else
        fi
    od
}

proctype sender(byte b)
{
    byte id, to, was;
    send(b, BIT(b));
    running--
}

/* Both had the same owner when the batch was written. */
proctype writer(byte b; byte c)
{
    byte id, to, was, first_to;
    id = label[c];
    first_to = owners[id];
    id = label[b];
    if
    :: owners[id] == first_to -> send(b, BIT(b) | BIT(c))
    :: else -> send(c, BIT(c)); send(b, BIT(b))
    fi;
    running--
}

inline free(b)
{
    atomic {
        assert(lies[b] == self && !freed[b]);
        freed[b] = true
    }
}

/* What came: look at each label once more. */
inline deliver()
{
    b = 0;
    do
    :: b < BLOCKS ->
        if
        :: got & BIT(b) ->
#ifdef NO_RECHECK
            free(b)
#else
            id = label[b];
            if
            :: owners[id] == self -> free(b)
            :: else -> send(b, BIT(b))
            fi
#endif
        :: else
        fi;
        b++
    :: else -> break
    od;
    got = 0
}

inline take()
{
    atomic { got = inbox[self]; inbox[self] = 0 };
    deliver()
}

inline close()
{
    atomic {
        got = inbox[o];
        inbox[o] = 0;
#ifndef NO_CLOSED
        closed[o] = true
#endif
    }
}

inline pop_orphan()
{
    atomic {
        if
        :: orphans & BIT(1) -> o = 1; orphans = orphans & ~BIT(1)
        :: orphans & BIT(2) -> o = 2; orphans = orphans & ~BIT(2)
        :: else -> o = NONE
        fi
    }
}

inline lead_merged()
{
    d_step {
        for (w : 0 .. SHARDS - 1) {
            if
            :: merged_into[w] == o ->
#ifndef NO_MERGED
                owners[w] = self;
#endif
                merged_into[w] = self
            :: else
            fi
        }
        w = 0
    }
}

/* arena_merge, and the state. */
inline move_all()
{
    d_step {
        for (b : 0 .. BLOCKS - 1) {
            if
            :: lies[b] == o -> lies[b] = self
            :: else
            fi
        }
        b = 0;
        merged_into[o] = self
    };
    version[o]++ /* MERGED */
}

inline adopt()
{
    pop_orphan();
    if
    :: o != NONE ->
        lead_merged();
#ifdef CLOSE_FIRST
        close();
        owners[o] = self;
#else
        owners[o] = self;
        close();
#endif
        move_all();
        deliver()
    :: else
    fi
}

inline relabel()
{
    for (b : 0 .. BLOCKS - 1) {
        atomic {
            if
            :: lies[b] == self -> label[b] = self
            :: else
            fi
        }
    }
    b = 0
}

inline merged_go()
{
    for (w : 0 .. SHARDS - 1) {
        if
        :: merged_into[w] == self ->
#ifdef STATE_LATE
            owners[w] = w;
            version[w]++;
#else
            version[w]++; /* SPARE */
            owners[w] = w;
#endif
            atomic { merged_into[w] = NONE; spares = spares | BIT(w) }
        :: else
        fi
    }
    w = 0
}

inline release()
{
#ifdef SERVES_EARLY
    merged_go();
    relabel()
#else
    relabel();
    merged_go()
#endif
}

proctype first_thread()
{
    byte self = 0, got, o, b, w, id, to, was;
    adopt();
    if
    :: release()
    :: skip
    fi;
    take();
    running--
}

proctype second_thread()
{
    byte self, got, o, b, w, id, to, was, owner;
#ifdef OWNER_EARLY
    id = label[0];
    owner = owners[id];
#endif
    pop_orphan();
    if
    :: o == NONE ->
        atomic {
            if
            :: spares & BIT(1) -> o = 1; spares = spares & ~BIT(1)
            :: spares & BIT(2) -> o = 2; spares = spares & ~BIT(2)
            :: else
            fi
        };
        if
        :: o != NONE -> closed[o] = false
        :: else ->
            if
            :: frees -> send(0, BIT(0))
            :: else
            fi;
            goto over
        fi
    :: else
    fi;
    version[o]++; /* OWNED */
    self = o;
    if
    :: frees ->
#ifndef OWNER_EARLY
        id = label[0];
        owner = owners[id];
#endif
        if
        :: owner == self -> free(0)
        :: else -> send(0, BIT(0))
        fi
    :: else
    fi;
    atomic {
        label[BORN_LATER] = self;
        lies[BORN_LATER] = self;
        running++;
        run sender(BORN_LATER)
    };
    take();
    version[self]++; /* ORPHAN */
    atomic { orphans = orphans | BIT(self) };
over:
    running--
}

init {
    byte i;
    atomic {
        for (i : 0 .. SHARDS - 1) {
            owners[i] = i;
            merged_into[i] = NONE
        }
        label[0] = 1; lies[0] = 1;
        label[1] = 2; lies[1] = 1;
        owners[2] = 1; merged_into[2] = 1; closed[2] = true;
        lies[BORN_LATER] = NONE;
        running = 3;
        run first_thread();
        if
        :: run writer(0, 1)
        :: frees = true; run sender(1)
        fi;
        run second_thread()
    };
    running == 0;
    for (i : 0 .. SHARDS - 1) {
        assert(owners[i] == i || !closed[owners[i]]); /* F1 */
        assert(inbox[i] == 0 || /* nobody looks there: */
               (merged_into[i] == NONE && !(spares & BIT(i))))
    }
    for (i : 0 .. BLOCKS - 1) {
        assert(freed[i] || lies[i] == NONE ||
               ((inbox[0] | inbox[1] | inbox[2]) & BIT(i)))
    }
}
