/* List arguments and list results of functions. */
#include "engine/fn.h"

struct fn_list fn_list_arg(const struct fn_call *call, unsigned arg)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(call->in, arg);
    duckdb_vector child = duckdb_list_vector_get_child(vector);

    return (struct fn_list){
        .entries = duckdb_vector_get_data(vector),
        .data = duckdb_vector_get_data(child),
        .valid = duckdb_vector_get_validity(child),
    };
}

struct fn_series fn_series_arg(const struct fn_call *call, unsigned arg)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(call->in, arg);
    duckdb_vector point = duckdb_list_vector_get_child(vector);
    duckdb_vector t = duckdb_struct_vector_get_child(point, 0), v = duckdb_struct_vector_get_child(point, 1);

    return (struct fn_series){
        .entries = duckdb_vector_get_data(vector),
        .t = duckdb_vector_get_data(t),
        .v = duckdb_vector_get_data(v),
        .tvalid = duckdb_vector_get_validity(t),
        .vvalid = duckdb_vector_get_validity(v),
        .pvalid = duckdb_vector_get_validity(point),
    };
}

struct fn_list_out fn_list_out(struct fn_call *call, unsigned nfields)
{
    struct fn_list_out list = {.call = call, .child = duckdb_list_vector_get_child(call->out)};

    MR_ASSERT(nfields <= MR_ARRAY_LEN(list.fields));
    for (unsigned f = 0; f < nfields; f++)
        list.fields[f] = duckdb_struct_vector_get_child(list.child, f);
    return list;
}

bool fn_list_room(struct fn_list_out *list, uint64_t more, uint64_t bytes)
{
    struct fn_call *call = list->call;
    uint64_t need = list->size + more;

    /* What a value may have in bytes it may also have in elements; the budget of the whole vector is what
     * bites. */
    if (more > call->vector_limit / 16 || !fn_charge(call, more * bytes))
        return false;
    if (need > list->capacity) {
        uint64_t capacity = list->capacity * 2 > need ? list->capacity * 2 : need;
        if (capacity < 2048)
            capacity = 2048;
        if (duckdb_list_vector_reserve(call->out, capacity) != DuckDBSuccess) {
            fn_fail(call, MR_ENOMEM, "out of memory");
            return false;
        }
        list->capacity = capacity;
    }
    return true;
}

void fn_list_end(struct fn_list_out *list, idx_t row)
{
    duckdb_list_entry *entries = list->call->result;

    entries[row] = (duckdb_list_entry){list->start, list->size - list->start};
    list->start = list->size;
}

void fn_list_finish(struct fn_list_out *list)
{
    struct fn_call *call = list->call;
    duckdb_list_entry *entries = call->result;

    if (call->valid != NULL)
        for (idx_t i = 0; i < call->rows; i++)
            if (!vector_row_valid(call->valid, i))
                entries[i] = (duckdb_list_entry){0, 0};
    duckdb_list_vector_set_size(call->out, list->size);
}
