/* sql/ast.h - the syntax tree, as written: no names resolved, no types known. Everything is in the arena.
 *
 * `pos` is where an error about the node points (for operators the operator, as the service does), `start`
 * and `end` are the bytes of the text it came from. `depth` counts levels below; building a node deeper than
 * SQL_MAX_NESTING fails, so every later stage may recurse.
 */
#ifndef MR_SQL_AST_H
#define MR_SQL_AST_H

#include "sql/context.h"

enum ast_kind {
    AST_NULL,
    AST_BOOL,       /* i64 */
    AST_INTEGER,    /* i64 */
    AST_DOUBLE,     /* f64 */
    AST_STRING,     /* text */
    AST_INTERVAL,   /* i64 ns, or months when `months` */
    AST_TYPED,      /* text as type: DATE '...' */
    AST_PARAM,      /* text */
    AST_NAME,       /* text */
    AST_FIELD,      /* a.text */
    AST_NEGATE,     /* -a */
    AST_ARITH,      /* a op b; op is the character + - * / % */
    AST_CONCAT,     /* items || ... */
    AST_COMPARE,    /* a op b; op is enum ast_compare */
    AST_DISTINCT,   /* a IS [NOT] DISTINCT FROM b */
    AST_AND,        /* items */
    AST_OR,         /* items */
    AST_NOT,        /* a */
    AST_IS_NULL,    /* a IS [NOT] NULL */
    AST_BETWEEN,    /* a [NOT] BETWEEN b AND c */
    AST_IN_LIST,    /* a [NOT] IN (items) */
    AST_IN_QUERY,   /* a [NOT] IN (query) */
    AST_LIKE,       /* a [NOT] LIKE b [ESCAPE c] */
    AST_QUANTIFIED, /* a op ALL|ANY (query); `all` */
    AST_EXISTS,     /* EXISTS (query) */
    AST_SUBQUERY,   /* (query) */
    AST_CASE,       /* CASE [a] WHEN items[0] THEN items[1] ... [ELSE b] END */
    AST_CAST,       /* CAST(a AS type); `try` */
    AST_EXTRACT,    /* EXTRACT(text FROM a) */
    AST_CALL,       /* text(items) with `call` */
    AST_ROW,        /* (items) or ROW(items) */
    AST_ARRAY,      /* ARRAY[items] */
    AST_SUBSCRIPT,  /* a[b] */
    AST_LAMBDA,     /* names -> a */
};

enum ast_compare { AST_EQ, AST_NE, AST_LT, AST_LE, AST_GT, AST_GE };

struct ast_query;
struct ast_call;

struct ast_type {
    struct mr_str name; /* lower case: "bigint", "array", "row", "interval day to second", ... */
    size_t pos;
    int64_t length;         /* of varchar(n); -1: none */
    bool measured;          /* other numbers in parentheses, which no type has */
    struct ast_type **args; /* of array and row */
    struct mr_str *fields;  /* of row, parallel to args; ptr NULL when unnamed */
    size_t nargs;
};

struct ast_expr {
    uint8_t kind; /* enum ast_kind */
    uint8_t op;
    uint8_t depth;
    bool negated;  /* the NOT of NOT IN, IS NOT NULL, ... */
    bool months;   /* INTERVAL: year to month */
    bool try;      /* CAST: TRY_CAST */
    bool all;      /* QUANTIFIED: ALL */
    bool bare_row; /* ROW written as (a, b) */
    uint32_t pos, start, end;
    struct mr_str text;
    union {
        int64_t i64;
        double f64;
    };
    struct ast_expr *a, *b, *c;
    struct ast_expr **items;
    size_t nitems;
    struct mr_str *names; /* LAMBDA parameters */
    size_t nnames;
    struct ast_type *type;
    struct ast_query *query;
    struct ast_call *call;
};

struct ast_order {
    struct ast_expr *expr;
    bool desc;
    bool nulls_first;
};

enum ast_bound {
    AST_UNBOUNDED_PRECEDING,
    AST_PRECEDING,
    AST_CURRENT_ROW,
    AST_FOLLOWING,
    AST_UNBOUNDED_FOLLOWING
};

