/* Every allocation of the log fails once: an open or an append says so, and nothing else happens. */
#include "lib/dir.h"
#include "lib/fault.h"
#include "unit/wal/kit.h"

#include <sched.h>

static void an_allocation_that_fails_costs_nothing_else(void **state)
{
    MR_UNUSED(state);
    unsigned failed_opens = 0, failed_appends = 0;
    for (unsigned nth = 1; nth < 60; nth++) {
        char *dir = dir_make();
        struct wal_options o = kit_options(&mr_io_posix, dir);
        struct wal *wal = kit_open(&o, NULL);
        for (uint64_t n = 1; n <= 40; n++)
            kit_append(wal, n, NULL);
        wal_close(wal);
        struct mr_error err = MR_ERROR_INIT;
        uint64_t last = 40;
        fault_alloc(nth);
        int status = wal_open(&o, NULL, NULL, &wal, &err);
        if (status == MR_OK) {
            for (uint64_t n = 41; n <= 120; n++) {
                while ((status = wal_append(wal, kit_entry(n), NULL, NULL)) != MR_OK) {
                    assert_true(status == MR_ENOMEM || status == MR_EBUSY || status == MR_ENOSPC);
                    failed_appends += status == MR_ENOMEM;
                    assert_int_equal(wal_last_lsn(wal), n - 1);
                    sched_yield();
                }
                last = n;
            }
            wal_flush(wal); /* closing asks for room once only; the fault may have been that */
            wal_close(wal);
        } else {
            assert_int_equal(status, MR_ENOMEM);
            assert_string_not_equal(err.text, "");
            failed_opens++;
        }
        fault_alloc(0);
        kit_expect(&o, 1, last);
        dir_remove(dir);
    }
    assert_true(failed_opens >= 5 && failed_appends >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_that_fails_costs_nothing_else),
    };
    return cmocka_run_group_tests_name("wal/memory", tests, NULL, NULL);
}
