/* sql/names.c - scopes: exact match first, then one without regard to case; inner levels before outer ones.
 */
#include "sql/bound.h"

bool scope_add(struct sql_context *cx, struct scope *scope, struct scope_field field)
{
    if (field.expr == NULL)
        return false;
    if (scope->nfields == scope->cap) {
        size_t cap = scope->cap > 0 ? scope->cap * 2 : 16;
        struct scope_field *fields = SQL_ARRAY_NEW(cx, cap, struct scope_field);
        if (fields == NULL)
            return false;
        if (scope->nfields > 0)
            memcpy(fields, scope->fields, scope->nfields * sizeof *fields);
        scope->fields = fields;
        scope->cap = cap;
    }
    scope->fields[scope->nfields++] = field;
    return true;
}

static bool same_name(struct mr_str have, struct mr_str want, bool exact)
{
    return have.ptr != NULL && (exact ? mr_str_eq(have, want) : mr_str_ieq(have, want));
}

/* names[0..n) against [database.][relation.]name */
static bool field_matches(const struct scope_field *f, const struct mr_str *names, size_t n, bool exact)
{
    if (n == 1 && f->hidden)
        return false;
    return same_name(f->name, names[n - 1], exact) &&
           (n < 2 || same_name(f->relation, names[n - 2], exact)) &&
           (n < 3 || same_name(f->database, names[n - 3], exact));
}

/* Scopes of few fields are searched from end to end; larger ones through chains of fields whose names are
 * equal without regard to case. Names are outside input, so a wide join and a long statement must not
 * multiply. */
#define INDEX_FROM 32

static uint32_t fold_hash(struct mr_str s)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * 16777619U;
    }
    return h;
}

static bool build_index(struct sql_context *cx, struct scope *scope)
{
    scope->nheads = 64;
    while (scope->nheads < scope->nfields)
        scope->nheads *= 2;
    scope->heads = SQL_ARRAY_NEW(cx, scope->nheads, uint32_t);
    scope->next = SQL_ARRAY_NEW(cx, scope->nfields, uint32_t);
    if (scope->heads == NULL || scope->next == NULL)
        return false;
    memset(scope->heads, 0xFF, scope->nheads * sizeof *scope->heads);
    for (size_t i = scope->nfields; i > 0; i--) { /* so that chains run upwards */
        uint32_t *head = &scope->heads[fold_hash(scope->fields[i - 1].name) & (scope->nheads - 1)];
        scope->next[i - 1] = *head;
        *head = (uint32_t)(i - 1);
    }
    scope->indexed = scope->nfields;
    return true;
}

static size_t first_field(const struct scope *scope, struct mr_str name)
{
    if (scope->nfields < INDEX_FROM)
        return 0;
    return scope->heads[fold_hash(name) & (scope->nheads - 1)];
}

static size_t next_field(const struct scope *scope, size_t i)
{
    return scope->nfields < INDEX_FROM ? i + 1 : scope->next[i];
}

/* The field of one scope that exactly `n` names mean. false: ambiguous, error set. */
static bool find_here(struct sql_context *cx, struct scope *scope, const struct mr_str *names, size_t n,
                      size_t pos, struct bound_expr **out)
{
    *out = NULL;
    if (scope->nfields >= INDEX_FROM && scope->indexed != scope->nfields && !build_index(cx, scope))
        return false;
    for (int exact = 1; exact >= 0 && *out == NULL; exact--) {
        for (size_t i = first_field(scope, names[n - 1]); i < scope->nfields; i = next_field(scope, i)) {
            if (!field_matches(&scope->fields[i], names, n, exact != 0))
                continue;
            if (*out != NULL && !bound_equal(*out, scope->fields[i].expr)) {
                *out = NULL;
                return sql_fail(cx, pos, "Column '" MR_STR_FMT "' is ambiguous", MR_STR_ARG(names[n - 1]));
            }
            *out = scope->fields[i].expr;
        }
    }
    return true;
}

struct bound_expr *scope_find(struct sql_context *cx, struct scope *scope, const struct mr_str *names,
                              size_t n, size_t pos, size_t *used)
{
    for (struct scope *level = scope; level != NULL; level = level->parent) {
        for (struct scope *s = level; s != NULL; s = s->same) {
            for (size_t take = n < 3 ? n : 3; take > 0; take--) {
                struct bound_expr *e;
                if (!find_here(cx, s, names, take, pos, &e))
                    return NULL;
                if (e == NULL)
                    continue;
                if (take < n && e->type->kind != SQL_ROW)
                    continue; /* the rest would be fields */
                *used = take;
                cx->outer_names += level != scope;
                return e;
            }
        }
    }
    return NULL;
}

struct bound_with *scope_find_with(struct scope *scope, struct mr_str name)
{
    for (struct scope *level = scope; level != NULL; level = level->parent) {
        for (int exact = 1; exact >= 0; exact--) {
            for (size_t i = level->nwith; i > 0; i--) {
                if (same_name(level->with[i - 1]->name, name, exact != 0))
                    return level->with[i - 1];
            }
        }
    }
    return NULL;
}
