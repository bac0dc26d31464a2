/* sql/bound.h - the checked query: names are resolved, every expression has its type, coercions are explicit.
 *
 * Made by the check files from the syntax tree, read by mark, prune, emit and explain. All in the arena. A
 * node may be reached from several places (a select item that ORDER BY names); only the grouping pass changes
 * nodes, by replacing what a parent points to.
 */
#ifndef MR_SQL_BOUND_H
#define MR_SQL_BOUND_H

#include "sql/types.h"

enum bound_kind {
    BOUND_CONST,   /* value; null: NULL */
    BOUND_COLUMN,  /* column `index` of relation */
    BOUND_PARAM,   /* parameter without a value (PrepareQuery) */
    BOUND_CALL,    /* pattern over args */
    BOUND_COMPARE, /* args[0] op args[1], enum ast_compare */
    BOUND_AND,
    BOUND_OR, /* args */
    BOUND_NOT,
    BOUND_IS_NULL,  /* negated */
    BOUND_DISTINCT, /* IS [NOT] DISTINCT FROM; negated */
    BOUND_BETWEEN,  /* args[0] between args[1] and args[2]; negated */
    BOUND_IN,       /* args[0] in the rest; negated */
    BOUND_LIKE,     /* args[0] like args[1]; escape in args[2]; negated */
    BOUND_CASE,     /* [operand,] when, then, ..., else; `op` is 1 with an operand */
    BOUND_TRY,      /* args[0] */
    BOUND_ROW,
    BOUND_ARRAY,
    BOUND_FIELD,      /* field `index` of the row args[0] */
    BOUND_POINT,      /* time (index 0) or value (1) of a series point, which is args[0] */
    BOUND_SUBSCRIPT,  /* args[0][args[1]] */
    BOUND_LAMBDA,     /* params of ids `lambda` .. , body args[0] */
    BOUND_LAMBDA_ARG, /* index is its id */
    BOUND_SUBQUERY,   /* scalar, query */
    BOUND_EXISTS,     /* query */
    BOUND_IN_QUERY,   /* args[0] in query; negated */
    BOUND_QUANTIFIED, /* args[0] op ALL | ANY query; `all` */
    BOUND_TRUTH,      /* whether ALL (`all`) or ANY of the query's booleans are true */
    BOUND_AGGREGATE,  /* pattern with {arguments}; distinct, order, filter */
    BOUND_WINDOW,     /* the same with window */
    BOUND_GROUPING,   /* args are group keys */
};

struct bound_query;
struct bound_relation;
struct bound_expr;

struct bound_order {
    struct bound_expr *expr; /* NULL: output column `output` */
    size_t output;
    bool desc, nulls_first;
};

struct bound_window {
    struct bound_expr **partition;
    size_t npartition;
    struct bound_order *order;
    size_t norder;
    bool framed, rows;
    enum ast_bound from, to;
    struct bound_expr *from_expr, *to_expr;
    struct bound_expr *range_expr; /* RANGE with a distance: the one key as written; for the checker */
};

struct bound_expr {
    enum bound_kind kind;
    uint8_t op;
    bool negated, all, null, distinct, ignore_nulls;
    bool is_volatile; /* a new value for each evaluation */
    uint32_t pos;
    const struct sql_type *type;
    struct mr_str text; /* CONST varchar; PARAM name */
    union {
        int64_t i64; /* CONST of boolean, numbers, times, intervals */
        double f64;  /* CONST double */
    };
    struct bound_relation *relation; /* COLUMN */
    size_t index;
    const char *pattern; /* CALL, AGGREGATE, WINDOW */
    struct bound_expr **args;
    size_t nargs;
    struct bound_query *query;
    struct bound_expr *filter;
    struct bound_order *order;
    size_t norder;
    struct bound_window *window;
};

struct bound_column {
    struct mr_str name; /* ptr NULL: none */
    const struct sql_type *type;
    const struct sql_column *source; /* SCAN */
    bool used;
    size_t slot; /* SCAN: position among the scan's columns, set when marked */
};

/* Bounds and predicates taken out of WHERE for one table. */
struct bound_scan {
    struct sql_table table;
    int64_t time_min, time_max;
    struct sql_pred *preds;
    size_t npreds, cap;
    struct sql_filter *filters;
    size_t nfilters, filters_cap;
    uint32_t *columns; /* in slot order */
    enum sql_kind *kinds;
    size_t ncolumns;
    size_t number;                   /* of mr_scan(); set when emitted */
    const struct sql_groups *groups; /* set when emitted; NULL: rows */
    const char *why_rows;            /* of a grouped query that reads rows */
};

