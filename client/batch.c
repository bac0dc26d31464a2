#include "client/batch.h"

/* ---- packing ---- */

static void pack_text(struct mr_buf *out, struct mr_str text)
{
    mr_buf_varint(out, text.ptr != NULL ? (uint64_t)text.len + 1 : 0);
    if (text.ptr != NULL)
        mr_buf_str(out, text);
}

void client_batch_pack(struct mr_buf *out, const struct model_record *r)
{
    mr_buf_varint(out, (uint64_t)r->measure_value_type);
    mr_buf_varint(out, (uint64_t)r->time_unit);
    pack_text(out, r->measure_name);
    pack_text(out, r->measure_value);
    pack_text(out, r->time);
    mr_buf_varint(out, r->version.set);
    if (r->version.set)
        mr_buf_varint(out, (uint64_t)r->version.v << 1 ^ (uint64_t)(r->version.v >> 63));
    mr_buf_varint(out, r->dimensions.set ? (uint64_t)r->dimensions.len + 1 : 0);
    for (size_t i = 0; r->dimensions.set && i < r->dimensions.len; i++) {
        const struct model_dimension *d = &r->dimensions.at[i];
        pack_text(out, d->name);
        pack_text(out, d->value);
        mr_buf_varint(out, (uint64_t)d->dimension_value_type);
    }
    mr_buf_varint(out, r->measure_values.set ? (uint64_t)r->measure_values.len + 1 : 0);
    for (size_t i = 0; r->measure_values.set && i < r->measure_values.len; i++) {
        const struct model_measure_value *m = &r->measure_values.at[i];
        pack_text(out, m->name);
        pack_text(out, m->value);
        mr_buf_varint(out, (uint64_t)m->type);
    }
}

static struct mr_str unpack_text(struct mr_cursor *c)
{
    uint64_t len = mr_cursor_varint(c);
    if (len == 0)
        return MR_STR_NULL;
    return mr_cursor_bytes(c, len - 1 <= c->left ? (size_t)(len - 1) : SIZE_MAX);
}

static int unpack_enum(struct mr_cursor *c, const struct model_enum *words)
{
    uint64_t v = mr_cursor_varint(c);
    if (v != 0 && (v > 1000 || model_enum_word(words, (int)v).ptr == NULL))
        c->bad = true;
    return c->bad ? 0 : (int)v;
}

/* Elements of a list, each of which takes at least three bytes; the number plus one stands first. */
static size_t unpack_count(struct mr_cursor *c, bool *set)
{
    uint64_t n = mr_cursor_varint(c);
    *set = n != 0;
    if (n > 1 && (n - 1) > c->left / 3)
        c->bad = true;
    return n == 0 || c->bad ? 0 : (size_t)(n - 1);
}

int client_batch_unpack(struct mr_cursor *c, struct mr_arena *arena, struct model_record *r)
{
    *r = (struct model_record){.measure_value_type = unpack_enum(c, &model_enum_measure_value_type)};
    r->time_unit = unpack_enum(c, &model_enum_time_unit);
    r->measure_name = unpack_text(c);
    r->measure_value = unpack_text(c);
    r->time = unpack_text(c);
    r->version.set = mr_cursor_varint(c) != 0;
    if (r->version.set) {
        uint64_t v = mr_cursor_varint(c);
        r->version.v = (int64_t)(v >> 1 ^ (0 - (v & 1)));
    }
    r->dimensions.len = unpack_count(c, &r->dimensions.set);
    r->dimensions.at = MR_ARENA_ARRAY(arena, r->dimensions.len, struct model_dimension);
    if (r->dimensions.at == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < r->dimensions.len; i++) {
        struct model_dimension *d = &r->dimensions.at[i];
        d->name = unpack_text(c);
        d->value = unpack_text(c);
        d->dimension_value_type = unpack_enum(c, &model_enum_dimension_value_type);
    }
    r->measure_values.len = unpack_count(c, &r->measure_values.set);
    r->measure_values.at = MR_ARENA_ARRAY(arena, r->measure_values.len, struct model_measure_value);
    if (r->measure_values.at == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < r->measure_values.len; i++) {
        struct model_measure_value *m = &r->measure_values.at[i];
        m->name = unpack_text(c);
        m->value = unpack_text(c);
        m->type = unpack_enum(c, &model_enum_measure_value_type);
    }
    return c->bad ? MR_ECORRUPT : MR_OK;
}

