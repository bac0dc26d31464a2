/* magstore/locate.h - searching the directory of a reader. */
#ifndef MR_MAGSTORE_LOCATE_H
#define MR_MAGSTORE_LOCATE_H

#include "magstore/reader.h"

/* The first block, from `at` on, that does not end before (series, time); the number of blocks: none. Cheap
 * when it is near. */
uint32_t magstore_locate_from(const struct magstore_reader *reader, uint32_t at, uint32_t series,
                              int64_t time);

#endif
