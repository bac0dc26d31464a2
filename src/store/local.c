#include "store/local.h"

#include "store/private.h"

void store_local(struct store *store, struct store_local *out)
{
    *out = (struct store_local){&store->io, store->dir, store->files_dir, store->keyring};
}

int store_local_manifest(struct store *store, struct magstore_manifest *out)
{
    pthread_mutex_lock(&store->commit_lock);
    int rc = magstore_manifest_copy(&store->manifest, out);
    pthread_mutex_unlock(&store->commit_lock);
    return rc;
}

bool store_local_names(struct store *store, const struct magstore_file *file)
{
    bool named = false;
    pthread_mutex_lock(&store->commit_lock);
    for (size_t i = 0; i < store->manifest.nfiles && !named; i++)
        named = store->manifest.files[i].number == file->number;
    pthread_mutex_unlock(&store->commit_lock);
    return named;
}
