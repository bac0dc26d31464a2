/* store/names_write.c - a table's new names into a file.
 *
 * One step is one frame: under the read lock, what is new since the last step is written as a log entry
 * without rows; outside of it the entry is compressed, sealed and written. Columns and measure names may be
 * added between steps, together with series that use them. Since a step takes all definitions that are there
 * and an entry lists definitions before series, a series always comes after what it uses.
 */
#include "store/names.h"

#include "store/entry.h"
#include "store/names_format.h"

#include "base/hash.h"
#include "base/rand.h"
#include "magstore/newfile.h"
#include "magstore/press.h"

#define FIRST_ROOM 4096u
#define LEAST_ROOM 16u

struct writer {
    struct magstore_newfile file;
    struct seal_cipher *cipher;
    struct seal_key key; /* of the file */
    struct magstore_press *press;
    uint32_t *numbers; /* NAMES_FRAME_SERIES of them */
    struct mr_buf entry, frame;
    struct names_header header;
    struct names_end end; /* as far as written */
    uint32_t room;        /* series to take in the next step */
    uint32_t last_crc;
};

static void release(struct writer *w)
{
    magstore_newfile_abort(&w->file);
    seal_cipher_free(w->cipher);
    seal_key_wipe(&w->key);
    magstore_press_free(w->press);
    mr_free(w->numbers);
    mr_buf_release(&w->entry);
    mr_buf_release(&w->frame);
}

static int make_header(struct writer *w, struct seal_keyring *keyring, uint64_t database, uint64_t table,
                       uint64_t number, struct mr_error *err)
{
    int status = MR_OK;
    w->header = (struct names_header){
        .version = NAMES_VERSION, .database = database, .table = table, .number = number};
    memcpy(w->header.magic, NAMES_MAGIC, sizeof w->header.magic);
    mr_random_bytes(w->header.id, sizeof w->header.id);
#ifdef MR_FUZZING
    MR_UNUSED(keyring);
    MR_UNUSED(err);
#else
    struct seal_key data_key;
    status = seal_keyring_newest(keyring, database, &w->header.key_generation, &data_key, err);
    if (status == MR_OK)
        status = seal_derive(&data_key, w->header.id, &w->key, err);
    seal_key_wipe(&data_key);
#endif
    w->header.crc = mr_crc32c(0, &w->header, offsetof(struct names_header, crc));
    return status;
}

