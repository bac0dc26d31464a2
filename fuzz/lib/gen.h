/* fuzz/lib/gen.h - what the files of the grammar share. */
#ifndef MR_FUZZ_GEN_H
#define MR_FUZZ_GEN_H

#include <stdio.h>

#include "grammar.h"

struct gen_column {
    char name[48], type[8];
};

struct gen {
    const uint8_t *at, *end;
    struct mr_buf *out;
    const struct grammar_table *table;
    struct gen_column columns[40]; /* visible where the text stands */
    size_t ncolumns;
    unsigned names, depth;
    bool windows;    /* window functions may stand here */
    bool aggregates; /* and aggregates */
    bool lambda;     /* no subqueries, aggregates or windows */
};

/* 0 .. n-1 from the next byte; 0 at the end of the input. */
unsigned gen_pick(struct gen *g, unsigned n);
const char *gen_choose(struct gen *g, const char *const *texts, size_t n);
#define CHOOSE(g, texts) gen_choose(g, texts, MR_ARRAY_LEN(texts))
void gen_put(struct gen *g, const char *text);
const char *gen_type(struct gen *g);

/* An expression of the type, at most `levels` deep. */
void gen_expr(struct gen *g, const char *type, unsigned levels);
/* One over aggregates. */
void gen_aggregate(struct gen *g, const char *type);
void gen_query(struct gen *g, const char *const *types, unsigned width, const char *const *names);

#endif
