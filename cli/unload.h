/* cli/unload.h - what UNLOAD left in a folder (query-api reference 12): a manifest that names the files with
 * their rows, a description of the columns, and the files, below results/.
 */
#ifndef MR_CLI_UNLOAD_H
#define MR_CLI_UNLOAD_H

#include "cli/columns.h"

#define UNLOAD_TEXT_MAX ((size_t)64 << 20) /* of a manifest */

struct unload_file {
    struct mr_str path;        /* from the folder on, without ".." in it */
    int64_t rows;              /* as the manifest says */
    struct mr_pair *partition; /* column=value parts of the path; value ptr NULL: NULL */
    size_t npartition;
};

/* Starts zeroed. */
struct unload {
    struct mr_arena arena;
    bool parquet;
    int64_t total; /* rows */
    struct unload_file *files;
    size_t nfiles;
    struct cli_named *columns;
    size_t ncolumns;
};

/* Reads the two documents. MR_OK, MR_ENOMEM, or MR_EINVAL with the error set. */
int cli_unload_parse(struct unload *u, struct mr_str manifest, struct mr_str metadata, struct mr_error *err);
/* The same from files: the path of a manifest, whose description lies beside it. */
int cli_unload_open(struct unload *u, const char *manifest, struct mr_error *err);
void cli_unload_release(struct unload *u);
/* "x_manifest.json"? */
bool cli_unload_is_manifest(const char *name);

#endif
