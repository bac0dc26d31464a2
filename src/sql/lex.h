/* sql/lex.h - the text as tokens (query-language reference 1). The tokens hold offsets, no copies. */
#ifndef MR_SQL_LEX_H
#define MR_SQL_LEX_H

#include "sql/context.h"

enum sql_token_kind {
    SQL_TOK_END,
    SQL_TOK_WORD,    /* unquoted identifier or keyword */
    SQL_TOK_QUOTED,  /* "identifier" */
    SQL_TOK_MEASURE, /* measure_value::type, one name */
    SQL_TOK_STRING,  /* '...' */
    SQL_TOK_UNICODE, /* U&'...' */
    SQL_TOK_INTEGER,
    SQL_TOK_DECIMAL,
    SQL_TOK_DURATION, /* 5m */
    SQL_TOK_PARAM,    /* @name */
    SQL_TOK_SYMBOL,
};

enum sql_keyword {
    SQL_KW_NONE,
#define SQL_KEYWORD(word, reserved) SQL_KW_##word,
#include "sql/keywords.def"
#undef SQL_KEYWORD
};

/* Two-character symbols; the others are their character. */
enum sql_symbol { SQL_SYM_LE = 256, SQL_SYM_GE, SQL_SYM_NE, SQL_SYM_CONCAT, SQL_SYM_ARROW, SQL_SYM_CAST };

struct sql_token {
    uint8_t kind;
    uint8_t keyword; /* of a WORD */
    uint16_t symbol;
    uint32_t pos, len; /* bytes of the text */
};

struct sql_tokens {
    struct sql_token *items; /* the last one is END */
    size_t n;
};

bool sql_lex(struct sql_context *cx, struct sql_tokens *out);

bool sql_keyword_reserved(enum sql_keyword keyword);
struct mr_str sql_token_text(const struct sql_context *cx, const struct sql_token *t);
/* The name of a WORD, QUOTED, MEASURE or PARAM, the contents of a STRING. ptr NULL when memory ended. */
struct mr_str sql_token_value(struct sql_context *cx, const struct sql_token *t);

#endif
