/* engine/vector.h - small inline helpers over DuckDB vectors. Private to engine/. */
#ifndef MR_ENGINE_VECTOR_H
#define MR_ENGINE_VECTOR_H

#include "engine/duck.h"

static inline bool vector_row_valid(const uint64_t *validity, size_t row)
{
    return validity == NULL || (validity[row / 64] >> (row % 64) & 1) != 0;
}

static inline void vector_set_null(duckdb_vector vector, size_t row)
{
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_vector_get_validity(vector)[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

static inline struct mr_str vector_str(const duckdb_string_t *s)
{
    if (duckdb_string_is_inlined(*s))
        return (struct mr_str){s->value.inlined.inlined, s->value.inlined.length};
    return (struct mr_str){s->value.pointer.ptr, s->value.pointer.length};
}

/* Short strings live in the vector itself and are written there; long ones are copied by DuckDB. */
static inline void vector_put_str(duckdb_vector vector, size_t row, struct mr_str s)
{
    if (s.len <= sizeof(((duckdb_string_t *)0)->value.inlined.inlined)) {
        duckdb_string_t v;
        memset(&v, 0, sizeof(v));
        v.value.inlined.length = (uint32_t)s.len;
        if (s.len > 0)
            memcpy(v.value.inlined.inlined, s.ptr, s.len);
        ((duckdb_string_t *)duckdb_vector_get_data(vector))[row] = v;
    } else {
        duckdb_vector_assign_string_element_len(vector, row, s.ptr, s.len);
    }
}

#endif