enum bound_relation_kind {
    BOUND_SCAN,    /* a table */
    BOUND_DERIVED, /* query */
    BOUND_WITH,    /* a WITH item: query is its own */
    BOUND_UNNEST,  /* args */
    BOUND_JOIN,
    BOUND_GROUP, /* what grouping leaves: keys, then aggregates */
};

struct bound_with {
    struct mr_str name;
    struct bound_query *query;
    unsigned number; /* q<N> in the emitted statement */
    size_t references;
};

struct bound_relation {
    enum bound_relation_kind kind;
    unsigned number; /* t<N> in the emitted statement */
    struct bound_column *columns;
    size_t ncolumns;
    struct bound_scan *scan;
    struct bound_query *query;
    struct bound_with *with;
    struct bound_expr **args; /* UNNEST */
    size_t nargs;
    bool ordinality, lateral;
    struct bound_relation *carry; /* UNNEST: columns of its arguments, brought along; NULL: none */
    enum ast_join join;
    struct bound_relation *left, *right;
    struct bound_expr *on;
};

struct bound_output {
    struct mr_str name;
    const struct sql_type *type;
    struct bound_expr *expr; /* SELECT */
    bool aliased, used;
};

enum bound_query_kind { BOUND_SELECT, BOUND_SETOP, BOUND_VALUES };

struct bound_set {
    size_t *keys;
    size_t nkeys;
};

struct push; /* push.h */

struct bound_query {
    enum bound_query_kind kind;
    uint32_t pos;
    struct bound_with **with;
    size_t nwith;
    struct bound_output *outputs;
    size_t noutputs;
    /* SELECT */
    struct bound_relation *from; /* NULL: none */
    struct bound_expr *where;
    bool grouped;
    struct bound_relation *group; /* the GROUP relation when grouped */
    struct bound_expr **keys;
    size_t nkeys;
    struct bound_set *sets; /* NULL: one set of all keys */
    size_t nsets;
    struct sql_list aggregates; /* of struct bound_expr */
    const struct push *push;    /* set when emitted: the scan gives groups */
    struct bound_expr *having;
    bool distinct;
    bool windowed; /* an output or order item has a window function */
    /* SETOP */
    enum ast_setop op;
    bool all;
    struct bound_query *left, *right;
    /* VALUES */
    struct bound_expr ***rows;
    size_t nrows;
    struct bound_order *order;
    size_t norder;
    int64_t limit, offset; /* -1: none */
    bool with_ties;        /* rows equal to the last one in the order stay too */
    bool marked, pruned, lowered;
};

/* ---- names.c: what a name can mean ---- */

struct scope_field {
    struct mr_str database, relation, name; /* ptr NULL: none */
    struct bound_expr *expr;
    bool hidden; /* found by its qualified name only, and not by star (columns merged by USING) */
};

struct scope {
    struct scope *parent; /* of the query around this one */
    struct scope *same;   /* looked in next, on the same level (ORDER BY: outputs, then columns) */
    struct scope_field *fields;
    size_t nfields, cap;
    struct bound_with **with; /* items visible in this query */
    size_t nwith;
    uint32_t *heads, *next; /* index of many fields by folded name, see names.c */
    size_t nheads, indexed;
};

bool scope_add(struct sql_context *cx, struct scope *scope, struct scope_field field);
/* Resolves the longest leading part of names; *used is how many were taken. NULL with no error: not found. */
struct bound_expr *scope_find(struct sql_context *cx, struct scope *scope, const struct mr_str *names,
                              size_t n, size_t pos, size_t *used);
struct bound_with *scope_find_with(struct scope *scope, struct mr_str name);

/* ---- the checker ---- */

/* What an expression may contain where it stands. */
struct check {
    struct sql_context *cx;
    struct scope *scope;
    struct scope *inner;       /* scope of aggregate arguments; NULL: the same */
    const char *clause;        /* "WHERE clause": aggregates and windows are errors; NULL: allowed */
    const char *name;          /* of the clause, where its condition is checked; NULL: as clause */
    struct mr_str inside_name; /* of the aggregate around; ptr NULL: none */
    bool in_lambda;
    bool in_window;
    bool has_aggregate; /* set when one was met */
    bool has_window;
    bool has_grouping;
};

struct bound_query *check_query(struct sql_context *cx, const struct ast_query *query, struct scope *outer);
bool check_relation(struct sql_context *cx, const struct ast_relation *r, struct scope *scope,
                    struct bound_relation **out);
struct bound_expr *check_expr(struct check *c, const struct ast_expr *e);
bool check_boolean(struct check *c, const struct ast_expr *e, struct bound_expr **out);
struct bound_expr *check_call(struct check *c, const struct ast_expr *e);
struct bound_window *check_window(struct check *c, const struct ast_window *w);
struct bound_expr *check_lambda_call(struct check *c, const struct ast_expr *e, bool *known);
struct bound_expr *check_arith(struct check *c, const struct ast_expr *e);
struct bound_expr *check_arith_of(struct sql_context *cx, size_t pos, uint8_t op, struct bound_expr *a,
                                  struct bound_expr *b);
