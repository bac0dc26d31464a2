/* sql/lex.c - one pass over the bytes; linear whatever they are. */
#include "sql/lex.h"

#include <strings.h>

static const struct {
    const char *word;
    bool reserved;
} keywords[] = {
    {"", false},
#define SQL_KEYWORD(word, reserved) {#word, reserved},
#include "sql/keywords.def"
#undef SQL_KEYWORD
};

struct lexer {
    struct sql_context *cx;
    const char *s;
    size_t len, at;
    struct sql_tokens *out;
    size_t cap;
};

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int peek(const struct lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->len ? (unsigned char)lx->s[lx->at + ahead] : -1;
}

static bool emit(struct lexer *lx, enum sql_token_kind kind, size_t from, unsigned symbol)
{
    struct sql_tokens *out = lx->out;
    if (out->n == lx->cap) {
        size_t cap = lx->cap > 0 ? lx->cap * 2 : 64;
        struct sql_token *items = SQL_ARRAY_NEW(lx->cx, cap, struct sql_token);
        if (items == NULL)
            return false;
        if (out->n > 0)
            memcpy(items, out->items, out->n * sizeof *items);
        out->items = items;
        lx->cap = cap;
    }
    out->items[out->n++] =
        (struct sql_token){(uint8_t)kind, 0, (uint16_t)symbol, (uint32_t)from, (uint32_t)(lx->at - from)};
    return true;
}

/* blanks, -- comment, slash-star comment (not nested) */
static bool skip_blank(struct lexer *lx)
{
    for (;;) {
        int c = peek(lx, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
            lx->at++;
        } else if (c == '-' && peek(lx, 1) == '-') {
            while (peek(lx, 0) != -1 && peek(lx, 0) != '\n')
                lx->at++;
        } else if (c == '/' && peek(lx, 1) == '*') {
            size_t from = lx->at;
            lx->at += 2;
            while (peek(lx, 0) != -1 && !(peek(lx, 0) == '*' && peek(lx, 1) == '/'))
                lx->at++;
            if (peek(lx, 0) == -1)
                return sql_fail_syntax(lx->cx, from);
            lx->at += 2;
        } else {
            return true;
        }
    }
}

/* Up to and with the closing quote; a doubled quote stands for itself. */
static bool quoted(struct lexer *lx, char quote, size_t from)
{
    lx->at++;
    for (;;) {
        int c = peek(lx, 0);
        if (c == -1)
            return sql_fail_syntax(lx->cx, from);
        lx->at++;
        if (c == quote) {
            if (peek(lx, 0) != quote)
                return true;
            lx->at++;
        }
    }
}

static enum sql_keyword find_keyword(struct mr_str word)
{
    size_t lo = 1, hi = MR_ARRAY_LEN(keywords);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = strncasecmp(word.ptr, keywords[mid].word, word.len);
        if (order == 0 && keywords[mid].word[word.len] != '\0')
            order = -1;
        if (order == 0)
            return (enum sql_keyword)mid;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return SQL_KW_NONE;
}

/* After the word measure_value: '::' word, blanks allowed around. The three become one name. */
static bool measure_suffix(struct lexer *lx)
{
    size_t at = lx->at;
    while (peek(lx, 0) == ' ' || peek(lx, 0) == '\t' || peek(lx, 0) == '\n' || peek(lx, 0) == '\r')
        lx->at++;
    if (peek(lx, 0) == ':' && peek(lx, 1) == ':') {
        lx->at += 2;
        while (peek(lx, 0) == ' ' || peek(lx, 0) == '\t' || peek(lx, 0) == '\n' || peek(lx, 0) == '\r')
            lx->at++;
        if (is_letter(peek(lx, 0))) {
            while (is_letter(peek(lx, 0)) || is_digit(peek(lx, 0)))
                lx->at++;
            return true;
        }
    }
    lx->at = at;
    return false;
}

static bool word(struct lexer *lx)
{
    size_t from = lx->at;
    if ((peek(lx, 0) == 'U' || peek(lx, 0) == 'u') && peek(lx, 1) == '&' && peek(lx, 2) == '\'') {
        lx->at += 2;
        return quoted(lx, '\'', from) && emit(lx, SQL_TOK_UNICODE, from, 0);
    }
    while (is_letter(peek(lx, 0)) || is_digit(peek(lx, 0)))
        lx->at++;
    struct mr_str text = {lx->s + from, lx->at - from};
    if (mr_str_ieq(text, MR_STR("measure_value")) && measure_suffix(lx))
        return emit(lx, SQL_TOK_MEASURE, from, 0);
    if (!emit(lx, SQL_TOK_WORD, from, 0))
        return false;
    lx->out->items[lx->out->n - 1].keyword = (uint8_t)find_keyword(text);
    return true;
}

/* digits ['.' digits] [('e'|'E') [sign] digits] | digits ['.' digits] unit */
static bool number(struct lexer *lx)
{
    size_t from = lx->at;
    enum sql_token_kind kind = SQL_TOK_INTEGER;
    while (is_digit(peek(lx, 0)))
        lx->at++;
    if (peek(lx, 0) == '.' && (is_digit(peek(lx, 1)) || !is_letter(peek(lx, 1)))) {
        kind = SQL_TOK_DECIMAL;
        lx->at++;
        while (is_digit(peek(lx, 0)))
            lx->at++;
    }
    int sign = peek(lx, 1) == '+' || peek(lx, 1) == '-';
    if ((peek(lx, 0) == 'e' || peek(lx, 0) == 'E') && is_digit(peek(lx, sign ? 2 : 1))) {
        kind = SQL_TOK_DECIMAL;
        lx->at += sign ? 2 : 1;
        while (is_digit(peek(lx, 0)))
            lx->at++;
    } else if (is_letter(peek(lx, 0))) {
        kind = SQL_TOK_DURATION;
    }
    while (is_letter(peek(lx, 0)) || is_digit(peek(lx, 0))) {
        if (kind != SQL_TOK_DURATION)
            return sql_fail_syntax(lx->cx, from);
        lx->at++;
    }
    return emit(lx, kind, from, 0);
}

