/* From words to files: formats by option or by name, folders of UNLOAD, and one number for all of it. */
#include "cli/import.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/hash.h"

static bool ends(const char *path, const char *tail)
{
    size_t len = strlen(path), n = strlen(tail);
    if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
        len -= 3;
    return len > n && strncmp(path + len - n, tail, n) == 0;
}

/* false: nobody says. */
static bool kind_of(const struct cli *cli, const char *path, enum piece_kind *kind)
{
    static const struct {
        const char *tail, *word;
        enum piece_kind kind;
    } known[] = {{".csv", "csv", PIECE_CSV},    {".json", "json", PIECE_JSON},
                 {".jsonl", NULL, PIECE_JSON},  {".ndjson", NULL, PIECE_JSON},
                 {".line", "line", PIECE_LINE}, {".lp", NULL, PIECE_LINE},
                 {".influx", NULL, PIECE_LINE}, {".parquet", "parquet", PIECE_PARQUET}};
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++)
        if (cli->input != NULL ? known[i].word != NULL && strcmp(cli->input, known[i].word) == 0
                               : ends(path, known[i].tail)) {
            *kind = known[i].kind;
            return true;
        }
    return false;
}

static struct piece *add_piece(struct import *im, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        st.st_size = 0;
    else if (stat(path, &st) != 0) {
        fprintf(stderr, "millrace: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    im->pieces[im->npieces] = (struct piece){.path = path, .size = st.st_size, .rows = -1};
    return &im->pieces[im->npieces++];
}

/* ---- UNLOAD ---- */

struct names {
    char **at;
    size_t len, cap;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The manifests of a folder, in order of their names. */
static int find_manifests(struct import *im, const char *folder, struct names *names)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = MR_OK;
    if (dir == NULL) {
        fprintf(stderr, "millrace: %s: %s\n", folder, strerror(errno));
        return MR_EIO;
    }
    while (rc == MR_OK && (entry = readdir(dir)) != NULL) {
        void *items = names->at;
        if (!cli_unload_is_manifest(entry->d_name))
            continue;
        rc = mr_grow(&items, &names->cap, names->len + 1, sizeof *names->at);
        names->at = items;
        if (rc == MR_OK)
            names->at[names->len++] =
                (char *)(uintptr_t)mr_arena_printf(&im->arena, "%s/%s", folder, entry->d_name).ptr;
    }
    closedir(dir);
    if (rc != MR_OK || im->arena.failed)
        return MR_ENOMEM;
    if (names->len == 0)
        fprintf(stderr, "millrace: %s: no *_manifest.json, which UNLOAD leaves, is in there\n", folder);
    else
        qsort(names->at, names->len, sizeof *names->at, by_name);
    return names->len > 0 ? MR_OK : MR_ENOENT;
}

static int add_unload(struct import *im, struct unload *u, const char *manifest)
{
    struct mr_error err = MR_ERROR_INIT;
    size_t slash = strlen(manifest);
    while (slash > 0 && manifest[slash - 1] != '/')
        slash--;
    int rc = cli_unload_open(u, manifest, &err);
    if (rc != MR_OK) {
        fprintf(stderr, "millrace: %s: %s\n", manifest, rc == MR_ENOMEM ? "out of memory" : err.text);
        return CLI_FAILED;
    }
    void *pieces = im->pieces;
    size_t cap = im->npieces;
    if (mr_grow(&pieces, &cap, im->npieces + u->nfiles + 1, sizeof *im->pieces) != MR_OK)
        return CLI_FAILED;
    im->pieces = pieces;
    for (size_t i = 0; i < u->nfiles; i++) {
        struct mr_str path = mr_arena_printf(&im->arena, "%.*s" MR_STR_FMT, (int)slash, manifest,
                                             MR_STR_ARG(u->files[i].path));
        struct piece *piece = path.ptr != NULL ? add_piece(im, path.ptr) : NULL;
        if (piece == NULL)
            return CLI_FAILED;
        piece->kind = u->parquet ? PIECE_PARQUET : PIECE_CSV;
        piece->rows = u->files[i].rows;
        piece->unload = u;
        piece->file = &u->files[i];
    }
    return CLI_OK;
}

static int add_unloads(struct import *im, char **manifests, size_t n)
{
    int rc = CLI_OK;
    im->unloads = mr_calloc(n, sizeof *im->unloads);
    for (size_t i = 0; rc == CLI_OK && i < n; i++)
        rc = im->unloads != NULL ? add_unload(im, &im->unloads[im->nunloads++], manifests[i]) : CLI_FAILED;
    return rc;
}

/* ---- all of it ---- */

static int add_files(struct import *im)
{
    struct cli *cli = im->cli;
    im->pieces = mr_calloc((size_t)cli->nwords, sizeof *im->pieces);
    if (im->pieces == NULL)
        return CLI_FAILED;
    for (int i = 0; i < cli->nwords; i++) {
        enum piece_kind kind;
        if (!kind_of(cli, cli->words[i], &kind))
            return cli->input != NULL
                       ? cli_misuse(cli, "\"%s\" is no input format.", cli->input)
                       : cli_misuse(cli, "%s: --input-format is needed: csv, json, line, parquet.",
                                    cli->words[i]);
        struct piece *piece = add_piece(im, cli->words[i]);
        if (piece == NULL)
            return CLI_FAILED;
        piece->kind = kind;
    }
    return CLI_OK;
}

int import_pieces(struct import *im)
{
    struct cli *cli = im->cli;
    struct stat st;
    struct names names = {NULL, 0, 0};
    bool folder = stat(cli->words[0], &st) == 0 && S_ISDIR(st.st_mode);
    if (!folder && !cli_unload_is_manifest(cli->words[0]))
        return add_files(im);
    if (cli->nwords != 1 || (cli->input != NULL && strcmp(cli->input, "unload") != 0))
        return cli_misuse(cli, "One folder or manifest of UNLOAD is taken at a time.");
    if (!folder)
        return add_unloads(im, cli->words, 1);
    int rc = find_manifests(im, cli->words[0], &names) == MR_OK ? add_unloads(im, names.at, names.len)
                                                                : CLI_FAILED;
    mr_free(names.at);
    return rc;
}

uint32_t import_fingerprint(const struct import *im)
{
    uint32_t crc = mr_crc32c(0, im->cli->database, strlen(im->cli->database) + 1);
    crc = mr_crc32c(crc, im->cli->table, strlen(im->cli->table) + 1);
    for (size_t i = 0; i < im->npieces; i++) {
        crc = mr_crc32c(crc, im->pieces[i].path, strlen(im->pieces[i].path) + 1);
        crc = mr_crc32c(crc, &im->pieces[i].size, sizeof im->pieces[i].size);
    }
    return crc;
}
