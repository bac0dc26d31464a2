/* Column names: reference 4.3. The page gives two slightly different lists of refused prefixes; all are
 * refused. */
#include "ingest/parts.h"

static bool reserved(struct mr_str name)
{
    return mr_str_eq(name, MR_STR("time")) || mr_str_eq(name, MR_STR("ts_non_existent_col")) ||
           mr_str_starts(name, MR_STR("ts_")) || mr_str_starts(name, MR_STR("measure_value")) ||
           mr_str_starts(name, MR_STR("measure_name"));
}

/* ':' for every name; '"', control characters and the two line separators for dimensions. */
static bool bad_character(struct mr_str name, bool dimension)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c == ':')
            return true;
        if (!dimension)
            continue;
        if (c == '"' || c < 0x20)
            return true;
        if (c == 0xE2 && i + 2 < name.len && (unsigned char)name.ptr[i + 1] == 0x80 &&
            ((unsigned char)name.ptr[i + 2] | 1) == 0xA9) /* U+2028, U+2029 */
            return true;
    }
    return false;
}

int ingest_check_dimension_name(struct ingest_work *w, struct mr_str name)
{
    if (name.len == 0 || name.len > INGEST_MAX_DIMENSION_NAME)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The dimension name is invalid. A dimension name must have 1 to 60 bytes.");
    if (reserved(name))
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The dimension name is invalid. '" MR_STR_FMT "' is a reserved name or prefix.",
                          MR_STR_ARG(name));
    if (bad_character(name, true))
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The dimension name is invalid. '" MR_STR_FMT
                          "' contains a colon, a double quote or a control character.",
                          MR_STR_ARG(name));
    return MR_OK;
}

int ingest_check_measure_name(struct ingest_work *w, struct mr_str name)
{
    if (name.len == 0 || name.len > INGEST_MAX_MEASURE_NAME)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The measure name is invalid. A measure name must have 1 to 256 bytes.");
    if (reserved(name))
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The measure name is invalid. '" MR_STR_FMT "' is a reserved name or prefix.",
                          MR_STR_ARG(name));
    if (bad_character(name, false))
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The measure name is invalid. '" MR_STR_FMT "' contains a colon.",
                          MR_STR_ARG(name));
    return MR_OK;
}
