/* backup/index.c - the index of a backup as text (docs/format/backup.md). */
#include "backup/parts.h"

#include <inttypes.h>
#include <stdio.h>

#define FIRST_LINE "millrace backup 1"
#define FILLED_MOST (UINT64_C(1) << 31) /* zeros behind what was copied of a log segment */

void backup_index_release(struct backup_index *index)
{
    for (size_t i = 0; i < index->nfiles; i++) {
        mr_free(index->files[i].path);
        mr_free(index->files[i].key);
        mr_free(index->files[i].parts);
    }
    mr_free(index->files);
    *index = (struct backup_index){.files = NULL};
}

struct backup_file *backup_index_add(struct backup_index *index, struct mr_str path, struct mr_str key,
                                     uint64_t bytes)
{
    if (mr_grow((void **)&index->files, &index->files_cap, index->nfiles + 1, sizeof *index->files) != MR_OK)
        return NULL;
    struct backup_file *file = &index->files[index->nfiles];
    *file = (struct backup_file){.path = mr_strndup(path.ptr, path.len),
                                 .key = mr_strndup(key.ptr, key.len),
                                 .bytes = bytes,
                                 .whole = bytes,
                                 .parts = mr_calloc(backup_parts(bytes) + 1, sizeof *file->parts)};
    index->nfiles++;
    return file->path != NULL && file->key != NULL && file->parts != NULL ? file : NULL;
}

void backup_part_key(const struct backup_file *file, size_t part, char out[static BACKUP_KEY_BYTES])
{
    if (file->bytes <= BACKUP_PART_BYTES)
        snprintf(out, BACKUP_KEY_BYTES, "%s", file->key);
    else
        snprintf(out, BACKUP_KEY_BYTES, "%s-%05zu", file->key, part);
}

