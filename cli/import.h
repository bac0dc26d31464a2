/* cli/import.h - the inside of `millrace import`. Private to import.c, import_pieces.c and import_read.c.
 *
 * An import is a list of pieces, files in a fixed order. A row is known by its piece and its number in it; a
 * checkpoint says "all rows up to this one have ended, written or refused", and is taken with the writer
 * flushed. What comes after the last checkpoint of a run that died is written again, which changes nothing:
 * same version, same value.
 */
#ifndef MR_CLI_IMPORT_H
#define MR_CLI_IMPORT_H

#include "cli/columns.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "cli/state.h"
#include "cli/unload.h"

enum piece_kind { PIECE_JSON, PIECE_LINE, PIECE_CSV, PIECE_PARQUET };

struct piece {
    enum piece_kind kind;
    const char *path;
    int64_t size;                /* bytes */
    int64_t rows;                /* that a manifest promises; -1: nobody does */
    const struct unload *unload; /* NULL: a file by itself */
    const struct unload_file *file;
};

/* What a checkpoint holds. */
struct import_state {
    int64_t piece, row; /* the next row to write */
    int64_t rows;       /* read in all */
    int64_t bytes;      /* of the pieces that are done */
    int64_t written, refused, rejects_bytes;
    int64_t before;     /* rows of the table before the import; -1: not counted */
    int64_t mismatches; /* pieces whose rows are not what the manifest says */
    int64_t done;       /* 1: all of it */
};

struct import {
    struct cli *cli;
    struct mr_arena arena;
    struct unload *unloads; /* those of the pieces */
    size_t nunloads;
    struct piece *pieces;
    size_t npieces;
    struct cli_load load;
    struct cli_progress progress;
    struct cli_columns columns; /* of the piece that is read */
    bool told;                  /* which columns are what */
    struct cli_state file;
    struct import_state at;
    int64_t skip;     /* rows of the piece that earlier runs have written */
    int64_t in_piece; /* rows read of the piece */
    int64_t saved_ns, saved_rows;
};

/* import_pieces.c: what the words of the command line stand for. CLI_OK, CLI_FAILED, CLI_USAGE. */
int import_pieces(struct import *im);
/* The same input gives the same number. */
uint32_t import_fingerprint(const struct import *im);

/* import_read.c: reads one piece, row by row. CLI_OK when its end was reached. */
int import_read(struct import *im, const struct piece *piece);

/* import.c: whether the next row is to be written, or was by an earlier run. Counts it. */
bool import_begins(struct import *im);
/* Behind each row: progress and checkpoints. `bytes` of the piece are read. */
int import_ended(struct import *im, int64_t bytes);

#endif
