/* tests/unit/sql/fixture.h - a small schema for the front end's tests, without catalog or store.
 *
 * works.sensors  dimensions site (0), machine (1), zone (2); measure_name (3); time (4);
 * measure_value::double (5),
 *                ::bigint (6), ::varchar (7), ::boolean (8); attributes temperature double (9), pressure
 * double (10), status varchar (11), cycles bigint (12), running boolean (13), serviced timestamp (14)
 * works.lines    dimensions site (0), line (1); measure_name (2); time (3); speed double (4)
 * works.bare     measure_name (0); time (1)
 */
#ifndef MR_TESTS_SQL_FIXTURE_H
#define MR_TESTS_SQL_FIXTURE_H

#include "sql/sql.h"

#define FIXTURE_NOW INT64_C(1715941230456789123) /* 2024-05-17 10:20:30.456789123 */

extern const struct sql_lookup fixture_lookup;
/* now is FIXTURE_NOW, no floor, no parameters */
extern const struct sql_env fixture_env;

#endif
