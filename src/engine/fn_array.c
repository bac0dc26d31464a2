/* Sequences and joined arrays (query-language reference 6.7). */
#include "engine/fn.h"
#include "sql/calendar.h"

#define SEQUENCE_MAX 10000

static bool step_ok(struct fn_call *call, int64_t step)
{
    if (step == 0)
        FN_BAD(call, "step must not be zero");
    return !call->failed;
}

static bool sequence_ok(struct fn_call *call, bool direction, uint64_t last)
{
    if (!direction)
        FN_BAD(call,
               "sequence stop value should be greater than or equal to start value if step is greater than "
               "zero otherwise stop should be less than or equal to start");
    else if (last >= SEQUENCE_MAX)
        FN_BAD(call, "result of sequence function must not have more than %d entries", SEQUENCE_MAX);
    return !call->failed;
}

static void sequence_i64(struct fn_call *call)
{
    const int64_t *start = FN_ARG(call, int64_t, 0), *stop = FN_ARG(call, int64_t, 1),
                  *step = FN_ARG(call, int64_t, 2);
    struct fn_list_out list = fn_list_out(call, 0);

    FN_EACH(call, i)
    {
        bool up = step[i] > 0 && start[i] <= stop[i], down = step[i] < 0 && start[i] >= stop[i];
        /* unsigned, because the distance may exceed int64 */
        uint64_t distance =
            up ? (uint64_t)stop[i] - (uint64_t)start[i] : (uint64_t)start[i] - (uint64_t)stop[i];
        uint64_t size = step[i] < 0 ? 0 - (uint64_t)step[i] : (uint64_t)step[i];
        uint64_t last = size > 0 ? distance / size : 0;
        if (!step_ok(call, step[i]) || !sequence_ok(call, up || down, last) ||
            !fn_list_room(&list, last + 1, 8) || fn_stopped(call))
            return;
        int64_t *out = duckdb_vector_get_data(list.child);
        for (uint64_t k = 0; k <= last; k++)
            out[list.size++] = (int64_t)((uint64_t)start[i] + k * (uint64_t)step[i]);
        fn_list_end(&list, i);
    }
    fn_list_finish(&list);
}

/* start + k * step, each counted from the start, so that the 31st comes back after a short month. */
static void sequence_months(struct fn_call *call)
{
    const int64_t *start = FN_ARG(call, int64_t, 0), *stop = FN_ARG(call, int64_t, 1);
    const int32_t *step = FN_ARG(call, int32_t, 2);
    struct fn_list_out list = fn_list_out(call, 0);

    FN_EACH(call, i)
    {
        bool up = step[i] > 0 && start[i] <= stop[i], down = step[i] < 0 && start[i] >= stop[i];
        int64_t at = start[i];
        if (!step_ok(call, step[i]) || !sequence_ok(call, up || down, 0) || fn_stopped(call))
            return;
        for (uint64_t k = 0; up ? at <= stop[i] : at >= stop[i];) {
            if (!sequence_ok(call, true, k) || !fn_list_room(&list, 1, 8))
                return;
            ((int64_t *)duckdb_vector_get_data(list.child))[list.size++] = at;
            if (!sql_ts_add_months(start[i], (int64_t)++k * step[i], &at))
                break; /* beyond the range of timestamps, so beyond stop */
        }
        fn_list_end(&list, i);
    }
    fn_list_finish(&list);
}

/* nulls: an array of replacements, or NULL when NULL elements are skipped. */
static bool join(struct fn_call *call, const struct fn_list *list, duckdb_list_entry entry, struct mr_str by,
                 const struct mr_str *null)
{
    const duckdb_string_t *elements = list->data;
    bool first = true;

    call->scratch.len = 0;
    for (uint64_t k = entry.offset; k < entry.offset + entry.length; k++) {
        bool valid = vector_row_valid(list->valid, k);
        if (!valid && null == NULL)
            continue;
        if (!first)
            mr_buf_str(&call->scratch, by);
        first = false;
        mr_buf_str(&call->scratch, valid ? vector_str(&elements[k]) : *null);
        if (call->scratch.len > call->value_limit)
            return fn_charge(call, call->scratch.len);
    }
    return mr_buf_ok(&call->scratch) && !fn_worked(call, entry.length);
}

static void array_join(struct fn_call *call)
{
    struct fn_list list = fn_list_arg(call, 0);

    FN_EACH(call, i)
    if (!join(call, &list, list.entries[i], fn_str(call, 1, i), NULL) ||
        !fn_put_str(call, i, mr_buf_view(&call->scratch)))
        return;
}

static void array_join_null(struct fn_call *call)
{
    struct fn_list list = fn_list_arg(call, 0);

    FN_EACH(call, i)
    {
        struct mr_str null = fn_str(call, 2, i);
        if (!join(call, &list, list.entries[i], fn_str(call, 1, i), &null) ||
            !fn_put_str(call, i, mr_buf_view(&call->scratch)))
            return;
    }
}

/* A list of that many elements is about to be made by the embedded database, which has no limit for it; with
 * the vectors on the way an element costs about as much. */
static void list_budget(struct fn_call *call)
{
    const int64_t *count = FN_ARG(call, int64_t, 0);
    int64_t *out = FN_OUT(call, int64_t);

    FN_EACH(call, i)
    {
        out[i] = count[i];
        if (count[i] > 0 && !fn_charge_vector(call, (uint64_t)count[i] * 64))
            return;
    }
}

const struct fn_impl fn_array_table[] = {
    {"mr_list_budget", list_budget},         {"mr_sequence_i64", sequence_i64},
    {"mr_sequence_months", sequence_months}, {"mr_array_join", array_join},
    {"mr_array_join_null", array_join_null}, {NULL, NULL},
};
