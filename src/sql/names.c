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

/* The field of one scope that exactly `n` names mean. false: ambiguous, error set. */
static bool find_here(struct sql_context *cx, const struct scope *scope, const struct mr_str *names, size_t n,
                      size_t pos, struct bound_expr **out)
{
    *out = NULL;
    for (int exact = 1; exact >= 0 && *out == NULL; exact--) {
        for (size_t i = 0; i < scope->nfields; i++) {
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