static bool hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool backup_id_valid(struct mr_str id)
{
    if (id.len != BACKUP_ID_BYTES - 1)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool digit = c >= '0' && c <= '9';
        if (i == 8 ? c != 'T' : i == 18 ? c != 'Z' : i == 19 ? c != '-' : i < 18 ? !digit : !hex(c))
            return false;
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------------------------------ */

int backup_index_encode(const struct backup_index *index, struct mr_buf *out)
{
    size_t start = out->len;
    char sum[65];
    mr_buf_printf(out,
                  FIRST_LINE "\nid %s\nmade %" PRId64 "\nlsn %" PRIu64 "\nrows %" PRIu64
                             "\nlog-entries %" PRIu64 "\nkeys %s\n",
                  index->id, index->made, index->lsn, index->rows, index->log_entries,
                  index->keys ? "yes" : "no");
    for (size_t i = 0; i < index->nfiles; i++) {
        const struct backup_file *f = &index->files[i];
        mr_buf_printf(out, "file %" PRIu64 " %" PRIu64 " %s %s\n", f->bytes, f->whole, f->path, f->key);
        for (size_t p = 0; p < f->nparts; p++)
            mr_buf_printf(out, "part %" PRIu32 " %s\n", f->parts[p].bytes, f->parts[p].sha256);
    }
    if (!mr_buf_ok(out))
        return MR_ENOMEM;
    backup_sha256((struct mr_str){out->ptr + start, out->len - start}, sum);
    mr_buf_printf(out, "end %s\n", sum);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

struct lines {
    struct mr_str left;
    unsigned number;
};

static bool next_line(struct lines *l, struct mr_str *out)
{
    size_t end = mr_str_find(l->left, '\n', 0);
    if (end == l->left.len)
        return false;
    *out = mr_str_slice(l->left, 0, end);
    l->left = mr_str_slice(l->left, end + 1, l->left.len);
    l->number++;
    return true;
}

/* The next word of a line, up to a blank or the end. */
static struct mr_str word(struct mr_str *line)
{
    size_t end = mr_str_find(*line, ' ', 0);
    struct mr_str out = mr_str_slice(*line, 0, end);
    *line = mr_str_slice(*line, end + 1, line->len);
    return out;
}

static bool number_word(struct mr_str *line, uint64_t *out)
{
    struct mr_str text = word(line);
    return text.len != 0 && text.ptr[0] != '+' && mr_str_to_u64(text, out);
}

/* "name value", nothing else. */
static bool field(struct lines *l, struct mr_str name, struct mr_str *value)
{
    return next_line(l, value) && mr_str_eq(word(value), name);
}

static bool number_field(struct lines *l, struct mr_str name, uint64_t *out)
{
    struct mr_str value;
    return field(l, name, &value) && number_word(&value, out) && value.len == 0;
}

/* Where a file of a backup may lie. */
static bool path_valid(struct mr_str path)
{
    static const struct mr_str folders[] = {MR_STR("store/files/"), MR_STR("store/wal/"),
                                            MR_STR("store/keys/")};
    if (mr_str_eq(path, MR_STR("catalog.sqlite")) || mr_str_eq(path, MR_STR("root-credentials")))
        return true;
    if (path.len > 256 || !backup_key_valid(path))
        return false;
    for (size_t i = 0; i < MR_ARRAY_LEN(folders); i++)
        if (mr_str_starts(path, folders[i]))
            return mr_str_find(path, '/', folders[i].len) == path.len;
    return false;
}

static bool read_head(struct lines *l, struct backup_index *index)
{
    struct mr_str line, id, keys;
    uint64_t made = 0;
    if (!next_line(l, &line) || !mr_str_eq(line, MR_STR(FIRST_LINE)) || !field(l, MR_STR("id"), &id) ||
        !backup_id_valid(id) || !number_field(l, MR_STR("made"), &made) || made > INT64_MAX ||
        !number_field(l, MR_STR("lsn"), &index->lsn) || !number_field(l, MR_STR("rows"), &index->rows) ||
        !number_field(l, MR_STR("log-entries"), &index->log_entries) || !field(l, MR_STR("keys"), &keys))
        return false;
    memcpy(index->id, id.ptr, id.len);
    index->made = (int64_t)made;
    index->keys = mr_str_eq(keys, MR_STR("yes"));
    return index->keys || mr_str_eq(keys, MR_STR("no"));
}

static int read_part(struct mr_str line, struct backup_file *file, uint64_t *left)
{
    uint64_t bytes;
    uint64_t want = *left < BACKUP_PART_BYTES ? *left : BACKUP_PART_BYTES;
    if (!number_word(&line, &bytes) || bytes != want || bytes == 0 || line.len != 64)
        return MR_ECORRUPT;
    struct backup_part *part = &file->parts[file->nparts++];
    for (size_t i = 0; i < 64; i++)
        if (!hex(line.ptr[i]))
            return MR_ECORRUPT;
    memcpy(part->sha256, line.ptr, 64);
    part->bytes = (uint32_t)bytes;
    *left -= bytes;
    return MR_OK;
}

/* `room`: bytes of text left, which bounds the parts there can be. */
static int read_file(struct mr_str line, size_t room, struct backup_index *index, uint64_t *left)
{
    uint64_t bytes, whole;
    if (!number_word(&line, &bytes) || !number_word(&line, &whole))
        return MR_ECORRUPT;
    struct mr_str path = word(&line), key = line;
    if (bytes > UINT64_MAX - BACKUP_PART_BYTES || backup_parts(bytes) > room / 64 || whole < bytes ||
        whole - bytes > FILLED_MOST || !path_valid(path) || !backup_key_valid(key))
        return MR_ECORRUPT;
    struct backup_file *file = backup_index_add(index, path, key, bytes);
    if (file == NULL)
        return MR_ENOMEM;
    file->whole = whole;
    *left = bytes;
    return MR_OK;
}

static int read_files(struct lines *l, struct backup_index *index)
{
    struct mr_str line;
    uint64_t left = 0;
    while (next_line(l, &line)) {
        struct mr_str kind = word(&line);
        int status = MR_ECORRUPT;
        if (mr_str_eq(kind, MR_STR("file")) && left == 0)
            status = read_file(line, l->left.len, index, &left);
        else if (mr_str_eq(kind, MR_STR("part")) && left != 0)
            status = read_part(line, &index->files[index->nfiles - 1], &left);
        if (status != MR_OK)
            return status;
    }
    return left == 0 && l->left.len == 0 ? MR_OK : MR_ECORRUPT;
}

/* The last line's sum is that of all before it. */
static bool sum_fits(struct mr_str bytes, struct mr_str *body)
{
    const size_t last = 4 + 64 + 1; /* "end <sum>\n" */
    char sum[65];
    if (bytes.len < last)
        return false;
    *body = mr_str_slice(bytes, 0, bytes.len - last);
    struct mr_str end = mr_str_slice(bytes, body->len, bytes.len);
    backup_sha256(*body, sum);
#ifdef MR_FUZZING
    memcpy(sum, end.ptr + 4, 64); /* cannot be guessed */
#endif
    return mr_str_starts(end, MR_STR("end ")) && memcmp(end.ptr + 4, sum, 64) == 0 &&
           end.ptr[last - 1] == '\n';
}

int backup_index_decode(struct mr_str bytes, struct backup_index *out, struct mr_error *err)
{
    struct backup_index index = {.files = NULL};
    struct lines lines = {.number = 0};
    *out = index;
    if (!sum_fits(bytes, &lines.left))
        return mr_error_set(err, MR_ECORRUPT,
                            "the index of the backup is damaged: its checksum does not fit");
    int status = read_head(&lines, &index) ? read_files(&lines, &index) : MR_ECORRUPT;
    if (status == MR_OK) {
        *out = index;
        return MR_OK;
    }
    backup_index_release(&index);
    return status == MR_ENOMEM
               ? (int)mr_error_set(err, MR_ENOMEM, "out of memory reading the index of a backup")
               : (int)mr_error_set(err, MR_ECORRUPT, "the index of the backup makes no sense in line %u",
                                   lines.number);
}
