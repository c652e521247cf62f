/* new.cc - C++'s operators new and delete, in all their forms, use our malloc.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <malloc.h>
#include <new>

static int broken;

static void contract(const char *text, bool holds)
{
    std::printf("%s - %s\n", holds ? "ok" : "not ok", text);
    broken |= !holds;
}

/* A block of libmm's: its usable size is known there, and nowhere else. */
static bool ours(void *p, std::size_t size, std::size_t align = 16)
{
    return p && (std::uintptr_t)p % align == 0 &&
           malloc_usable_size(p) >= size;
}

static bool plain_forms()
{
    bool good = true;
    for (std::size_t size : {0, 1, 24, 100, 1000, 5000, 300000}) {
        void *p = ::operator new(size), *q = ::operator new[](size);
        good &= ours(p, size) && ours(q, size) && p != q;
        ::operator delete(p);
        ::operator delete[](q);
        p = ::operator new(size);
        q = ::operator new[](size);
        ::operator delete(p, size);
        ::operator delete[](q, size);
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr, 100);
    return good;
}

static bool aligned_forms()
{
    bool good = true;
    for (std::size_t align = 32; align <= 65536; align *= 2) {
        std::align_val_t a{align};
        void *p = ::operator new(100, a), *q = ::operator new[](100, a);
        good &= ours(p, 100, align) && ours(q, 100, align);
        ::operator delete(p, a);
        ::operator delete[](q, a);
        p = ::operator new(100, a);
        q = ::operator new[](100, a);
        ::operator delete(p, 100, a);
        ::operator delete[](q, 100, a);
    }
    return good;
}

static bool nothrow_forms()
{
    std::align_val_t a{64};
    void *p = ::operator new(100, std::nothrow);
    void *q = ::operator new[](100, std::nothrow);
    void *r = ::operator new(100, a, std::nothrow);
    void *s = ::operator new[](100, a, std::nothrow);
    bool good =
        ours(p, 100) && ours(q, 100) && ours(r, 100, 64) && ours(s, 100, 64);
    ::operator delete(p, std::nothrow);
    ::operator delete[](q, std::nothrow);
    ::operator delete(r, a, std::nothrow);
    ::operator delete[](s, a, std::nothrow);
    volatile std::size_t huge = PTRDIFF_MAX;
    good &= !::operator new(huge, std::nothrow);
    good &= !::operator new[](huge, std::nothrow);
    return good && !::operator new(huge, a, std::nothrow);
}

static int handled;

static void handler()
{
    if (++handled == 3)
        std::set_new_handler(nullptr);
}

static void *kept; /* so that the compiler leaves no call out */

static bool throws(bool aligned)
{
    volatile std::size_t huge = PTRDIFF_MAX;
    try {
        kept = aligned ? ::operator new(huge, std::align_val_t{64})
                       : ::operator new(huge);
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static bool handler_is_asked()
{
    std::set_new_handler(handler);
    return throws(false) && handled == 3 && throws(true);
}

int main()
{
    contract("C38 libstdc++'s new calls this malloc", plain_forms());
    contract("C39 new with an alignment", aligned_forms());
    contract("C40 new (std::nothrow)", nothrow_forms());
    contract("C41 new that fails asks the handler, and throws",
             handler_is_asked());
    return broken;
}
