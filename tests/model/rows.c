#include "model/rows.h"

#include <inttypes.h>
#include <stdlib.h>

void model_rows_release(struct model_rows *rows)
{
    mr_buf_release(&rows->bytes);
    free(rows->rows);
    *rows = (struct model_rows)MODEL_ROWS_INIT;
}

void model_rows_add(struct model_rows *rows, int64_t time)
{
    if (rows->count == rows->cap) {
        rows->cap = rows->cap * 2 + 64;
        rows->rows = realloc(rows->rows, rows->cap * sizeof *rows->rows);
        MR_ASSERT(rows->rows != NULL);
    }
    rows->rows[rows->count++] = (struct model_row){rows->bytes.len, 0, time};
}

void model_rows_null(struct model_rows *rows)
{
    mr_buf_char(&rows->bytes, STORE_NONE);
}

void model_rows_bits(struct model_rows *rows, enum store_type type, int64_t bits)
{
    mr_buf_char(&rows->bytes, (char)type);
    mr_buf_add(&rows->bytes, &bits, sizeof bits);
}

void model_rows_text(struct model_rows *rows, struct mr_str text)
{
    uint32_t len = (uint32_t)text.len;
    mr_buf_char(&rows->bytes, STORE_VARCHAR);
    mr_buf_add(&rows->bytes, &len, sizeof len);
    mr_buf_str(&rows->bytes, text);
}

void model_rows_end(struct model_rows *rows)
{
    struct model_row *row = &rows->rows[rows->count - 1];
    MR_ASSERT(mr_buf_ok(&rows->bytes));
    row->len = rows->bytes.len - row->from;
}

void model_rows_cut(struct model_rows *rows, int64_t from)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].time >= from)
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
}

static int compare(const char *a, size_t alen, const char *b, size_t blen)
{
    int order = memcmp(a, b, alen < blen ? alen : blen);
    return order != 0 ? order : (alen > blen) - (alen < blen);
}

static int by_bytes(const void *a, const void *b, void *bytes)
{
    const struct model_row *x = a, *y = b;
    if (x->len == 0 || y->len == 0)
        return (x->len > y->len) - (x->len < y->len);
    return compare((const char *)bytes + x->from, x->len, (const char *)bytes + y->from, y->len);
}

void model_rows_sort(struct model_rows *rows)
{
    if (rows->count != 0)
        qsort_r(rows->rows, rows->count, sizeof *rows->rows, by_bytes, rows->bytes.ptr);
}

/* ---- comparing
 * --------------------------------------------------------------------------------------------------- */

static void print_row(struct mr_buf *out, const struct model_rows *rows, size_t row)
{
    if (row >= rows->count) {
        mr_buf_printf(out, "(no more rows)");
        return;
    }
    const char *p = rows->bytes.ptr + rows->rows[row].from, *end = p + rows->rows[row].len;
    mr_buf_printf(out, "@%" PRId64, rows->rows[row].time);
    while (p < end) {
        enum store_type type = (enum store_type) * p++;
        int64_t bits;
        uint32_t len;
        double d;
        if (type == STORE_NONE) {
            mr_buf_printf(out, " -");
        } else if (type == STORE_VARCHAR) {
            memcpy(&len, p, sizeof len);
            mr_buf_printf(out, " '%.*s'%s", (int)(len < 20 ? len : 20), p + sizeof len,
                          len < 20 ? "" : "...");
            p += sizeof len + len;
        } else {
            memcpy(&bits, p, sizeof bits);
            memcpy(&d, &bits, sizeof d);
            p += sizeof bits;
            if (type == STORE_DOUBLE)
                mr_buf_printf(out, " %.17g(%016" PRIx64 ")", d, (uint64_t)bits);
            else
                mr_buf_printf(out, " %s%" PRId64, type == STORE_BOOLEAN ? "bool " : "", bits);
        }
    }
}

bool model_rows_equal(const struct model_rows *got, const struct model_rows *want, struct mr_buf *out)
{
    size_t i = 0;
    for (; i < got->count && i < want->count; i++) {
        const struct model_row *g = &got->rows[i], *w = &want->rows[i];
        if (g->len != w->len ||
            (g->len != 0 && memcmp(got->bytes.ptr + g->from, want->bytes.ptr + w->from, g->len) != 0))
            break;
    }
    if (i == got->count && i == want->count)
        return true;
    if (out != NULL) {
        mr_buf_printf(out, "%zu rows, %zu expected; the first that differs:\n    got    ", got->count,
                      want->count);
        print_row(out, got, i);
        mr_buf_printf(out, "\n    wanted ");
        print_row(out, want, i);
    }
    return false;
}
