#include "store/entry.h"

/* What the sink refused keeps the sink's status. */
static int refused(int rc, const char **why, const char *what)
{
    if (why != NULL)
        *why = what;
    return rc;
}

static int bad(const char **why, const char *what)
{
    return refused(MR_EINVAL, why, what);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* A count of things that take at least one byte each. */
static uint32_t read_count(struct mr_cursor *c)
{
    uint64_t count = mr_cursor_varint(c);
    if (count > c->left || count > UINT32_MAX)
        c->bad = true;
    return c->bad ? 0 : (uint32_t)count;
}

static uint32_t read_u32(struct mr_cursor *c)
{
    uint64_t v = mr_cursor_varint(c);
    if (v > UINT32_MAX)
        c->bad = true;
    return c->bad ? 0 : (uint32_t)v;
}

static struct mr_str read_str(struct mr_cursor *c)
{
    uint64_t len = mr_cursor_varint(c);
    if (len > c->left)
        c->bad = true;
    return mr_cursor_bytes(c, c->bad ? 0 : (size_t)len);
}

int entry_read_head(struct mr_cursor *c, struct entry_head *head, const char **why)
{
    uint8_t version = mr_cursor_u8(c);
    if (version < ENTRY_OLDEST || version > ENTRY_VERSION)
        return bad(why, "unknown version");
    uint8_t kind = mr_cursor_u8(c);
    head->kind = kind == ENTRY_DROP ? ENTRY_DROP : ENTRY_APPEND;
    head->database_id = mr_cursor_varint(c);
    head->table_id = mr_cursor_varint(c);
    if (c->bad)
        return bad(why, "cut in its head");
    if (kind != ENTRY_APPEND && kind != ENTRY_DROP)
        return bad(why, "unknown kind");
    return kind == ENTRY_DROP && c->left != 0 ? bad(why, "bytes after its end") : MR_OK;
}

static int read_columns(struct mr_cursor *c, const struct entry_sink *sink, const char **why)
{
    uint32_t first = read_u32(c), count = read_count(c);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t role = mr_cursor_u8(c), type = mr_cursor_u8(c);
        struct mr_str name = read_str(c);
        if (c->bad || role > MEM_ATTRIBUTE || type > MEM_MULTI)
            return bad(why, "a column cannot be read");
        int rc = sink->column(sink->ctx, first + i, (enum mem_role)role, (enum mem_type)type, name);
        if (rc != MR_OK)
            return refused(rc, why, "a column does not fit");
    }
    return c->bad ? bad(why, "cut among its columns") : MR_OK;
}

static int read_measures(struct mr_cursor *c, const struct entry_sink *sink, const char **why)
{
    uint32_t first = read_u32(c), count = read_count(c);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t type = mr_cursor_u8(c);
        struct mr_str name = read_str(c);
        if (c->bad || type > MEM_MULTI)
            return bad(why, "a measure name cannot be read");
        int rc = sink->measure(sink->ctx, first + i, (enum mem_type)type, name);
        if (rc != MR_OK)
            return refused(rc, why, "a measure name does not fit");
    }
    return c->bad ? bad(why, "cut among its measure names") : MR_OK;
}

static int read_series(struct mr_cursor *c, const struct entry_sink *sink, const char **why)
{
    uint32_t count = read_count(c);
    uint64_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct mem_dim dims[MEM_MAX_DIMENSIONS];
        uint64_t number = next + read_u32(c);
        uint32_t measure = read_u32(c), ndims = read_count(c);
        if (number >= UINT32_MAX || ndims > MEM_MAX_DIMENSIONS)
            return bad(why, "a series cannot be read");
        for (uint32_t d = 0; d < ndims; d++) {
            uint32_t column = read_u32(c);
            if (column > UINT16_MAX)
                c->bad = true;
            dims[d] = (struct mem_dim){(uint16_t)column, read_str(c)};
        }
        if (c->bad)
            return bad(why, "cut among its series");
        int rc = sink->series(sink->ctx, (uint32_t)number, measure, dims, ndims);
        if (rc != MR_OK)
            return refused(rc, why, "a series does not fit");
        next = number + 1;
    }
    return c->bad ? bad(why, "cut among its series") : MR_OK;
}

