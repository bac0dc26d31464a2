/* model/model.h - the API as data: every operation, shape and constraint of Timestream Write and Query, once.
 *
 * The server decodes and validates requests from it, the client encodes requests and decodes answers, and the
 * page docs/api.md is printed from it. The facts stand in shapes.def, enums.def and operations.def; this
 * header turns them into C. A shape FooRequest is struct model_foo_request, its table is
 * model_shape_foo_request.
 *
 * How members look in C (shapes.def has the list): a string is a struct mr_str with ptr NULL when absent;
 * numbers and booleans carry `set`; an enum is an int, 0 when absent; a structure is a pointer, NULL when
 * absent; a list has `set`, because an empty list is not an absent one. A zeroed struct has every member
 * absent.
 *
 * Everything here is thread-safe on different arenas.
 */
#ifndef MR_MODEL_MODEL_H
#define MR_MODEL_MODEL_H

#include "base/base.h"
#include "model/fault.h"

/* Which of the two APIs has an operation or a shape. */
enum model_api {
    MODEL_API_WRITE = 1,
    MODEL_API_QUERY = 2,
    MODEL_API_BOTH = 3,
};

struct model_i64 {
    bool set;
    int64_t v;
};

struct model_bool {
    bool set;
    bool v;
};

struct model_f64 {
    bool set;
    double v; /* a timestamp counts seconds since the epoch */
};

struct model_texts {
    struct mr_str *at;
    size_t len;
    bool set;
};

/* clang-format off */

/* enum model_<name> { MODEL_<NAME>_ABSENT, MODEL_<NAME>_<WORD>, ... } */
#define ENUMERATION(c, wire, api, prefix) enum model_##c { MODEL_##prefix##_ABSENT,
#define VALUE(prefix, word) MODEL_##prefix##_##word,
#define ENUMERATION_END(c) };
#include "model/enums.def"

/* struct model_<shape> and struct model_<shape>_list */
#define SHAPE(c, wire, api) \
    struct model_##c; \
    struct model_##c##_list { struct model_##c *at; size_t len; bool set; };
#include "model/shapes.def"

#define SHAPE(c, wire, api) struct model_##c {
#define TEXT(f, ...) struct mr_str f;
#define NAME(f, ...) struct mr_str f;
#define LONG(f, ...) struct model_i64 f;
#define INTEGER(f, ...) struct model_i64 f;
#define BOOLEAN(f, ...) struct model_bool f;
#define DOUBLE(f, ...) struct model_f64 f;
#define TIME(f, ...) struct model_f64 f;
#define ENUM(f, ...) int f;
#define STRUCT(f, wire, need, c, ...) struct model_##c *f;
#define LIST(f, wire, need, min, max, c, ...) struct model_##c##_list f;
#define TEXTS(f, ...) struct model_texts f;
#define SHAPE_END(c) };
#include "model/shapes.def"

/* clang-format on */

struct model_shape;
struct model_enum;

/* The tables: model_shape_<shape>, model_enum_<name>. */
#define SHAPE(c, wire, api) extern const struct model_shape model_shape_##c;
#include "model/shapes.def"
#define ENUMERATION(c, wire, api, prefix) extern const struct model_enum model_enum_##c;
#include "model/enums.def"

/* Operations, for a switch: MODEL_OP_CREATE_DATABASE, ... */
enum model_op {
    MODEL_OP_NONE,
#define OPERATION(name, ...) MODEL_OP_##name,
#include "model/operations.def"
    MODEL_OP_COUNT
};

struct model_operation {
    enum model_op op;
    enum model_api api;
    struct mr_str name; /* "CreateDatabase" */
    const struct model_shape *input;
    const struct model_shape *output; /* model_shape_none for operations that answer {} */
    uint32_t errors;                  /* bit (1u << MODEL_X) for every declared error */
    const char *summary;              /* one sentence, for the reference page */
};

/* The prefix of X-Amz-Target that both APIs share. */
#define MODEL_TARGET_PREFIX "Timestream_20181101."

/* By the value of X-Amz-Target, exactly "Timestream_20181101.<Name>", case included, or NULL. */
const struct model_operation *model_operation_find(struct mr_str target);
/* By number, MODEL_OP_NONE < op < MODEL_OP_COUNT. */
const struct model_operation *model_operation(enum model_op op);

/* The word of a value on the wire ("DOUBLE"); MR_STR_NULL for 0 and for values the enum does not have. */
struct mr_str model_enum_word(const struct model_enum *words, int value);
/* The value of a word, case-sensitive; 0 when the enum does not have it. */
int model_enum_find(const struct model_enum *words, struct mr_str word);

/* Decodes and validates a request. *out becomes a struct model_<shape> in the arena; its strings live as long
 * as the arena and do not point into `body`. The arena's limit bounds what a hostile body can make us hold
 * (at worst some 30 bytes of arena for a byte of body).
 *
 * - An empty body is {}. Unknown members are ignored at every depth; null is the same as absent; of a member
 * that comes twice the last one counts.
 * - MODEL_SERIALIZATION without a message: not JSON, not an object, nested deeper than 64, invalid UTF-8,
 * half of a surrogate pair, a number beyond 64 bits or the range of a double, wherever it stands.
 * - MODEL_SERIALIZATION with a text of write-api reference 1.6: a member of the wrong JSON type; a fraction,
 * or more than 32 bits for an INTEGER, where an integer belongs.
 * - MODEL_CONSTRAINT: one text for all constraints that fail, in the grammar of reference 1.7 and the order
 * of the model; the first ten of them, and the number in front counts those listed. Lengths of strings count
 * characters (code points), those of names count bytes. Values beyond 256 bytes are cut. Of a list that is
 * too long, only as many elements are decoded as are allowed.
 *
 * Returns MR_OK; MR_EINVAL with *fault set; MR_ENOMEM when the heap or the arena's limit refused. */
int model_decode(const struct model_shape *shape, struct mr_str body, struct mr_arena *arena, void **out,
                 struct model_fault *fault);

/* The same without validation, for a client that reads answers: constraints are the server's business, and a
 * word the enum does not know is 0. */
int model_decode_response(const struct model_shape *shape, struct mr_str body, struct mr_arena *arena,
                          void **out, struct model_fault *fault);

/* The same as model_decode with the input taken from a presigned URL (reference 2.3): the percent-encoded
 * query without '?'. Parameters that begin with X-Amz- are left out; strings, enums, integers and booleans
 * can be given, any other member is MODEL_SERIALIZATION. */
int model_decode_query(const struct model_shape *shape, struct mr_str query, struct mr_arena *arena,
                       void **out, struct model_fault *fault);

/* Appends compact JSON, members in the order of the model, absent ones left out, lists written when set.
 * Timestamps are seconds with at most three decimals, doubles as Java writes them ("100.0"). value may be
 * NULL for a shape without members. */
void model_encode(const struct model_shape *shape, const void *value, struct mr_buf *out);
/* The members alone, without braces: what a fault's `extra` holds. */
void model_encode_members(const struct model_shape *shape, const void *value, struct mr_buf *out);

/* docs/api.md, and the same tables as JSON for tools. */
void model_reference_markdown(struct mr_buf *out);
void model_reference_json(struct mr_buf *out);

#endif
