/* client/batch.h - records packed into bytes, and a request made of them.
 *
 * Packed records are what a writer holds in memory and what lies in its spool, so the form is fixed
 * (docs/client.md): integers are LEB128, a text is its length plus one and its bytes (0: absent), a list its
 * number of elements plus one.
 *
 *   record:   measure_value_type time_unit measure_name measure_value time version dimensions measure_values
 *   version:  0 when absent, else 1 and the 64 bits zigzag-encoded
 *   dimension: name value dimension_value_type        measure value: name value type
 */
#ifndef MR_CLIENT_BATCH_H
#define MR_CLIENT_BATCH_H

#include "base/base.h"
#include "base/cursor.h"
#include "model/model.h"

#define BATCH_RECORDS_MAX 100             /* of a request (write-api reference 5.8) */
#define BATCH_BYTES_MAX ((size_t)1 << 20) /* packed, of a batch that gets another record */
#define BATCH_RECORD_MAX 65536            /* packed, of one record; the service takes 2 KB */

/* Appends the record. Failure is the buffer's. */
void client_batch_pack(struct mr_buf *out, const struct model_record *record);

/* Reads the next record; texts point into the bytes, lists lie in the arena. MR_OK, MR_ECORRUPT, MR_ENOMEM.
 */
int client_batch_unpack(struct mr_cursor *bytes, struct mr_arena *arena, struct model_record *out);

/* The body of WriteRecords for these records. What all of them share is moved into CommonAttributes: the
 * records are changed. Failure is the buffer's. */
void client_batch_encode(struct mr_str database, struct mr_str table, struct model_record *records, size_t n,
                         struct mr_arena *arena, struct mr_buf *out);

#endif