struct ast_window {
    uint32_t pos;
    struct ast_expr **partition;
    size_t npartition;
    struct ast_order **order;
    size_t norder;
    bool framed, rows; /* a frame was written; ROWS (else RANGE) */
    enum ast_bound from, to;
    struct ast_expr *from_expr, *to_expr;
};

struct ast_call {
    bool star; /* count(*) */
    bool distinct;
    bool ignore_nulls;
    struct ast_order **order; /* agg(x ORDER BY ...) */
    size_t norder;
    struct ast_expr *filter;
    struct ast_window *over;
};

struct ast_name {
    struct mr_str text;
    uint32_t pos;
};

enum ast_relation_kind { AST_TABLE, AST_DERIVED, AST_UNNEST, AST_JOIN };
enum ast_join { AST_INNER, AST_LEFT, AST_RIGHT, AST_FULL, AST_CROSS };

struct ast_relation {
    enum ast_relation_kind kind;
    uint32_t pos;
    uint8_t depth;
    struct ast_name *parts; /* TABLE: 1 to 3 */
    size_t nparts;
    struct ast_query *query; /* DERIVED */
    bool lateral;
    struct ast_expr **args; /* UNNEST */
    size_t nargs;
    bool ordinality;
    enum ast_join join; /* JOIN */
    struct ast_relation *left, *right;
    struct ast_expr *on;
    struct ast_name **using_names;
    size_t nusing;
    struct mr_str alias; /* ptr NULL: none */
    uint32_t alias_pos;
    struct ast_name **columns; /* alias (c1, c2) */
    size_t ncolumns;
};

enum ast_group_kind { AST_GROUP_EXPR, AST_GROUP_SETS, AST_GROUP_CUBE, AST_GROUP_ROLLUP };

/* One element of GROUP BY. EXPR has one set with one expression; a set is a list of expressions, maybe empty.
 */
struct ast_group_set {
    struct ast_expr **items;
    size_t nitems;
};
struct ast_group {
    enum ast_group_kind kind;
    uint32_t pos;
    struct ast_group_set **sets;
    size_t nsets;
};

struct ast_item {
    struct ast_expr *expr; /* NULL: star */
    struct mr_str alias;
    bool star;
    struct ast_name **prefix; /* relation of relation.* */
    size_t nprefix;
    uint32_t pos;
};

struct ast_select {
    uint32_t pos;
    bool distinct;
    struct ast_item **items;
    size_t nitems;
    struct ast_relation *from; /* NULL: none */
    struct ast_expr *where;
    bool grouped; /* GROUP BY was written */
    bool group_distinct;
    struct ast_group **groups;
    size_t ngroups;
    struct ast_expr *having;
};

enum ast_body_kind { AST_SELECT, AST_SETOP, AST_VALUES, AST_QUERY };
enum ast_setop { AST_UNION, AST_INTERSECT, AST_EXCEPT };

struct ast_body {
    enum ast_body_kind kind;
    uint32_t pos;
    uint16_t depth;
    struct ast_select *select;
    enum ast_setop op; /* SETOP */
    bool all;
    struct ast_body *left, *right;
    struct ast_expr **rows; /* VALUES */
    size_t nrows;
    struct ast_query *query; /* QUERY: ( query ) */
};

struct ast_with {
    struct mr_str name;
    uint32_t pos;
    struct ast_name **columns;
    size_t ncolumns;
    struct ast_query *query;
};

struct ast_query {
    uint32_t pos, start, end;
    uint32_t depth; /* of the deepest expression inside */
    struct ast_with **with;
    size_t nwith;
    struct ast_body *body;
    struct ast_order **order;
    size_t norder;
    int64_t limit, offset; /* -1: none */
    bool with_ties;
};

struct ast_option {
    struct mr_str name;
    uint32_t pos;
    struct ast_expr *value;
};

struct ast_statement {
    enum sql_statement kind;
    uint32_t pos;
    struct ast_query *query; /* SELECT, EXPLAIN, UNLOAD */
    struct ast_name *parts;  /* SHOW, DESCRIBE */
    size_t nparts;
    struct mr_str like, like_escape; /* ptr NULL: none */
    struct mr_str to;                /* UNLOAD */
    struct ast_option **options;
    size_t noptions;
};

#endif
