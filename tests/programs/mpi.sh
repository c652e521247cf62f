# mpi.sh - Open MPI and UCX, which hook what maps memory, and malloc.
# soak; needs: mpicc.openmpi mpirun.openmpi ucx_perftest python3.11
set -u
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 UCX_MEM_MALLOC_HOOKS=y
export UCX_MEM_EVENTS=y UCX_WARN_UNUSED_ENV_VARS=n UCX_LOG_LEVEL=fatal
export TMPDIR=$PWD
cat >ring.c <<'END'
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each sends to the next, of blocks made and freed each time. */
static unsigned long pass(int rank, int n, size_t size)
{
    unsigned long sum = 0;
    char *to = malloc(size), *from = malloc(size);
    memset(to, rank + 1, size);
    MPI_Sendrecv(to, (int)size, MPI_CHAR, (rank + 1) % n, 1, from, (int)size,
                 MPI_CHAR, (rank + n - 1) % n, 1, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    for (size_t i = 0; i < size; i++)
        sum += (unsigned char)from[i];
    to = realloc(to, size * 2);
    free(from);
    free(to);
    return sum;
}

int main(int argc, char **argv)
{
    int rank, n, rounds = 5 * atoi(argv[1]);
    unsigned long sum = 0, all;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    for (int i = 0; i < rounds; i++)
        for (size_t size = 1; size < 3 << 20; size = size * 3 + i)
            sum += pass(rank, n, size);
    MPI_Reduce(&sum, &all, 1, MPI_UNSIGNED_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d processes passed bytes that sum up to %lu\n", n, all);
    return MPI_Finalize();
}
END
mpicc.openmpi -o ring ring.c
OMPI_MCA_mpi_leave_pinned=1 mpirun.openmpi -n 3 ./ring "$SOAK" 2>errors
echo "the ring ended with $?"
grep -iE 'signal|segm|abort|mm:' errors

# UCX's own test, a server and a client.
port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for test in tag_bw stream_lat; do
    ucx_perftest -p "$port" >server 2>&1 &
    server=$!
    for _ in $(seq 100); do
        ucx_perftest -p "$port" -t "$test" -s 100000 -n $((SOAK * 200)) \
            127.0.0.1 >client 2>&1 && break
        sleep 0.1
    done
    echo "the client of $test ended with $?"
    wait $server
    echo "the server ended with $?"
done