static bool symbol(struct lexer *lx)
{
    static const struct {
        char a, b;
        enum sql_symbol symbol;
    } pairs[] = {{'<', '=', SQL_SYM_LE},  {'>', '=', SQL_SYM_GE},     {'<', '>', SQL_SYM_NE},
                 {'!', '=', SQL_SYM_NE},  {'|', '|', SQL_SYM_CONCAT}, {'-', '>', SQL_SYM_ARROW},
                 {':', ':', SQL_SYM_CAST}};
    size_t from = lx->at;
    int c = peek(lx, 0);
    for (size_t i = 0; i < MR_ARRAY_LEN(pairs); i++) {
        if (c == pairs[i].a && peek(lx, 1) == pairs[i].b) {
            lx->at += 2;
            return emit(lx, SQL_TOK_SYMBOL, from, pairs[i].symbol);
        }
    }
    if (c <= 0 || strchr("()[],.;+-*/%=<>", c) == NULL)
        return sql_fail_syntax(lx->cx, from);
    lx->at++;
    return emit(lx, SQL_TOK_SYMBOL, from, (unsigned)c);
}

static bool parameter(struct lexer *lx)
{
    size_t from = lx->at++;
    if (!is_letter(peek(lx, 0)))
        return sql_fail_syntax(lx->cx, from);
    while (is_letter(peek(lx, 0)) || is_digit(peek(lx, 0)))
        lx->at++;
    return emit(lx, SQL_TOK_PARAM, from, 0);
}

static bool next_token(struct lexer *lx)
{
    size_t from = lx->at;
    int c = peek(lx, 0);
    if (is_letter(c))
        return word(lx);
    if (is_digit(c) || (c == '.' && is_digit(peek(lx, 1))))
        return number(lx);
    if (c == '\'')
        return quoted(lx, '\'', from) && emit(lx, SQL_TOK_STRING, from, 0);
    if (c == '"')
        return quoted(lx, '"', from) && emit(lx, SQL_TOK_QUOTED, from, 0);
    if (c == '@')
        return parameter(lx);
    return symbol(lx);
}

bool sql_lex(struct sql_context *cx, struct sql_tokens *out)
{
    struct lexer lx = {cx, cx->text.ptr, cx->text.len, 0, out, 0};
    *out = (struct sql_tokens){NULL, 0};
    if (memchr(lx.s, '\0', lx.len) != NULL)
        return sql_fail_syntax(cx, (size_t)((const char *)memchr(lx.s, '\0', lx.len) - lx.s));
    for (;;) {
        if (!skip_blank(&lx))
            return false;
        if (lx.at == lx.len)
            return emit(&lx, SQL_TOK_END, lx.at, 0);
        if (!next_token(&lx))
            return false;
    }
}

bool sql_keyword_reserved(enum sql_keyword keyword)
{
    return keywords[keyword].reserved;
}

struct mr_str sql_token_text(const struct sql_context *cx, const struct sql_token *t)
{
    return (struct mr_str){cx->text.ptr + t->pos, t->len};
}

/* Doubled quotes become one. */
static struct mr_str unquote(struct sql_context *cx, struct mr_str s, char quote)
{
    if (memchr(s.ptr, quote, s.len) == NULL)
        return s;
    char *to = sql_alloc(cx, s.len);
    size_t n = 0;
    if (to == NULL)
        return MR_STR_NULL;
    for (size_t i = 0; i < s.len; i++) {
        to[n++] = s.ptr[i];
        i += s.ptr[i] == quote;
    }
    return (struct mr_str){to, n};
}

/* measure_value::double in its one spelling */
static struct mr_str measure_name(struct sql_context *cx, struct mr_str s)
{
    size_t n = s.len;
    while (n > 0 && (is_letter(s.ptr[n - 1]) || is_digit(s.ptr[n - 1])))
        n--;
    struct mr_str type = mr_arena_dup(cx->arena, mr_str_slice(s, n, s.len));
    struct mr_str name = MR_STR_NULL;
    if (type.ptr != NULL) {
        char *p = (char *)type.ptr; /* our own copy */
        for (size_t i = 0; i < type.len; i++)
            p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
        name = mr_arena_printf(cx->arena, "measure_value::" MR_STR_FMT, MR_STR_ARG(type));
    }
    if (name.ptr == NULL)
        sql_fail_memory(cx);
    return name;
}

struct mr_str sql_token_value(struct sql_context *cx, const struct sql_token *t)
{
    struct mr_str s = sql_token_text(cx, t);
    switch ((enum sql_token_kind)t->kind) {
    case SQL_TOK_STRING:
        return unquote(cx, mr_str_slice(s, 1, s.len - 1), '\'');
    case SQL_TOK_QUOTED:
        return unquote(cx, mr_str_slice(s, 1, s.len - 1), '"');
    case SQL_TOK_UNICODE:
        return unquote(cx, mr_str_slice(s, 3, s.len - 1), '\'');
    case SQL_TOK_PARAM:
        return mr_str_slice(s, 1, s.len);
    case SQL_TOK_MEASURE:
        return measure_name(cx, s);
    default:
        return s;
    }
}
