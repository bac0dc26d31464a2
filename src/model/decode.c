/* From a JSON tree to a struct. Wrong types end the work at once; constraints are only suspected here and
 * judged by validate.c, so that a good request is walked once. */
#include "model/decode.h"

#include "json/json.h"

static int decode_object(struct model_decoder *d, const struct model_shape *shape, struct json_value v,
                         void *out);

/* ---- wrong types: texts of reference 1.6 ---- */

static const char *scalar_name(enum json_type type)
{
    switch (type) {
    case JSON_STRING:
        return "STRING_VALUE";
    case JSON_TRUE:
        return "TRUE_VALUE";
    case JSON_FALSE:
        return "FALSE_VALUE";
    default:
        return "NUMBER_VALUE";
    }
}

static const char *target_name(enum model_kind kind)
{
    switch (kind) {
    case MODEL_KIND_LONG:
        return "Long";
    case MODEL_KIND_INTEGER:
        return "Integer";
    case MODEL_KIND_BOOLEAN:
        return "Boolean";
    case MODEL_KIND_DOUBLE:
        return "Double";
    case MODEL_KIND_TIME:
        return "Timestamp";
    default:
        return "String";
    }
}

static int wrong_type(struct model_decoder *d, enum model_kind kind, struct json_value v)
{
    enum json_type type = json_type(v);
    bool list = kind == MODEL_KIND_LIST || kind == MODEL_KIND_TEXTS;
    if (type == JSON_OBJECT)
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena,
                          "Start of structure or map found where not expected.");
    if (type == JSON_ARRAY)
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena, "Start of list found where not expected");
    if (list)
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena, "Expected list or null");
    if (kind == MODEL_KIND_STRUCT)
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena, "Expected null");
    return model_fail(d->fault, MODEL_SERIALIZATION, d->arena, "%s can not be converted to %s",
                      scalar_name(type), target_name(kind));
}

/* ---- scalars ---- */

/* Characters are counted only where bytes do not tell: they bound their number from above, and a quarter of
 * them bounds it from below. */
static bool length_is_wrong(struct mr_str text, int64_t min, int64_t max)
{
    if ((int64_t)text.len <= max && (int64_t)(min > 1 ? text.len / 4 : text.len) >= min)
        return false;
    int64_t length = (int64_t)mr_utf8_length(text);
    return length < min || length > max;
}

void model_take_text(struct model_decoder *d, const struct model_member *m, struct mr_str text, void *field)
{
    if (m->kind != MODEL_KIND_ENUM) {
        *(struct mr_str *)field = text;
        bool wrong = m->kind == MODEL_KIND_NAME ? (int64_t)text.len < m->min || (int64_t)text.len > m->max
                                                : length_is_wrong(text, m->min, m->max);
        if (wrong || (m->pattern != MODEL_PATTERN_NONE && !model_pattern_matches(m->pattern, text)))
            d->suspect = true;
        return;
    }
    int *at = field;
    *at = model_enum_find(m->words, text);
    if (*at != 0 || d->lenient)
        return;
    d->suspect = true;
    *at = MODEL_UNKNOWN_WORD;
    struct model_unknown_word *unknown = MR_ARENA_NEW(d->arena, struct model_unknown_word);
    if (unknown == NULL)
        return; /* the arena remembers */
    *unknown = (struct model_unknown_word){at, text, d->unknown};
    d->unknown = unknown;
}

bool model_take_integer(struct model_decoder *d, const struct model_member *m, int64_t v, void *field)
{
    if (m->kind == MODEL_KIND_INTEGER && (v < INT32_MIN || v > INT32_MAX))
        return false;
    *(struct model_i64 *)field = (struct model_i64){true, v};
    if (v < m->min || v > m->max)
        d->suspect = true;
    return true;
}

