/* store/filter.h - rows of a batch that pass a scan's filters. Private to the store. */
#ifndef MR_STORE_FILTER_H
#define MR_STORE_FILTER_H

#include "magstore/merge.h"
#include "store/store.h"

/* Whether the filter can be applied to a column of that type. */
bool filter_fits(const struct store_filter *filter, enum store_type column);
/* The same for the heads of blocks. */
struct magstore_filter filter_of_blocks(const struct store_filter *filter);

/* Takes from pass[0..rows) what the values say no to. */
void filter_rows(const struct store_filter *filter, const struct store_vec *vec, size_t rows, uint8_t *pass);

/* Room of one column for rows that passed among others. */
struct filter_room {
    void *values;
    uint8_t *valid;
};
void filter_room_free(struct filter_room *room);
/* The rows that pass, of one column, side by side (`kept` of them). MR_ENOMEM. */
int filter_pack(struct filter_room *room, struct store_vec *vec, const uint16_t *at, size_t kept);

#endif
