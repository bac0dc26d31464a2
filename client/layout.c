/* The structs of millrace.h are those of the model, name for name: their layout is asserted here, so that
 * both can point to the same bytes. */
#include "client/client.h"

_Static_assert(sizeof(struct mr_text) == sizeof(struct mr_str), "text");
_Static_assert(sizeof(struct mr_texts) == sizeof(struct model_texts), "texts");
_Static_assert(sizeof(struct mr_int) == sizeof(struct model_i64), "int");
_Static_assert(sizeof(struct mr_bool) == sizeof(struct model_bool), "bool");
_Static_assert(sizeof(struct mr_double) == sizeof(struct model_f64), "double");
_Static_assert(sizeof(enum mr_time_unit) == sizeof(int), "enumerations are stored as int");

/* clang-format off */
/* Shapes that are not in the header and have members. */
struct mr_rejected_records { struct mr_rejected_record_list rejected_records; };
struct mr_scheduled_query_not_found { struct mr_text scheduled_query_arn; };

/* The shape at hand cannot be handed from macro to macro, so each one is a function with a typedef of its own. */
#define SHAPE(c, wire, api) \
    __attribute__((unused)) static inline void layout_##c(void) \
    { \
        typedef struct model_##c model __attribute__((unused)); \
        typedef struct mr_##c mine __attribute__((unused));
#define FIELD(f, ...) \
        _Static_assert(offsetof(mine, f) == offsetof(model, f), #f); \
        _Static_assert(sizeof(((mine *)0)->f) == sizeof(((model *)0)->f), #f); \
        _Static_assert(sizeof(mine) == sizeof(model), #f);
#define TEXT FIELD
#define NAME FIELD
#define LONG FIELD
#define INTEGER FIELD
#define BOOLEAN FIELD
#define DOUBLE FIELD
#define TIME FIELD
#define ENUM FIELD
#define STRUCT FIELD
#define LIST FIELD
#define TEXTS FIELD
#define SHAPE_END(c) }
#include "model/shapes.def"
/* clang-format on */