static int decode_scalar(struct model_decoder *d, const struct model_member *m, struct json_value v,
                         void *field)
{
    int64_t i;
    double f;
    switch (m->kind) {
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        if (!json_i64(v, &i) || !model_take_integer(d, m, i, field))
            return wrong_type(d, m->kind, v);
        return MR_OK;
    case MODEL_KIND_BOOLEAN:
        if (json_type(v) != JSON_TRUE && json_type(v) != JSON_FALSE)
            return wrong_type(d, m->kind, v);
        *(struct model_bool *)field = (struct model_bool){true, json_type(v) == JSON_TRUE};
        return MR_OK;
    default: /* DOUBLE and TIME */
        if (!json_f64(v, &f))
            return wrong_type(d, m->kind, v);
        *(struct model_f64 *)field = (struct model_f64){true, f};
        return MR_OK;
    }
}

/* ---- structures and lists ---- */

static int decode_struct(struct model_decoder *d, const struct model_member *m, struct json_value v,
                         void *field)
{
    if (json_type(v) != JSON_OBJECT)
        return wrong_type(d, m->kind, v);
    void *value = mr_arena_zalloc(d->arena, m->shape->size);
    if (value == NULL)
        return MR_ENOMEM;
    *(void **)field = value;
    return decode_object(d, m->shape, v, value);
}

/* How many elements to make room for. A list that is too long is refused in the end, so what it holds beyond
 * its bound costs nothing. */
static size_t list_room(struct model_decoder *d, const struct model_member *m, size_t count)
{
    if (d->lenient || ((int64_t)count >= m->min && (int64_t)count <= m->max))
        return count;
    d->suspect = true;
    return (int64_t)count > m->max ? (size_t)m->max : count;
}

static void null_element(struct model_decoder *d, const void *element)
{
    d->suspect = true;
    if (d->nnulls < MR_ARRAY_LEN(d->nulls))
        d->nulls[d->nnulls++] = element;
}

