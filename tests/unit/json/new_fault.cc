// tests/unit/json/new_fault.cc - operator new through mr_malloc, so that the allocation countdown of
// lib/fault.h reaches simdjson's own buffers. Linked into this suite's binaries only.
#include <cstdlib>
#include <new>

extern "C" {
#include "base/base.h"
}

void *operator new(std::size_t size)
{
    void *ptr = mr_malloc(size);
    if (ptr == nullptr)
        throw std::bad_alloc();
    return ptr;
}

void *operator new(std::size_t size, const std::nothrow_t &) noexcept
{
    return mr_malloc(size);
}

void *operator new[](std::size_t size)
{
    return operator new(size);
}

void *operator new[](std::size_t size, const std::nothrow_t &tag) noexcept
{
    return operator new(size, tag);
}

void operator delete(void *ptr) noexcept
{
    mr_free(ptr);
}

void operator delete(void *ptr, std::size_t) noexcept
{
    mr_free(ptr);
}

void operator delete[](void *ptr) noexcept
{
    mr_free(ptr);
}

void operator delete[](void *ptr, std::size_t) noexcept
{
    mr_free(ptr);
}
