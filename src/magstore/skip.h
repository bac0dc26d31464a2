/* magstore/skip.h - whether a block can be left out, for no row in it passes the filters of a merge.
 *
 * The rule and its reason stand at magstore_merge_filter.
 */
#ifndef MR_MAGSTORE_SKIP_H
#define MR_MAGSTORE_SKIP_H

#include "magstore/merge.h"
#include "magstore/source.h"

struct magstore_filters {
    const struct magstore_filter *list;
    size_t count;
    const struct magstore_source *sources; /* all of the merge */
    size_t nsources;
};

/* Of the block that the source has loaded. */
bool magstore_skip(const struct magstore_filters *filters, const struct magstore_source *source);

#endif
