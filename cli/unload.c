#include "cli/unload.h"

#include <stdio.h>

#include "base/io.h"
#include "json/json.h"

#define SUFFIX "_manifest.json"
#define FOLDER "/results/"
#define PARTITION_NULL "__HIVE_DEFAULT_PARTITION__"

static struct mr_str text_of(struct json_value object, struct mr_str name)
{
    struct json_value v;
    return json_type(object) == JSON_OBJECT && json_get(object, name, &v) && json_type(v) == JSON_STRING
               ? json_text(v)
               : MR_STR_NULL;
}

static bool number_of(struct json_value object, struct mr_str name, int64_t *out)
{
    struct json_value v;
    return json_type(object) == JSON_OBJECT && json_get(object, name, &v) && json_i64(v, out) && *out >= 0;
}

/* ---- files ---- */

static bool climbs(struct mr_str path)
{
    for (size_t from = 0; from <= path.len;) {
        size_t to = mr_str_find(path, '/', from);
        if (mr_str_eq(mr_str_slice(path, from, to), MR_STR("..")))
            return true;
        from = to + 1;
    }
    return false;
}

/* s3://bucket/any/folder/results/zone=a/x.gz to results/zone=a/x.gz: the last results/ counts. A URL without
 * one is that of a file beside the manifest, or in results/ all the same. */
static int place(struct unload *u, struct mr_str url, struct mr_str *path)
{
    struct mr_str folder = MR_STR(FOLDER);
    size_t at = url.len;
    for (size_t i = 0; i + folder.len <= url.len; i++)
        if (memcmp(url.ptr + i, folder.ptr, folder.len) == 0)
            at = i + 1;
    if (at < url.len) {
        *path = mr_arena_dup(&u->arena, mr_str_slice(url, at, url.len));
    } else {
        size_t slash = url.len;
        while (slash > 0 && url.ptr[slash - 1] != '/')
            slash--;
        *path =
            mr_arena_printf(&u->arena, "results/" MR_STR_FMT, MR_STR_ARG(mr_str_slice(url, slash, url.len)));
    }
    if (path->ptr == NULL)
        return MR_ENOMEM;
    return climbs(*path) || strlen(path->ptr) != path->len ? MR_EINVAL : MR_OK;
}

static int partition(struct unload *u, struct unload_file *file)
{
    size_t parts = 1;
    for (size_t i = 0; i < file->path.len; i++)
        parts += file->path.ptr[i] == '/';
    file->partition = MR_ARENA_ARRAY(&u->arena, parts, struct mr_pair);
    if (file->partition == NULL)
        return MR_ENOMEM;
    for (size_t from = 0, to; (to = mr_str_find(file->path, '/', from)) < file->path.len; from = to + 1) {
        struct mr_str part = mr_str_slice(file->path, from, to);
        size_t eq = mr_str_find(part, '=', 0);
        struct mr_str value = mr_str_slice(part, eq + 1, part.len);
        if (eq < part.len && eq > 0)
            file->partition[file->npartition++] = (struct mr_pair){
                mr_str_slice(part, 0, eq), mr_str_eq(value, MR_STR(PARTITION_NULL)) ? MR_STR_NULL : value};
    }
    return MR_OK;
}

static int read_file_entry(struct unload *u, struct json_value entry, struct unload_file *file)
{
    struct json_value about;
    struct mr_str url = text_of(entry, MR_STR("url"));
    if (url.len == 0 || !json_get(entry, MR_STR("file_metadata"), &about) ||
        !number_of(about, MR_STR("row_count"), &file->rows))
        return MR_EINVAL;
    int rc = place(u, url, &file->path);
    return rc == MR_OK ? partition(u, file) : rc;
}

static size_t count(struct json_value list)
{
    struct json_iter it = json_items(list);
    struct json_value v;
    size_t n = 0;
    while (json_next(&it, &v))
        n++;
    return n;
}

static int read_manifest(struct unload *u, struct json_value root)
{
    struct json_value files, about;
    int rc = MR_OK;
    if (json_type(root) != JSON_OBJECT || !json_get(root, MR_STR("query_metadata"), &about) ||
        !number_of(about, MR_STR("total_row_count"), &u->total))
        return MR_EINVAL;
    struct mr_str format = text_of(about, MR_STR("result_format"));
    u->parquet = mr_str_ieq(format, MR_STR("PARQUET"));
    if (!u->parquet && !mr_str_ieq(format, MR_STR("CSV")))
        return MR_EINVAL;
    if (!json_get(root, MR_STR("result_files"), &files) || json_type(files) == JSON_NULL)
        return u->total == 0 ? MR_OK : MR_EINVAL;
    if (json_type(files) != JSON_ARRAY)
        return MR_EINVAL;
    u->files = MR_ARENA_ARRAY(&u->arena, count(files) + 1, struct unload_file);
    struct json_iter it = json_items(files);
    struct json_value entry;
    while (u->files != NULL && rc == MR_OK && json_next(&it, &entry))
        rc = json_type(entry) == JSON_OBJECT ? read_file_entry(u, entry, &u->files[u->nfiles++]) : MR_EINVAL;
    return u->files != NULL ? rc : MR_ENOMEM;
}