struct bound_expr *check_negate(struct check *c, const struct ast_expr *e);
struct bound_expr *check_concat(struct check *c, const struct ast_expr *e);
struct bound_expr *check_compare(struct check *c, const struct ast_expr *e);
struct bound_expr *check_between(struct check *c, const struct ast_expr *e);
struct bound_expr *check_in_list(struct check *c, const struct ast_expr *e);
struct bound_expr *check_like(struct check *c, const struct ast_expr *e);
struct bound_expr *check_case(struct check *c, const struct ast_expr *e);
struct bound_expr *check_cast(struct check *c, const struct ast_expr *e);
struct bound_expr *check_typed(struct check *c, const struct ast_expr *e);
/* check_equal.c: a op b; NOT e; a = b of one type, also of rows and arrays; whether that needs check_equal. e
 * and the operands may be NULL after an error. */
struct bound_expr *check_comparison(struct sql_context *cx, size_t pos, uint8_t op, struct bound_expr *a,
                                    struct bound_expr *b);
struct bound_expr *check_negated(struct sql_context *cx, struct bound_expr *e);
struct bound_expr *check_equal(struct sql_context *cx, size_t pos, struct bound_expr *a,
                               struct bound_expr *b);
/* check_special.c: TRY(a); a may be NULL after an error. */
struct bound_expr *check_try(struct check *c, struct bound_expr *a, size_t pos);
bool check_own_equality(const struct bound_expr *a, const struct bound_expr *b);
struct bound_expr *check_subquery(struct check *c, const struct ast_expr *e);
/* All operands to their common type; "All CASE results ..." and the like come from `error`. */
bool check_same_type(struct sql_context *cx, struct bound_expr **items, size_t n, size_t step, size_t from,
                     const struct sql_type **type);
/* GROUP BY: fills keys and sets of q, whose outputs are checked already. */
bool check_group_by(struct check *c, struct bound_query *q, const struct ast_select *s);
/* Makes the GROUP relation; then replaces keys and aggregates in *e by its columns: `what` at pos names the
 * whole expression when a column in it is neither. */
bool check_group_relation(struct sql_context *cx, struct bound_query *q);
bool check_grouped(struct sql_context *cx, struct bound_query *q, struct bound_expr **e, struct mr_str what,
                   size_t pos);
/* What check_call shares with the files of special functions. */
struct bound_expr *check_special(struct check *c, const struct ast_expr *e, bool *known);
bool check_args(struct check *c, const struct ast_expr *e, struct bound_expr ***args);
bool check_order_items(struct check *c, struct ast_order *const *items, size_t n, struct bound_order **out);
/* check_outer.c: a join with its condition, whose fields are scope->fields[from ..]; turned into what the
 * engine can do when it cannot do what was written. */
bool check_outer_join(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                      size_t from, struct bound_relation *join);
/* Whether the engine does not do a FULL JOIN for its condition; it as another relation. */
bool check_hard_full_join(const struct bound_relation *join);
bool check_full_join(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope, size_t from,
                     struct bound_relation **join);
/* A relation of `query` as if it were ( query ) in FROM; its columns are named after the outputs. */
struct bound_relation *check_derived(struct sql_context *cx, struct bound_query *query);
/* Output columns to the given types; returns q or a query around it. */
struct bound_query *check_coerce_query(struct sql_context *cx, struct bound_query *q,
                                       const struct sql_type *const *types);
struct bound_query *bound_new_query(struct sql_context *cx, enum bound_query_kind kind, size_t pos,
                                    size_t noutputs);
/* SELECT over one derived table, all columns. */
struct bound_query *check_wrap(struct sql_context *cx, struct bound_query *inner);
/* Source text of a node, blanks collapsed, for messages. */
struct mr_str check_source(struct sql_context *cx, const struct ast_expr *e);
struct mr_str check_type_text(struct sql_context *cx, const struct sql_type *t);

/* ---- expressions (expr.c) ---- */

struct bound_expr *bound_new(struct sql_context *cx, enum bound_kind kind, size_t pos,
                             const struct sql_type *type, size_t nargs);
struct bound_expr *bound_call1(struct sql_context *cx, size_t pos, const struct sql_type *type,
                               const char *pattern, struct bound_expr *a);
struct bound_expr *bound_call2(struct sql_context *cx, size_t pos, const struct sql_type *type,
                               const char *pattern, struct bound_expr *a, struct bound_expr *b);
