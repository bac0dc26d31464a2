/* store/hold.h - the files of a moment, kept for somebody who copies them while the store goes on.
 *
 * A hold names a manifest and an LSN: the manifest's files and the log from the manifest's mark to that LSN
 * have everything that was durable at the moment. Until it is released no file that the manifest names is
 * removed, no such part of the log, and no key is retired. It lasts for a lease, so that a copier that was
 * killed costs some disk for a while and nothing else: who wants it longer renews it. A table or database
 * that is dropped meanwhile is gone from the catalog at once; its bytes go with the hold.
 *
 * This is for whoever knows that the data is local, not for the ways of requests. Thread-safe.
 */
#ifndef MR_STORE_HOLD_H
#define MR_STORE_HOLD_H

#include "magstore/manifest.h"
#include "store/store.h"

#define STORE_HOLDS_MAX 16 /* at one time; those of killed copiers count until they run out */

/* *manifest is the caller's to release; generation 0: nothing was ever moved to files. MR_EBUSY: there are
 * too many. MR_ENOMEM. */
int store_hold(struct store *store, int64_t lease_ns, uint64_t *id, struct magstore_manifest *manifest,
               uint64_t *lsn, struct mr_error *err);
/* MR_ENOENT: it has run out, and what it kept may be gone. */
int store_hold_renew(struct store *store, uint64_t id, int64_t lease_ns);
void store_hold_release(struct store *store, uint64_t id); /* one that has run out is fine */

#endif
