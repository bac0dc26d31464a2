/* store/view.h - which files hold rows, held still: an immutable list of open segments for each table.
 *
 * The store has one current view and replaces it as a whole when a flush, a merge or an expiry has made its
 * manifest durable. A snapshot takes the view of its moment along; a segment is closed when the last view
 * that lists it goes (its name may have gone before). Private to the store.
 *
 * Thread-safety: counts are atomic; a view never changes after it was made.
 */
#ifndef MR_STORE_VIEW_H
#define MR_STORE_VIEW_H

#include "magstore/cache.h"
#include "magstore/manifest.h"
#include "magstore/merge.h"

struct store_segment {
    struct magstore_file file;
    struct magstore_reader *reader; /* NULL: it cannot be read, `damage` says why */
    struct mr_error damage;
    bool closed;   /* that is because its key is not at hand */
    bool unread;   /* or because the disk did not answer, which may pass: it is tried again (keys.c) */
    unsigned refs; /* atomic */
};

/* Opens the segment; one that is damaged is an object too, so that what needs it fails and nothing else does.
 * MR_ENOMEM. */
/* What its data key says when it is not at hand is no damage. */
int segment_open(const struct mr_io *io, const char *dir, struct seal_keyring *keyring,
                 struct magstore_cache *cache, const struct magstore_file *file, struct store_segment **out);
void segment_unref(struct store_segment *segment); /* NULL is fine */

struct view_table {
    uint64_t table;
    size_t first, count; /* in the view's segments */
};

struct store_view {
    unsigned refs; /* atomic */
    size_t ntables, nsegments;
    struct view_table *tables;       /* ascending by number */
    struct store_segment **segments; /* of a table: ascending by file number */
};

/* The segments of the manifest, taken from the `fresh` ones, whose references stay the caller's, or from
 * `before` (may be NULL). One reference is the caller's. MR_ENOMEM. */
int view_make(const struct magstore_manifest *manifest, const struct store_view *before,
              struct store_segment *const *fresh, size_t nfresh, struct store_view **out);
struct store_view *view_ref(struct store_view *view);
void view_unref(struct store_view *view); /* NULL is fine */

/* The segment of that file, or NULL. */
const struct store_segment *view_segment(const struct store_view *view, const struct magstore_file *file);

/* The table's segments that may hold rows within [from, to]: their readers go to `out` (room for all of the
 * table; see view_count). When one of them cannot be read, why: MR_ECORRUPT, or that its key is
 * not at hand. */
size_t view_count(const struct store_view *view, uint64_t table);
int view_readers(const struct store_view *view, uint64_t table, int64_t from, int64_t to,
                 struct magstore_reader **out, size_t *count, uint64_t *rows, struct mr_error *err);

#endif
