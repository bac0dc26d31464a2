/* tests/unit/engine/plant.h - a small table to run statements on, and their rows in a form for people.
 *
 * plant.machines has the dimension machine_id and the measures spindle_load (press-1: 0, 0.5, ... 2.5;
 * press-2: 10 more) and cycles (press-1: 0 .. 5), one record a minute from the epoch on. now() is plant_now.
 *
 * A row is "=> cell | cell", no rows are "=>" and an error "! text". A cell is a scalar's text, null, [1,2]
 * for an array of numbers, or the JSON of another value.
 */
#ifndef MR_TESTS_ENGINE_PLANT_H
#define MR_TESTS_ENGINE_PLANT_H

#include "sql/sql.h"

#define PLANT_NOW INT64_C(1678344435209000342)

/* Setup of a cmocka group; harness_close is its teardown. */
int plant_open(void **state);

extern const struct sql_lookup plant_lookup;

/* Appends the lines of a statement's answer. */
void plant_run(struct mr_str text, struct mr_buf *out);

#endif
