#include "model/table.h"

#define NO_MIN INT64_MIN
#define NO_MAX INT64_MAX

/* 0 stands for no upper bound of a length; no lower bound is 0 by itself. */
#define MOST(max) ((max) == 0 ? NO_MAX : (max))

enum {
    NEED_OPT = false,
    NEED_REQ = true,
};

/* clang-format off */

/* Each shape's members, in a function of its own so that offsetof knows the struct they are in. */
#define SHAPE(c, wire, api) \
    static size_t members_##c(const struct model_member **out) \
    { \
        typedef struct model_##c self __attribute__((unused)); /* by a shape without members */ \
        static const struct model_member members[] = {
#define ROW(k, f, wire, need, ...) \
    .name = {#wire, sizeof #wire - 1}, .kind = MODEL_KIND_##k, .required = NEED_##need, \
    .offset = offsetof(self, f), .otherwise = "" __VA_ARGS__
#define TEXT(f, wire, need, lo, hi, pat, ...) \
    {ROW(TEXT, f, wire, need, __VA_ARGS__), .min = (lo), .max = MOST(hi), .pattern = MODEL_PATTERN_##pat},
#define NAME(f, wire, need, lo, hi, pat, ...) \
    {ROW(NAME, f, wire, need, __VA_ARGS__), .min = (lo), .max = MOST(hi), .pattern = MODEL_PATTERN_##pat},
#define LONG(f, wire, need, lo, hi, ...) {ROW(LONG, f, wire, need, __VA_ARGS__), .min = (lo), .max = (hi)},
#define INTEGER(f, wire, need, lo, hi, ...) {ROW(INTEGER, f, wire, need, __VA_ARGS__), .min = (lo), .max = (hi)},
#define BOOLEAN(f, wire, need, ...) {ROW(BOOLEAN, f, wire, need, __VA_ARGS__)},
#define DOUBLE(f, wire, need, ...) {ROW(DOUBLE, f, wire, need, __VA_ARGS__)},
#define TIME(f, wire, need, ...) {ROW(TIME, f, wire, need, __VA_ARGS__)},
#define ENUM(f, wire, need, e, ...) {ROW(ENUM, f, wire, need, __VA_ARGS__), .words = &model_enum_##e},
#define STRUCT(f, wire, need, c, ...) {ROW(STRUCT, f, wire, need, __VA_ARGS__), .shape = &model_shape_##c},
#define LIST(f, wire, need, lo, hi, c, ...) \
    {ROW(LIST, f, wire, need, __VA_ARGS__), .min = (lo), .max = MOST(hi), .shape = &model_shape_##c},
#define TEXTS(f, wire, need, lo, hi, elo, ehi, ...) \
    {ROW(TEXTS, f, wire, need, __VA_ARGS__), .min = (lo), .max = MOST(hi), .each_min = (elo), \
     .each_max = MOST(ehi)},
#define SHAPE_END(c) \
        }; \
        *out = members; \
        return MR_ARRAY_LEN(members); \
    }
#include "model/shapes.def"

#define SHAPE(c, wire, in) \
    static struct model_index index_##c; \
    const struct model_shape model_shape_##c = { \
        .name = {#wire, sizeof #wire - 1}, .c_name = {#c, sizeof #c - 1}, .api = MODEL_API_##in, \
        .size = sizeof(struct model_##c), .index = &index_##c};
#include "model/shapes.def"

#define ENUMERATION(c, wire, api, prefix) static const struct mr_str words_##c[] = {
#define VALUE(prefix, word) {#word, sizeof #word - 1},
#define ENUMERATION_END(c) };
#include "model/enums.def"

#define ENUMERATION(c, wire, in, prefix) \
    const struct model_enum model_enum_##c = { \
        .name = {#wire, sizeof #wire - 1}, .c_name = {#c, sizeof #c - 1}, .api = MODEL_API_##in, \
        .words = words_##c, .count = (int)MR_ARRAY_LEN(words_##c)};
#include "model/enums.def"

#define E(error) (1u << MODEL_##error)
static const struct model_operation operations[] = {
    {MODEL_OP_NONE, 0, {NULL, 0}, NULL, NULL, 0, NULL},
#define OPERATION(n, wire, in, request, response, text, declared) \
    {MODEL_OP_##n, MODEL_API_##in, {#wire, sizeof #wire - 1}, &model_shape_##request, &model_shape_##response, \
     (declared), text},
#include "model/operations.def"
};

const struct model_shape *const model_shapes[] = {
#define SHAPE(c, wire, api) &model_shape_##c,
#include "model/shapes.def"
};

const struct model_enum *const model_enums[] = {
#define ENUMERATION(c, wire, api, prefix) &model_enum_##c,
#include "model/enums.def"
};

/* clang-format on */

const size_t model_shape_count = MR_ARRAY_LEN(model_shapes);
const size_t model_enum_count = MR_ARRAY_LEN(model_enums);

/* Fills the slots with this factor; false when two members meet in one. */
static bool try_factor(struct model_index *index, uint32_t factor)
{
    memset(index->slot, MODEL_NO_SLOT, sizeof index->slot);
    for (uint32_t i = 0; i < index->count; i++) {
        uint8_t *slot = &index->slot[model_name_slot(model_name_key(index->members[i].name), factor)];
        if (*slot != MODEL_NO_SLOT)
            return false;
        *slot = (uint8_t)i;
    }
    index->factor = factor;
    return true;
}

static void fill_index(struct model_index *index, size_t (*members)(const struct model_member **out))
{
    index->count = (uint32_t)members(&index->members);
    MR_ASSERT(index->count <= 32); /* `required` and the decoder's mask have a bit for each */
    for (uint32_t i = 0; i < index->count; i++)
        if (index->members[i].required)
            index->required |= 1u << i;
    /* A quarter full table needs some five tries; a shape whose keys are equal would need for ever. */
    uint32_t factor = 2654435769u;
    for (int tries = 0; !try_factor(index, factor); tries++) {
        MR_ASSERT(tries < 100000);
        factor = factor * 1664525u + 1013904223u;
    }
}

/* Before main, so that nobody has to ask whether it has been done. */
__attribute__((constructor)) static void fill_indexes(void)
{
    uint32_t number = 0;
#define SHAPE(c, wire, api)                                                                                  \
    index_##c.number = number++;                                                                             \
    fill_index(&index_##c, members_##c);
#include "model/shapes.def"
}

const struct model_operation *model_operation_find(struct mr_str target)
{
    struct mr_str prefix = MR_STR(MODEL_TARGET_PREFIX);
    if (!mr_str_starts(target, prefix))
        return NULL;
    struct mr_str name = mr_str_slice(target, prefix.len, target.len);
    for (size_t i = 1; i < MR_ARRAY_LEN(operations); i++)
        if (mr_str_eq(operations[i].name, name))
            return &operations[i];
    return NULL;
}

const struct model_operation *model_operation(enum model_op op)
{
    MR_ASSERT(op > MODEL_OP_NONE && op < MODEL_OP_COUNT);
    return &operations[op];
}

struct mr_str model_enum_word(const struct model_enum *words, int value)
{
    return value >= 1 && value <= words->count ? words->words[value - 1] : MR_STR_NULL;
}

int model_enum_find(const struct model_enum *words, struct mr_str word)
{
    for (int i = 0; i < words->count; i++)
        if (mr_str_eq(words->words[i], word))
            return i + 1;
    return 0;
}

bool model_is_set(const struct model_member *m, const void *field)
{
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        return ((const struct mr_str *)field)->ptr != NULL;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        return ((const struct model_i64 *)field)->set;
    case MODEL_KIND_BOOLEAN:
        return ((const struct model_bool *)field)->set;
    case MODEL_KIND_DOUBLE:
    case MODEL_KIND_TIME:
        return ((const struct model_f64 *)field)->set;
    case MODEL_KIND_ENUM:
        return *(const int *)field != 0;
    case MODEL_KIND_STRUCT:
        return *(void *const *)field != NULL;
    default:
        return ((const struct model_any_list *)field)->set;
    }
}