/* ---- what records share ---- */

static bool same_text(struct mr_str a, struct mr_str b)
{
    return a.ptr != NULL && b.ptr != NULL && mr_str_eq(a, b);
}

static bool same_dimension(const struct model_dimension *a, const struct model_dimension *b)
{
    return same_text(a->name, b->name) && same_text(a->value, b->value) &&
           a->dimension_value_type == b->dimension_value_type;
}

/* Programs list their dimensions in the same order, so the same place is looked at first. */
static bool has_dimension(const struct model_dimension_list *list, const struct model_dimension *d,
                          size_t likely)
{
    if (likely < list->len && same_dimension(&list->at[likely], d))
        return true;
    for (size_t i = 0; i < list->len; i++)
        if (same_dimension(&list->at[i], d))
            return true;
    return false;
}

/* Dimensions of the first record that all others have too. */
static void share_dimensions(struct model_record *common, struct model_record *records, size_t n,
                             struct mr_arena *arena)
{
    const struct model_dimension_list *first = &records[0].dimensions;
    struct model_dimension *shared = MR_ARENA_ARRAY(arena, first->len, struct model_dimension);
    size_t count = 0;
    for (size_t i = 0; shared != NULL && i < first->len; i++) {
        bool everywhere = true;
        for (size_t k = 1; everywhere && k < n; k++)
            everywhere = has_dimension(&records[k].dimensions, &first->at[i], i);
        if (everywhere)
            shared[count++] = first->at[i];
    }
    if (count == 0)
        return;
    common->dimensions = (struct model_dimension_list){shared, count, true};
    for (size_t k = 0; k < n; k++) {
        struct model_dimension_list *own = &records[k].dimensions;
        size_t kept = 0;
        for (size_t i = 0; i < own->len; i++)
            if (!has_dimension(&common->dimensions, &own->at[i], i))
                own->at[kept++] = own->at[i];
        own->len = kept;
        own->set = kept > 0;
    }
}

/* A member moves only when every record has it: one that lacks it would inherit it. The measure value stays,
 * so that no record ends as an empty object. */
static bool share(struct model_record *common, struct model_record *records, size_t n, struct mr_arena *arena)
{
    const struct model_record *first = &records[0];
    bool name = first->measure_name.ptr != NULL, time = first->time.ptr != NULL, unit = first->time_unit != 0;
    bool type = first->measure_value_type != 0, version = first->version.set;
    for (size_t i = 1; i < n; i++) {
        const struct model_record *r = &records[i];
        name = name && same_text(r->measure_name, first->measure_name);
        time = time && same_text(r->time, first->time);
        unit = unit && r->time_unit == first->time_unit;
        type = type && r->measure_value_type == first->measure_value_type;
        version = version && r->version.set && r->version.v == first->version.v;
    }
    *common = (struct model_record){.measure_name = name ? first->measure_name : MR_STR_NULL,
                                    .time = time ? first->time : MR_STR_NULL,
                                    .time_unit = unit ? first->time_unit : 0,
                                    .measure_value_type = type ? first->measure_value_type : 0,
                                    .version = version ? first->version : (struct model_i64){false, 0}};
    for (size_t i = 0; i < n; i++) {
        struct model_record *r = &records[i];
        r->measure_name = name ? MR_STR_NULL : r->measure_name;
        r->time = time ? MR_STR_NULL : r->time;
        r->time_unit = unit ? 0 : r->time_unit;
        r->measure_value_type = type ? 0 : r->measure_value_type;
        r->version.set = version ? false : r->version.set;
    }
    share_dimensions(common, records, n, arena);
    return name || time || unit || type || version || common->dimensions.set;
}

void client_batch_encode(struct mr_str database, struct mr_str table, struct model_record *records, size_t n,
                         struct mr_arena *arena, struct mr_buf *out)
{
    struct model_record common;
    struct model_write_records_request request = {
        .database_name = database, .table_name = table, .records = {records, n, true}};
    if (n > 1 && share(&common, records, n, arena))
        request.common_attributes = &common;
    model_encode(&model_shape_write_records_request, &request, out);
}
