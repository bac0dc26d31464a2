/* sql/parse.h - recursive descent over the tokens; the grammar of query-language reference 4, one production
 * above each function. Private to the parser but for sql_parse.
 *
 * Every function returns NULL (or false) after the first error, which is in the context. Recursion passes
 * through parse_enter, so its depth is bounded by SQL_MAX_NESTING.
 */
#ifndef MR_SQL_PARSE_H
#define MR_SQL_PARSE_H

#include "sql/ast.h"
#include "sql/lex.h"

bool sql_parse(struct sql_context *cx, struct ast_statement *out);

struct parser {
    struct sql_context *cx;
    const struct sql_token *tokens;
    size_t ntokens, at;
    unsigned depth;  /* of the recursion */
    unsigned height; /* of the deepest expression of the query being read */
};

/* parse.c: tokens */
const struct sql_token *parse_peek(const struct parser *p, size_t ahead);
bool parse_is(const struct parser *p, size_t ahead, enum sql_keyword keyword);
bool parse_is_symbol(const struct parser *p, size_t ahead, unsigned symbol);
bool parse_take(struct parser *p, enum sql_keyword keyword); /* true when it was there */
bool parse_take_symbol(struct parser *p, unsigned symbol);
bool parse_need(struct parser *p, enum sql_keyword keyword); /* syntax error when not */
bool parse_need_symbol(struct parser *p, unsigned symbol);
void *parse_unexpected(struct parser *p); /* syntax error at the current token; NULL */
bool parse_enter(struct parser *p);       /* one level deeper, or the nesting error */
void parse_leave(struct parser *p);
bool parse_is_name(const struct parser *p, size_t ahead); /* an identifier that may be a name */
bool parse_name(struct parser *p, struct ast_name *out);
struct ast_name *parse_new_name(struct parser *p);
bool parse_count(struct parser *p, int64_t *out);        /* a whole number without a sign */
bool parse_string(struct parser *p, struct mr_str *out); /* 'text' or U&'text' [UESCAPE 'c'] */
size_t parse_end(const struct parser *p);                /* end of the last token taken */
/* ( name [, ...] ) */
bool parse_name_list(struct parser *p, struct sql_list *out);
/* name [. name [. name]] */
bool parse_qualified(struct parser *p, size_t max, struct ast_name **parts, size_t *nparts);

/* parse_query.c */
struct ast_query *parse_query(struct parser *p);
/* The query whose first term is `first`, already read: set operations, ORDER BY, LIMIT may follow. */
struct ast_query *parse_query_rest(struct parser *p, struct ast_query *first);
bool parse_starts_query(const struct parser *p, size_t ahead); /* SELECT, WITH, VALUES or TABLE */
bool parse_continues_query(const struct parser *p);            /* UNION, ORDER BY, LIMIT n, ... */
bool parse_order_by(struct parser *p, struct ast_order ***order, size_t *norder);

/* parse_relation.c */
struct ast_relation *parse_from(struct parser *p);

/* parse_expr.c, parse_primary.c, parse_call.c, parse_type.c */
struct ast_expr *parse_expr(struct parser *p);
struct ast_expr *parse_value(struct parser *p); /* an operand of a comparison */
struct ast_expr *parse_primary(struct parser *p);
struct ast_expr *parse_call(struct parser *p, struct ast_name name);
struct ast_expr *parse_interval(struct parser *p); /* parse_interval.c */
struct ast_type *parse_type(struct parser *p);
bool parse_expr_list(struct parser *p, struct sql_list *out); /* expr [, ...] */
/* A node that starts at token `start` and points at `pos`; counts it. */
struct ast_expr *parse_node(struct parser *p, enum ast_kind kind, size_t start, size_t pos);
/* Sets end and depth from the children; NULL when too deep. */
struct ast_expr *parse_done(struct parser *p, struct ast_expr *e);
/* Makes e at least one level deeper than child (which may be NULL); before parse_done. */
void parse_under(struct ast_expr *e, const struct ast_expr *child);

#endif
