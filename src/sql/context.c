/* sql/context.c - errors with their position, and arena memory that reports its end. */
#include "sql/context.h"

#include <stdarg.h>
#include <stdio.h>

void sql_position(struct mr_str text, size_t pos, unsigned *line, unsigned *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < pos && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            ++*line;
            *column = 1;
        } else if ((c & 0xC0) != 0x80) {
            ++*column; /* continuation bytes do not count */
        }
    }
}

MR_PRINTF(4, 0)
static bool fail(struct sql_context *cx, size_t pos, bool prefix, const char *fmt, va_list ap)
{
    if (cx->status != MR_OK)
        return false; /* the first error stays */
    char text[1024];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    struct mr_str message = {text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1};
    while (message.len > 0 && !mr_utf8_valid(message))
        message.len--; /* cut at a character */
    struct sql_error *e = cx->error;
    sql_position(cx->text, pos, &e->line, &e->column);
    if (prefix)
        e->message =
            mr_arena_printf(cx->arena, "line %u:%u: " MR_STR_FMT, e->line, e->column, MR_STR_ARG(message));
    else
        e->message = mr_arena_dup(cx->arena, message);
    cx->status = e->message.ptr != NULL ? MR_EINVAL : MR_ENOMEM;
    return false;
}

bool sql_fail(struct sql_context *cx, size_t pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(cx, pos, true, fmt, ap);
    va_end(ap);
    return false;
}

bool sql_fail_plain(struct sql_context *cx, size_t pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(cx, pos, false, fmt, ap);
    va_end(ap);
    return false;
}

bool sql_fail_syntax(struct sql_context *cx, size_t pos)
{
    unsigned line, column;
    if (cx->status != MR_OK)
        return false;
    sql_position(cx->text, pos, &line, &column);
    return sql_fail_plain(cx, pos, "The query syntax is invalid at line %u:%u", line, column);
}

bool sql_fail_memory(struct sql_context *cx)
{
    if (cx->status == MR_OK)
        cx->status = MR_ENOMEM;
    return false;
}

void *sql_alloc(struct sql_context *cx, size_t size)
{
    return sql_array(cx, 1, size);
}

void *sql_array(struct sql_context *cx, size_t count, size_t size)
{
    void *p = mr_arena_array(cx->arena, count > 0 ? count : 1, size);
    if (p == NULL)
        sql_fail_memory(cx);
    return p;
}

bool sql_push(struct sql_context *cx, struct sql_list *list, void *item)
{
    if (list->n == list->cap) {
        size_t cap = list->cap > 0 ? list->cap * 2 : 4;
        void **items = SQL_ARRAY_NEW(cx, cap, void *);
        if (items == NULL)
            return false;
        if (list->n > 0)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = item;
    return true;
}
