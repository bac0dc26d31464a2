/* engine/fn.h - how a function of ours is written. Private to engine/.
 *
 * A kernel computes one vector. Before it runs the driver (functions.c) has checked the cancel flag, found
 * the run, made every row with a NULL argument NULL, and collected those rows in `valid`. The kernel visits
 * the others with FN_EACH, reads arguments as typed arrays or through fn_str and friends, and stores into
 * fn_out or through fn_put. It reports an error with fn_fail and returns.
 *
 * Thread-safe: a kernel has no state besides its call.
 */
#ifndef MR_ENGINE_FN_H
#define MR_ENGINE_FN_H

#include "engine/duck.h"
#include "engine/vector.h"

#define FN_ARGS_MAX 8

struct fn_call {
    duckdb_function_info info;
    const struct engine_run *run; /* NULL outside of a run (constants in tests) */
    duckdb_data_chunk in;
    duckdb_vector out;
    idx_t rows;
    idx_t nargs;
    void *arg[FN_ARGS_MAX]; /* data of the first arguments */
    void *result;           /* data of the result */
    const uint64_t *valid;  /* NULL: all rows are to be computed */
    uint64_t value_limit;   /* bytes of one value */
    uint64_t vector_limit;  /* bytes of all values of this vector */
    uint64_t produced;      /* of them so far */
    struct mr_buf scratch;  /* reused from row to row, released by the driver */
    uint64_t work;          /* done since the stop flag was last looked at */
    bool failed;
};

typedef void (*fn_kernel)(struct fn_call *call);

struct fn_impl {
    const char *name;
    fn_kernel kernel;
};

/* One table a family, ended by a NULL name. */
extern const struct fn_impl fn_int_table[], fn_float_table[], fn_cast_table[], fn_time_table[],
    fn_calendar_table[], fn_format_table[], fn_text_table[], fn_search_table[], fn_regex_table[],
    fn_array_table[], fn_series_table[], fn_interpolate_table[];

#define FN_ARG(call, type, n) ((const type *)(call)->arg[n])
#define FN_OUT(call, type) ((type *)(call)->result)
#define FN_EACH(call, i)                                                                                     \
    for (idx_t i = 0; i < (call)->rows; i++)                                                                 \
        if (vector_row_valid((call)->valid, i))

/* The first failure of a call stays. */
void fn_fail(struct fn_call *call, enum mr_status status, const char *fmt, ...) MR_PRINTF(3, 4);
#define FN_BAD(call, ...) fn_fail((call), MR_EINVAL, __VA_ARGS__)

/* True when the run was stopped; the call has then failed. For rows that cost much. */
bool fn_stopped(struct fn_call *call);
/* Looks at the stop flag each time a few million steps have been done. */
static inline bool fn_worked(struct fn_call *call, uint64_t steps)
{
    call->work += steps;
    if (MR_LIKELY(call->work < (uint64_t)1 << 22))
        return false;
    call->work = 0;
    return fn_stopped(call);
}
/* False, and the call has failed, when a value of that size may not be made. */
bool fn_charge(struct fn_call *call, uint64_t bytes);
/* The same for what is about to be made elsewhere, of any size, for the rows of this vector. */
bool fn_charge_vector(struct fn_call *call, uint64_t bytes);

static inline struct mr_str fn_str(const struct fn_call *call, unsigned arg, idx_t row)
{
    return vector_str(&FN_ARG(call, duckdb_string_t, arg)[row]);
}

static inline void fn_null(struct fn_call *call, idx_t row)
{
    vector_set_null(call->out, row);
}

/* Stores a string; false, and the call has failed, when it is over budget. */
bool fn_put_str(struct fn_call *call, idx_t row, struct mr_str s);

/* ---- lists
 * --------------------------------------------------------------------------------------------------- */

/* A list argument: elements entry[row].offset .. + length of `data`. */
struct fn_list {
    const duckdb_list_entry *entries;
    const void *data;
    const uint64_t *valid; /* of the elements */
};
struct fn_list fn_list_arg(const struct fn_call *call, unsigned arg);

/* The points of a time series argument. */
struct fn_series {
    const duckdb_list_entry *entries;
    const int64_t *t;
    const double *v;
    const uint64_t *tvalid, *vvalid, *pvalid; /* of t, of v, of the points themselves */
};
struct fn_series fn_series_arg(const struct fn_call *call, unsigned arg);

/* A list result under construction. Start with fn_list_out; for each row in order, make room, write the
 * elements at `size` .. and call fn_list_end. Rows that are not visited get an empty entry by fn_list_finish.
 */
struct fn_list_out {
    struct fn_call *call;
    duckdb_vector child;     /* element vector */
    duckdb_vector fields[2]; /* of a STRUCT element, else NULL */
    uint64_t size, capacity;
    uint64_t start; /* of the row being written */
};
struct fn_list_out fn_list_out(struct fn_call *call, unsigned nfields);
/* Room for `more` elements of `bytes` each; data pointers change. False: over budget, the call has failed. */
bool fn_list_room(struct fn_list_out *list, uint64_t more, uint64_t bytes);
void fn_list_end(struct fn_list_out *list, idx_t row);
void fn_list_finish(struct fn_list_out *list);

/* ---- aggregates
 * ---------------------------------------------------------------------------------------------- */

struct agg_impl {
    const char *name;
    idx_t (*size)(duckdb_function_info info);
    void (*init)(duckdb_function_info info, duckdb_aggregate_state state);
    void (*update)(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states);
    void (*combine)(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *into,
                    idx_t count);
    void (*finalize)(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out,
                     idx_t count, idx_t offset);
    void (*destroy)(duckdb_aggregate_state *states, idx_t count); /* NULL: nothing to free */
};
extern const struct agg_impl agg_moments_table[], agg_pairs_table[], agg_distinct_table[],
    agg_percentile_table[];

/* Fails the aggregate's step with the text. */
void agg_fail(duckdb_function_info info, enum mr_status status, const char *fmt, ...) MR_PRINTF(3, 4);
/* Heap for a state, counted against the engine's limit; NULL: refused, and the step has failed. */
void *agg_realloc(duckdb_function_info info, struct agg_budget **budget, void *old, size_t old_size,
                  size_t new_size);
void agg_free(struct agg_budget *budget, void *ptr, size_t size);

#endif
