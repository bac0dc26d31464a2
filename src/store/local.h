/* store/local.h - the files of a store, for whoever looks after them and so knows that the data is local.
 *
 * Thread-safe.
 */
#ifndef MR_STORE_LOCAL_H
#define MR_STORE_LOCAL_H

#include "magstore/manifest.h"
#include "store/store.h"

/* Views that last as long as the store. */
struct store_local {
    const struct mr_io *io;
    const char *dir, *files_dir;
    struct seal_keyring *keyring;
};
void store_local(struct store *store, struct store_local *out);

/* A copy of the newest manifest, the caller's to release. MR_ENOMEM. */
int store_local_manifest(struct store *store, struct magstore_manifest *out);
/* Does the newest manifest still name the file? */
bool store_local_names(struct store *store, const struct magstore_file *file);

#endif
