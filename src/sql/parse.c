/* sql/parse.c - tokens and names, the vocabulary of the other parse files. */
#include "sql/parse.h"

const struct sql_token *parse_peek(const struct parser *p, size_t ahead)
{
    size_t i = p->at + ahead;
    return &p->tokens[i < p->ntokens ? i : p->ntokens - 1];
}

bool parse_is(const struct parser *p, size_t ahead, enum sql_keyword keyword)
{
    const struct sql_token *t = parse_peek(p, ahead);
    return t->kind == SQL_TOK_WORD && t->keyword == (uint8_t)keyword;
}

bool parse_is_symbol(const struct parser *p, size_t ahead, unsigned symbol)
{
    const struct sql_token *t = parse_peek(p, ahead);
    return t->kind == SQL_TOK_SYMBOL && t->symbol == symbol;
}

bool parse_take(struct parser *p, enum sql_keyword keyword)
{
    if (!parse_is(p, 0, keyword))
        return false;
    p->at++;
    return true;
}

bool parse_take_symbol(struct parser *p, unsigned symbol)
{
    if (!parse_is_symbol(p, 0, symbol))
        return false;
    p->at++;
    return true;
}

bool parse_need(struct parser *p, enum sql_keyword keyword)
{
    return parse_take(p, keyword) || parse_unexpected(p) != NULL;
}

bool parse_need_symbol(struct parser *p, unsigned symbol)
{
    return parse_take_symbol(p, symbol) || parse_unexpected(p) != NULL;
}

void *parse_unexpected(struct parser *p)
{
    sql_fail_syntax(p->cx, parse_peek(p, 0)->pos);
    return NULL;
}

bool parse_enter(struct parser *p)
{
    if (p->depth >= SQL_MAX_NESTING)
        return sql_fail(p->cx, parse_peek(p, 0)->pos, "Query is nested deeper than %d levels",
                        SQL_MAX_NESTING);
    p->depth++;
    return true;
}

void parse_leave(struct parser *p)
{
    p->depth--;
}

bool parse_is_name(const struct parser *p, size_t ahead)
{
    const struct sql_token *t = parse_peek(p, ahead);
    if (t->kind == SQL_TOK_WORD)
        return !sql_keyword_reserved((enum sql_keyword)t->keyword);
    return t->kind == SQL_TOK_QUOTED || t->kind == SQL_TOK_MEASURE;
}

bool parse_name(struct parser *p, struct ast_name *out)
{
    const struct sql_token *t = parse_peek(p, 0);
    if (!parse_is_name(p, 0))
        return parse_unexpected(p) != NULL;
    out->text = sql_token_value(p->cx, t);
    out->pos = t->pos;
    if (out->text.ptr == NULL)
        return false;
    if (out->text.len == 0)
        return parse_unexpected(p) != NULL; /* "" is no name */
    p->at++;
    return true;
}

struct ast_name *parse_new_name(struct parser *p)
{
    struct ast_name *name = SQL_NEW(p->cx, struct ast_name);
    return name != NULL && parse_name(p, name) ? name : NULL;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static size_t put_utf8(uint32_t cp, char *out)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 63));
        out[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 63));
    out[2] = (char)(0x80 | (cp >> 6 & 63));
    out[3] = (char)(0x80 | (cp & 63));
    return 4;
}

/* \XXXX, \+XXXXXX, \\ with the escape character in place of \ */
static bool decode_unicode(struct parser *p, struct mr_str s, char escape, size_t pos, struct mr_str *out)
{
    char *to = sql_alloc(p->cx, s.len + 4);
    size_t n = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < s.len;) {
        if (s.ptr[i] != escape) {
            to[n++] = s.ptr[i++];
            continue;
        }
        if (i + 1 < s.len && s.ptr[i + 1] == escape) {
            to[n++] = escape;
            i += 2;
            continue;
        }
        bool longer = i + 1 < s.len && s.ptr[i + 1] == '+';
        size_t from = i + (longer ? 2 : 1), digits = longer ? 6 : 4;
        uint32_t cp = 0;
        if (s.len - i < digits + (longer ? 2 : 1))
            return sql_fail_syntax(p->cx, pos);
        for (size_t k = 0; k < digits; k++) {
            int v = hex_value(s.ptr[from + k]);
            if (v < 0)
                return sql_fail_syntax(p->cx, pos);
            cp = cp * 16 + (uint32_t)v;
        }
        if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
            return sql_fail_syntax(p->cx, pos);
        n += put_utf8(cp, to + n);
        i = from + digits;
    }
    *out = (struct mr_str){to, n};
    return true;
}

bool parse_string(struct parser *p, struct mr_str *out)
{
    const struct sql_token *t = parse_peek(p, 0);
    if (t->kind != SQL_TOK_STRING && t->kind != SQL_TOK_UNICODE)
        return parse_unexpected(p) != NULL;
    *out = sql_token_value(p->cx, t);
    if (out->ptr == NULL)
        return false;
    p->at++;
    if (t->kind == SQL_TOK_STRING)
        return true;
    struct mr_str escape = MR_STR("\\");
    if (parse_take(p, SQL_KW_UESCAPE)) {
        size_t pos = parse_peek(p, 0)->pos;
        if (!parse_string(p, &escape))
            return false;
        if (escape.len != 1 || hex_value(escape.ptr[0]) >= 0 || strchr("+'\" ", escape.ptr[0]) != NULL ||
            (unsigned char)escape.ptr[0] >= 0x80)
            return sql_fail_syntax(p->cx, pos);
    }
    return decode_unicode(p, *out, escape.ptr[0], t->pos, out);
}

size_t parse_end(const struct parser *p)
{
    if (p->at == 0)
        return 0;
    const struct sql_token *t = &p->tokens[p->at - 1];
    return (size_t)t->pos + t->len;
}

bool parse_name_list(struct parser *p, struct sql_list *out)
{
    if (!parse_need_symbol(p, '('))
        return false;
    do {
        struct ast_name *name = parse_new_name(p);
        if (name == NULL || !sql_push(p->cx, out, name))
            return false;
    } while (parse_take_symbol(p, ','));
    return parse_need_symbol(p, ')');
}

bool parse_qualified(struct parser *p, size_t max, struct ast_name **parts, size_t *nparts)
{
    struct ast_name *names = SQL_ARRAY_NEW(p->cx, max, struct ast_name);
    size_t n = 0;
    if (names == NULL)
        return false;
    do {
        if (n == max)
            return parse_unexpected(p) != NULL;
        if (!parse_name(p, &names[n]))
            return false;
        n++;
    } while (parse_take_symbol(p, '.'));
    *parts = names;
    *nparts = n;
    return true;
}
