/* model/table.h - what the rows of shapes.def look like at run time. Private to this room. */
#ifndef MR_MODEL_TABLE_H
#define MR_MODEL_TABLE_H

#include "model/model.h"

enum model_kind {
    MODEL_KIND_TEXT,
    MODEL_KIND_NAME,
    MODEL_KIND_LONG,
    MODEL_KIND_INTEGER,
    MODEL_KIND_BOOLEAN,
    MODEL_KIND_DOUBLE,
    MODEL_KIND_TIME,
    MODEL_KIND_ENUM,
    MODEL_KIND_STRUCT,
    MODEL_KIND_LIST,
    MODEL_KIND_TEXTS,
};

enum model_pattern {
    MODEL_PATTERN_NONE,
    MODEL_PATTERN_RESOURCE_NAME,
    MODEL_PATTERN_S3_BUCKET,
    MODEL_PATTERN_S3_KEY,
    MODEL_PATTERN_TASK_ID,
    MODEL_PATTERN_QUERY_ID,
};

struct model_member {
    struct mr_str name; /* on the wire */
    enum model_kind kind;
    bool required;
    enum model_pattern pattern;
    uint32_t offset;            /* of the field in the struct */
    int64_t min, max;           /* of a length, a count, a value; INT64_MIN and INT64_MAX for none */
    int64_t each_min, each_max; /* TEXTS: of an element's length */
    const struct model_shape *shape;
    const struct model_enum *words;
    const char *otherwise; /* what holds when it is absent, in words; "" when nothing is to be said */
};

#define MODEL_SLOTS 64
#define MODEL_NO_SLOT 0xff

/* The members of a shape and the way from a name to one of them: a perfect hash, whose factor is found when
 * the program starts. */
struct model_index {
    const struct model_member *members;
    uint32_t count;
    uint32_t required; /* bit i: members[i] is required */
    uint32_t factor;
    uint32_t number; /* of the shape, from 0 */
    uint8_t slot[MODEL_SLOTS];
};

struct model_shape {
    struct mr_str name; /* in AWS's model */
    struct mr_str c_name;
    enum model_api api;
    uint32_t size; /* of the struct */
    const struct model_index *index;
};

struct model_enum {
    struct mr_str name;
    struct mr_str c_name;
    enum model_api api;
    const struct mr_str *words; /* words[i] is the value i + 1 */
    int count;
};

/* In the order of the .def files. */
extern const struct model_shape *const model_shapes[];
extern const size_t model_shape_count;
extern const struct model_enum *const model_enums[];
extern const size_t model_enum_count;

/* Length, last byte, and the bytes near the first fifth and at three quarters: enough to tell the members of
 * every shape apart (their names share beginnings and ends). The program does not start if it ever is not. */
static inline uint32_t model_name_key(struct mr_str name)
{
    return (uint32_t)name.len | (uint32_t)(unsigned char)name.ptr[name.len * 3 / 16] << 8 |
           (uint32_t)(unsigned char)name.ptr[name.len * 3 / 4] << 16 |
           (uint32_t)(unsigned char)name.ptr[name.len - 1] << 24;
}

static inline uint32_t model_name_slot(uint32_t key, uint32_t factor)
{
    return (key * factor) >> 26;
}

/* The member of that name, or NULL. */
static inline const struct model_member *model_member_find(const struct model_index *index,
                                                           struct mr_str name)
{
    if (name.len == 0)
        return NULL;
    uint8_t i = index->slot[model_name_slot(model_name_key(name), index->factor)];
    if (i == MODEL_NO_SLOT || !mr_str_eq(index->members[i].name, name))
        return NULL;
    return &index->members[i];
}

/* Whether the whole text matches. */
bool model_pattern_matches(enum model_pattern pattern, struct mr_str text);
/* The regular expression as AWS's model spells it; "" for none. */
const char *model_pattern_text(enum model_pattern pattern);

/* Whether the member is there, in C's terms. */
bool model_is_set(const struct model_member *m, const void *field);

/* A list of any shape; all of them are laid out alike. */
struct model_any_list {
    void *at;
    size_t len;
    bool set;
};

#endif
