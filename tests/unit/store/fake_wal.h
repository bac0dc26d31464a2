/* tests/unit/store/fake_wal.h - the log in memory, with time in the test's hands.
 *
 * Implements wal/wal.h. Entries outlive wal_close, so a store can be opened on them again; nothing is durable
 * until the test says so. Thread-safe when fake_wal_auto is on; the controls are for one thread.
 */
#ifndef MR_TESTS_FAKE_WAL_H
#define MR_TESTS_FAKE_WAL_H

#include "wal/wal.h"

void fake_wal_reset(void);            /* no entries, nothing armed, not automatic */
void fake_wal_auto(bool on);          /* every entry is durable at once */
void fake_wal_durable(uint64_t lsn);  /* everything up to lsn is; runs the waiters */
void fake_wal_lose(void);             /* power loss: what is not durable is gone; the log must be closed */
void fake_wal_fail(int status);       /* the next append answers this */
void fake_wal_skip(uint64_t entries); /* while the next append is under way, other tables append that many */
uint64_t fake_wal_jump(uint64_t entries); /* other tables have appended that many; the last LSN now */
size_t fake_wal_entries(void);
struct mr_str fake_wal_entry(size_t i);
void fake_wal_set_entry(size_t i, struct mr_str bytes); /* damage on disk; takes a copy */

#endif