static void read_cell_columns(struct mr_cursor *c, struct mem_row *row, struct mem_cell *cells)
{
    uint64_t next = 0;
    row->ncells = read_count(c);
    if (row->ncells > MEM_MAX_ATTRIBUTES)
        c->bad = true;
    for (uint32_t i = 0; i < row->ncells && !c->bad; i++) {
        uint64_t column = next + read_u32(c);
        uint8_t type = mr_cursor_u8(c);
        if (column >= UINT16_MAX || type < MEM_DOUBLE || type > MEM_TIMESTAMP)
            c->bad = true;
        cells[i].column = (uint16_t)column;
        cells[i].value.type = (enum mem_type)type;
        next = column + 1;
    }
    if (c->bad)
        row->ncells = 0;
}

static void read_decimal(struct mr_cursor *c, struct mem_value *value)
{
    uint64_t short_form = mr_cursor_varint(c), scale = short_form & 3;
    if (scale != ENTRY_NO_DECIMAL)
        value->f64 = (double)unzigzag(short_form >> 2) / entry_powers[scale];
    else if (short_form >> 2 == 0)
        value->i64 = (int64_t)mr_cursor_u64(c);
    else
        c->bad = true;
}

static void read_value(struct mr_cursor *c, struct mem_value *value, int64_t time, bool decimals)
{
    switch (value->type) {
    case MEM_DOUBLE:
        if (decimals)
            read_decimal(c, value);
        else
            value->i64 = (int64_t)mr_cursor_u64(c);
        break;
    case MEM_BIGINT:
        value->i64 = unzigzag(mr_cursor_varint(c));
        break;
    case MEM_TIMESTAMP:
        value->i64 = plus(time, unzigzag(mr_cursor_varint(c)));
        break;
    case MEM_BOOLEAN:
        value->boolean = mr_cursor_u8(c) != 0;
        break;
    case MEM_VARCHAR:
        value->str = read_str(c);
        break;
    case MEM_NONE:
    case MEM_MULTI:
        c->bad = true;
    }
}

static void read_row(struct mr_cursor *c, struct mem_row *row, struct mem_cell *cells)
{
    uint8_t flags = mr_cursor_u8(c);
    if (flags > (ENTRY_SAME_SERIES | ENTRY_SAME_VERSION | ENTRY_SAME_COLUMNS | ENTRY_DECIMALS))
        c->bad = true;
    if ((flags & ENTRY_SAME_SERIES) == 0) {
        int64_t series = plus(row->series, unzigzag(mr_cursor_varint(c)));
        if (series < 0 || series >= UINT32_MAX)
            c->bad = true;
        row->series = (uint32_t)series;
    }
    row->time = plus(row->time, unzigzag(mr_cursor_varint(c)));
    if ((flags & ENTRY_SAME_VERSION) == 0)
        row->version = plus(row->version, unzigzag(mr_cursor_varint(c)));
    if ((flags & ENTRY_SAME_COLUMNS) == 0)
        read_cell_columns(c, row, cells);
    for (uint32_t i = 0; i < row->ncells && !c->bad; i++)
        read_value(c, &cells[i].value, row->time, (flags & ENTRY_DECIMALS) != 0);
}

static int read_rows(struct mr_cursor *c, const struct entry_sink *sink, const char **why)
{
    struct mem_cell cells[MEM_MAX_ATTRIBUTES];
    struct mem_row row = {.version = 1, .cells = cells};
    uint32_t count = read_count(c);
    for (uint32_t i = 0; i < count; i++) {
        read_row(c, &row, cells);
        if (c->bad)
            return bad(why, "a row cannot be read");
        int rc = sink->row(sink->ctx, &row);
        if (rc != MR_OK)
            return refused(rc, why, "a row does not fit");
    }
    return c->bad ? bad(why, "cut among its rows") : MR_OK;
}

int entry_read_append(struct mr_cursor *c, const struct entry_sink *sink, const char **why)
{
    int rc = read_columns(c, sink, why);
    if (rc == MR_OK)
        rc = read_measures(c, sink, why);
    if (rc == MR_OK)
        rc = read_series(c, sink, why);
    if (rc == MR_OK)
        rc = read_rows(c, sink, why);
    if (rc == MR_OK && c->left != 0)
        rc = bad(why, "bytes after its end");
    return rc;
}