struct bound_expr *bound_int(struct sql_context *cx, size_t pos, enum sql_kind kind, int64_t value);
struct bound_expr *bound_double(struct sql_context *cx, size_t pos, double value);
struct bound_expr *bound_text(struct sql_context *cx, size_t pos, struct mr_str value);
struct bound_expr *bound_null(struct sql_context *cx, size_t pos, const struct sql_type *type);
struct bound_expr *bound_column(struct sql_context *cx, size_t pos, struct bound_relation *r, size_t index);
struct bound_expr *bound_field(struct sql_context *cx, size_t pos, struct bound_expr *row, size_t index);
/* e evaluated once for several uses: *arg stands for it in the body given to bound_let_in. */
struct bound_expr *bound_let(struct sql_context *cx, struct bound_expr *e);
struct bound_expr *bound_let_in(struct sql_context *cx, struct bound_expr *e, struct bound_expr *arg,
                                struct bound_expr *body);
struct bound_expr *bound_copy(struct sql_context *cx, const struct bound_expr *e); /* not the queries in it */
bool bound_equal(const struct bound_expr *a, const struct bound_expr *b);
bool bound_is_const(const struct bound_expr *e); /* a constant that is not NULL */
bool bound_volatile(const struct bound_expr *e);
bool bound_may_nan(const struct bound_expr *e);
bool relation_holds(const struct bound_relation *from, const struct bound_relation *r); /* as a part of it */
bool bound_between_named(const struct bound_expr *e); /* BETWEEN that names its value for two comparisons */
typedef bool (*bound_visit)(void *ctx, struct bound_expr **slot);
/* Calls visit on every expression of the query and of the queries in its FROM, WITH and set operations. */
bool bound_query_walk(struct bound_query *q, bound_visit visit, void *ctx);
bool bound_relation_walk(struct bound_relation *r, bound_visit visit, void *ctx); /* of one FROM */
/* Calls visit on every child slot of e (not into queries). */
bool bound_children(struct bound_expr *e, bound_visit visit, void *ctx);

/* ---- coerce.c, fold.c ---- */

/* e as type `to`; the caller has checked sql_coercion, so it fails for bad literals and memory only. */
struct bound_expr *sql_coerce(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to);
/* CAST; NULL after "Cannot cast a to b". */
struct bound_expr *sql_cast(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to,
                            size_t pos);
/* The value of a call over constants where it can be known now; else e itself. */
struct bound_expr *sql_fold(struct sql_context *cx, struct bound_expr *e);

/* ---- functions.c ---- */

enum function_class { FUNCTION_SCALAR, FUNCTION_AGGREGATE, FUNCTION_WINDOW, FUNCTION_VOLATILE };

struct function {
    const char *name, *args, *result;
    enum function_class class;
    const char *pattern;
};

/* The overload that fits the arguments, which are coerced in place; *result is its type. NULL after an error.
 */
const struct function *function_find(struct sql_context *cx, size_t pos, struct mr_str name,
                                     struct bound_expr **args, size_t nargs, const struct sql_type **result);
bool function_exists(struct mr_str name, enum function_class *class);
/* Overload number i, NULL beyond the last; "name(type, ...)" and its result's type as text. */
const struct function *function_at(size_t i);
void function_signature(const struct function *f, struct mr_buf *out);
void function_result(const struct function *f, struct mr_buf *out);

/* check_ties.c: the query as the source of one that ranks its rows */
struct bound_query *check_ties(struct sql_context *cx, struct bound_query *inner);
/* check_unload.c */
bool check_unload(struct sql_context *cx, const struct ast_statement *s, const struct bound_query *q,
                  struct sql_plan *plan);

/* ---- after checking ---- */
void mark_query(struct bound_query *q); /* which columns are needed */
bool prune_query(struct sql_context *cx, struct bound_query *q);
/* prune_values.c: hands what WHERE says of columns of values to the scan it stands over. */
bool prune_values(struct sql_context *cx, struct bound_query *q);
/* The test that a comparison of two operands is on the relation's values. False: it is none. */
bool filter_of_compare(const struct bound_relation *r, const struct bound_expr *a, enum ast_compare op,
                       const struct bound_expr *b, struct sql_filter *out);
/* The test of a value of that kind against a constant; no column is named. False: it is none. */
bool filter_of_value(enum sql_kind kind, enum ast_compare op, const struct bound_expr *value,
                     struct sql_filter *out);
bool filter_of_null(const struct bound_relation *r, const struct bound_expr *e,
                    struct sql_filter *out); /* bounds and predicates of scans */
bool emit_statement(struct sql_context *cx, struct bound_query *q, struct sql_plan *plan);
bool explain_statement(struct sql_context *cx, const struct ast_query *ast, const struct bound_query *q,
                       struct sql_plan *plan);

#endif
