/* Runs given up at any moment: before their first row, or after it. Tasks of the query may be at work then;
 * nothing of it may be left behind, and the next query finds all threads at its service. */
#include "engine/fake_store.h"
#include "engine/harness.h"
#include "engine/plant.h"

enum { ROUNDS = 1500 };

static const char *const statements[] = {
    "SELECT machine_id, avg(measure_value::double) FROM plant.machines GROUP BY machine_id ORDER BY 1",
    "SELECT time, measure_value::double FROM plant.machines",
    "SELECT a.time, b.machine_id FROM plant.machines a JOIN plant.machines b ON a.time = b.time",
    "SELECT machine_id, rank() OVER (ORDER BY time) FROM plant.machines",
};

static void give_up(const char *text, unsigned rows)
{
    const struct sql_env env = {.lookup = &plant_lookup, .now_ns = PLANT_NOW, .time_floor = INT64_MIN};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;
    struct mr_buf row = MR_BUF_INIT;

    assert_int_equal(sql_prepare(mr_str_of(text), &env, &arena, &plan, &error), MR_OK);
    check_ok(engine_run_open(harness_engine, plan, NULL, NULL, &run, &err), &err);
    for (unsigned i = 0; i < rows; i++)
        check_ok(engine_run_row(run, &row, &err), &err);
    engine_run_close(run);
    mr_buf_release(&row);
    mr_arena_release(&arena);
}

static void runs_can_be_given_up(void **state)
{
    struct mr_buf out = MR_BUF_INIT;

    MR_UNUSED(state);
    for (unsigned i = 0; i < ROUNDS; i++)
        give_up(statements[i % MR_ARRAY_LEN(statements)], i % 7 == 0);
    plant_run(MR_STR("SELECT count(*) FROM plant.machines"), &out);
    check_str(mr_buf_view(&out), "=> 18\n");
    mr_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_can_be_given_up)};
    return cmocka_run_group_tests(tests, plant_open, harness_close);
}