static int decode_list(struct model_decoder *d, const struct model_member *m, struct json_value v,
                       void *field)
{
    if (json_type(v) != JSON_ARRAY)
        return wrong_type(d, m->kind, v);
    struct model_any_list *list = field;
    size_t count = json_count(v), room = list_room(d, m, count), size = m->shape->size;
    *list = (struct model_any_list){mr_arena_array(d->arena, room, size), count, true};
    if (list->at == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    struct json_value item;
    char *element = list->at;
    for (size_t i = 0; i < room && json_next(&it, &item); i++, element += size) {
        if (json_type(item) == JSON_NULL) {
            null_element(d, element);
            continue;
        }
        if (json_type(item) != JSON_OBJECT)
            return wrong_type(d, MODEL_KIND_STRUCT, item);
        int rc = decode_object(d, m->shape, item, element);
        if (rc != MR_OK)
            return rc;
    }
    return MR_OK;
}

static int decode_texts(struct model_decoder *d, const struct model_member *m, struct json_value v,
                        void *field)
{
    if (json_type(v) != JSON_ARRAY)
        return wrong_type(d, m->kind, v);
    struct model_texts *list = field;
    size_t count = json_count(v), room = list_room(d, m, count);
    *list = (struct model_texts){MR_ARENA_ARRAY(d->arena, room, struct mr_str), count, true};
    if (list->at == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    struct json_value item;
    for (size_t i = 0; i < room && json_next(&it, &item); i++) {
        if (json_type(item) == JSON_NULL) {
            d->suspect = true;
            continue;
        }
        if (json_type(item) != JSON_STRING)
            return wrong_type(d, MODEL_KIND_TEXT, item);
        list->at[i] = json_text(item);
        if (length_is_wrong(list->at[i], m->each_min, m->each_max))
            d->suspect = true;
    }
    return MR_OK;
}

/* ---- members ---- */

static size_t field_size(enum model_kind kind)
{
    switch (kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        return sizeof(struct mr_str);
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        return sizeof(struct model_i64);
    case MODEL_KIND_BOOLEAN:
        return sizeof(struct model_bool);
    case MODEL_KIND_DOUBLE:
    case MODEL_KIND_TIME:
        return sizeof(struct model_f64);
    case MODEL_KIND_ENUM:
        return sizeof(int);
    case MODEL_KIND_STRUCT:
        return sizeof(void *);
    default:
        return sizeof(struct model_any_list);
    }
}

static int decode_member(struct model_decoder *d, const struct model_member *m, struct json_value v,
                         void *field)
{
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
    case MODEL_KIND_ENUM:
        if (json_type(v) != JSON_STRING)
            return wrong_type(d, m->kind, v);
        model_take_text(d, m, json_text(v), field);
        return MR_OK;
    case MODEL_KIND_STRUCT:
        return decode_struct(d, m, v, field);
    case MODEL_KIND_LIST:
        return decode_list(d, m, v, field);
    case MODEL_KIND_TEXTS:
        return decode_texts(d, m, v, field);
    default:
        return decode_scalar(d, m, v, field);
    }
}

/* The member of that name, tried first where it was the last time. */
static inline const struct model_member *member_at(struct model_order *order, const struct model_index *index,
                                                   uint32_t place, struct mr_str name)
{
    uint8_t *at = &order->at[place % MR_ARRAY_LEN(order->at)];
    if (*at < index->count && mr_str_eq(index->members[*at].name, name))
        return &index->members[*at];
    const struct model_member *m = model_member_find(index, name);
    if (m != NULL)
        *at = (uint8_t)(m - index->members);
    return m;
}

/* `out` is zeroed. */
static int decode_object(struct model_decoder *d, const struct model_shape *shape, struct json_value v,
                         void *out)
{
    const struct model_index *index = shape->index;
    struct model_order *order = &d->orders[index->number % MODEL_ORDERS];
    uint32_t seen = 0, place = 0;
    struct json_iter it = json_items(v);
    struct mr_str name;
    struct json_value value;
    while (json_next_field(&it, &name, &value)) {
        const struct model_member *m = member_at(order, index, place++, name);
        if (m == NULL)
            continue;
        void *field = (char *)out + m->offset;
        uint32_t bit = 1u << (m - index->members);
        if (json_type(value) == JSON_NULL) {
            memset(field, 0, field_size(m->kind)); /* it may have come before */
            seen &= ~bit;
            continue;
        }
        seen |= bit;
        int rc = decode_member(d, m, value, field);
        if (rc != MR_OK)
            return rc;
    }
    if ((seen & index->required) != index->required)
        d->suspect = true;
    return MR_OK;
}

static int decode(const struct model_shape *shape, struct mr_str body, struct mr_arena *arena, void **out,
                  struct model_fault *fault, bool lenient)
{
    struct model_decoder d = {.arena = arena, .fault = fault, .lenient = lenient};
    struct json_doc doc;
    struct mr_error err = MR_ERROR_INIT;
    *out = NULL;
    int rc = json_parse(body.len != 0 ? body : MR_STR("{}"), arena, &doc, &err);
    if (rc == MR_ENOMEM)
        return rc;
    if (rc != MR_OK || json_type(json_root(&doc)) != JSON_OBJECT) {
        if (fault->error == MODEL_NO_ERROR)
            fault->error = MODEL_SERIALIZATION; /* without a message (reference 1.6) */
        return MR_EINVAL;
    }
    void *value = mr_arena_zalloc(arena, shape->size);
    if (value == NULL)
        return MR_ENOMEM;
    rc = decode_object(&d, shape, json_root(&doc), value);
    if (rc == MR_OK && arena->failed)
        rc = MR_ENOMEM;
    if (rc == MR_OK && d.suspect && !lenient)
        rc = model_validate(&d, shape, value);
    if (rc == MR_OK)
        *out = value;
    return rc;
}

int model_decode(const struct model_shape *shape, struct mr_str body, struct mr_arena *arena, void **out,
                 struct model_fault *fault)
{
    return decode(shape, body, arena, out, fault, false);
}

int model_decode_response(const struct model_shape *shape, struct mr_str body, struct mr_arena *arena,
                          void **out, struct model_fault *fault)
{
    return decode(shape, body, arena, out, fault, true);
}