/* ---- columns ---- */

static enum mr_scalar_type scalar_type(struct mr_str word)
{
    static const struct {
        const char *word;
        enum mr_scalar_type type;
    } types[] = {{"VARCHAR", MR_SCALAR_TYPE_VARCHAR}, {"BOOLEAN", MR_SCALAR_TYPE_BOOLEAN},
                 {"BIGINT", MR_SCALAR_TYPE_BIGINT},   {"INTEGER", MR_SCALAR_TYPE_INTEGER},
                 {"DOUBLE", MR_SCALAR_TYPE_DOUBLE},   {"TIMESTAMP", MR_SCALAR_TYPE_TIMESTAMP}};
    for (size_t i = 0; i < MR_ARRAY_LEN(types); i++)
        if (mr_str_ieq(word, mr_str_of(types[i].word)))
            return types[i].type;
    return MR_SCALAR_TYPE_UNKNOWN;
}

static int read_metadata(struct unload *u, struct json_value root)
{
    struct json_value list, entry, type;
    if (json_type(root) != JSON_OBJECT || !json_get(root, MR_STR("ColumnInfo"), &list) ||
        json_type(list) != JSON_ARRAY)
        return MR_EINVAL;
    u->columns = MR_ARENA_ARRAY(&u->arena, count(list) + 1, struct cli_named);
    if (u->columns == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(list);
    while (json_next(&it, &entry)) {
        struct mr_str name = text_of(entry, MR_STR("Name"));
        if (name.ptr == NULL || !json_get(entry, MR_STR("Type"), &type))
            return MR_EINVAL;
        u->columns[u->ncolumns++] = (struct cli_named){
            .name = mr_arena_dup(&u->arena, name), .type = scalar_type(text_of(type, MR_STR("ScalarType")))};
    }
    return u->arena.failed ? MR_ENOMEM : u->ncolumns > 0 ? MR_OK : MR_EINVAL;
}

static int parse_with(struct unload *u, struct mr_str text, int (*read)(struct unload *, struct json_value),
                      const char *what, struct mr_error *err)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct json_doc doc;
    struct mr_error why = MR_ERROR_INIT;
    int rc = json_parse(text, &tmp, &doc, &why);
    if (rc == MR_OK)
        rc = read(u, json_root(&doc));
    if (rc == MR_EINVAL)
        rc = mr_error_set(err, MR_EINVAL, "The %s is not what UNLOAD writes.", what);
    mr_arena_release(&tmp);
    return rc;
}

int cli_unload_parse(struct unload *u, struct mr_str manifest, struct mr_str metadata, struct mr_error *err)
{
    int rc = parse_with(u, manifest, read_manifest, "manifest", err);
    return rc == MR_OK ? parse_with(u, metadata, read_metadata, "description of the columns", err) : rc;
}

bool cli_unload_is_manifest(const char *name)
{
    size_t len = strlen(name), tail = strlen(SUFFIX);
    return len > tail && strcmp(name + len - tail, SUFFIX) == 0;
}

int cli_unload_open(struct unload *u, const char *manifest, struct mr_error *err)
{
    struct mr_buf texts[2] = {MR_BUF_INIT, MR_BUF_INIT};
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_str stem = {manifest, strlen(manifest) - strlen(SUFFIX)};
    struct mr_str metadata = mr_arena_printf(&tmp, MR_STR_FMT "_metadata.json", MR_STR_ARG(stem));
    int rc = metadata.ptr != NULL ? mr_io_read_file(&mr_io_posix, manifest, UNLOAD_TEXT_MAX, &texts[0], err)
                                  : MR_ENOMEM;
    if (rc == MR_OK)
        rc = mr_io_read_file(&mr_io_posix, metadata.ptr, UNLOAD_TEXT_MAX, &texts[1], err);
    if (rc == MR_OK)
        rc = cli_unload_parse(u, mr_buf_view(&texts[0]), mr_buf_view(&texts[1]), err);
    mr_buf_release(&texts[0]);
    mr_buf_release(&texts[1]);
    mr_arena_release(&tmp);
    return rc;
}

void cli_unload_release(struct unload *u)
{
    mr_arena_release(&u->arena);
}