/* Appends what is in w->frame behind its head: seals it where it lies, and writes it. */
static int write_frame(struct writer *w, uint32_t plain, bool last, struct mr_error *err)
{
    struct mr_buf *frame = &w->frame;
    struct names_frame head = {.plain = plain, .last = last};
    size_t len = frame->len - sizeof head;
    if (mr_buf_reserve(frame, SEAL_TAG_BYTES) == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory writing names");
    const struct names_aad aad = {
        .version = NAMES_VERSION,
        .last = last,
        .database = w->header.database,
        .table = w->header.table,
        .number = w->header.number,
        .frame = w->end.frames,
        .plain = plain,
    };
    char *sealed = frame->ptr + sizeof head;
    seal_lock(w->cipher, &w->key, NAMES_STREAM, w->end.frames,
              (struct mr_str){(const char *)&aad, sizeof aad}, (struct mr_str){sealed, len}, sealed);
    frame->len += SEAL_TAG_BYTES;
    head.sealed = (uint32_t)(len + SEAL_TAG_BYTES);
    head.crc = mr_crc32c(0, &head, offsetof(struct names_frame, crc));
    head.crc = mr_crc32c(head.crc, sealed, head.sealed);
    memcpy(frame->ptr, &head, sizeof head);
    w->last_crc = head.crc;
    return magstore_newfile_write(&w->file, mr_buf_view(frame), err);
}

static void start_frame(struct writer *w)
{
    static const struct names_frame empty;
    w->frame.len = 0;
    mr_buf_add(&w->frame, &empty, sizeof empty);
}

static int write_entry(struct writer *w, struct mr_error *err)
{
    size_t len = w->entry.len;
    if (!mr_buf_ok(&w->entry))
        return mr_error_set(err, MR_ENOMEM, "out of memory writing names");
    if (len > NAMES_MAX_PLAIN)
        return mr_error_set(err, MR_ELIMIT, "names of %zu bytes do not fit into a frame", len);
    start_frame(w);
    if (magstore_press_pack(w->press, mr_buf_view(&w->entry), &w->frame) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory writing names");
    int status = write_frame(w, (uint32_t)len, false, err);
    w->end.frames++;
    return status;
}

/* What is new since the last step into w->entry, with as many series as fit. */
static void take(struct writer *w, struct mem_table *mem)
{
    struct mem_batch batch;
    mem_read_lock(mem);
    uint32_t next = mem_names_since(mem, w->end.end_column, w->end.end_measure, w->end.end_series, w->numbers,
                                    w->room, &batch);
    for (;;) {
        w->entry.len = 0;
        entry_write_append(&w->entry, w->header.database, w->header.table, mem, &batch);
        if (w->entry.len <= NAMES_FRAME_BYTES || batch.nseries <= 1)
            break;
        batch.nseries /= 2;
        next = w->numbers[batch.nseries - 1] + 1;
    }
    mem_read_unlock(mem);
    w->end.end_column += batch.ncolumns;
    w->end.end_measure += batch.nmeasures;
    w->end.end_series = next;
    w->end.series += batch.nseries;
    /* As many next time as will do, by the size of these. */
    uint64_t room = batch.nseries * (uint64_t)NAMES_FRAME_BYTES / (w->entry.len + 1) * 7 / 8;
    w->room = room > NAMES_FRAME_SERIES ? NAMES_FRAME_SERIES
              : room < LEAST_ROOM       ? LEAST_ROOM
                                        : (uint32_t)room;
}

static int write_all(struct writer *w, struct mem_table *mem, struct mr_error *err)
{
    struct mem_counts counts;
    mem_read_lock(mem);
    mem_counts(mem, &counts); /* series that come later are for the next file */
    mem_read_unlock(mem);
    struct mr_str header = {(const char *)&w->header, sizeof w->header};
    int status = magstore_newfile_write(&w->file, header, err);
    while (status == MR_OK) {
        take(w, mem);
        status = write_entry(w, err);
        if (w->end.end_series >= counts.next_series)
            break;
    }
    if (status != MR_OK)
        return status;
    start_frame(w);
    mr_buf_add(&w->frame, &w->end, sizeof w->end);
    if (!mr_buf_ok(&w->frame))
        return mr_error_set(err, MR_ENOMEM, "out of memory writing names");
    return write_frame(w, sizeof w->end, true, err);
}

static void describe(const struct writer *w, uint64_t size, struct magstore_file *out)
{
    bool any = w->end.end_series > w->end.first_series;
    *out = (struct magstore_file){
        .kind = MAGSTORE_NAMES,
        .number = w->header.number,
        .database = w->header.database,
        .table = w->header.table,
        .key_generation = w->header.key_generation,
        .size = size,
        .rows = w->end.series,
        .first_series = any ? w->end.first_series : 1,
        .last_series = any ? w->end.end_series - 1 : 0,
        .time_min = 0,
        .time_max = -1,
        .footer_crc = w->last_crc,
    };
}

int names_write(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t database,
                uint64_t table, uint64_t number, struct mem_table *mem, uint32_t first_column,
                uint32_t first_measure, uint32_t first_series, struct magstore_file *out,
                uint32_t *end_columns, uint32_t *end_measures, uint32_t *end_series, struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct writer w = {.file = MAGSTORE_NEWFILE_INIT, .room = FIRST_ROOM};
    if (first_column <= MEM_COLUMN_MEASURE_NAME)
        first_column = MEM_COLUMN_MEASURE_NAME + 1;
    w.end = (struct names_end){
        first_column, first_column, first_measure, first_measure, first_series, first_series, 0, 0};
    int status = seal_cipher_new(&w.cipher);
    if (status == MR_OK)
        status = magstore_press_new(&w.press);
    w.numbers = mr_malloc(NAMES_FRAME_SERIES * sizeof *w.numbers);
    if (status != MR_OK || w.numbers == NULL)
        status = mr_error_set(err, MR_ENOMEM, "out of memory writing names");
    if (status == MR_OK)
        status = make_header(&w, keyring, database, table, number, err);
    magstore_file_name(MAGSTORE_NAMES, number, name);
    if (status == MR_OK)
        status = magstore_newfile_open(&w.file, io, dir, name, err);
    if (status == MR_OK)
        status = write_all(&w, mem, err);
    uint64_t size = w.file.size;
    if (status == MR_OK)
        status = magstore_newfile_finish(&w.file, err);
    if (status == MR_OK) {
        describe(&w, size, out);
        *end_columns = w.end.end_column;
        *end_measures = w.end.end_measure;
        *end_series = w.end.end_series;
    }
    release(&w);
    return status;
}
