#include "model/names.h"

static bool reserved(struct mr_str name)
{
    return mr_str_eq(name, MR_STR("time")) || mr_str_starts(name, MR_STR("ts_")) ||
           mr_str_starts(name, MR_STR("measure_value")) || mr_str_starts(name, MR_STR("measure_name"));
}

static bool dimension_character(struct mr_str name, size_t at)
{
    unsigned char c = (unsigned char)name.ptr[at];
    struct mr_str here = mr_str_slice(name, at, at + 3);
    return c >= 0x20 && c != ':' && c != '"' && !mr_str_eq(here, MR_STR("\xE2\x80\xA8")) &&
           !mr_str_eq(here, MR_STR("\xE2\x80\xA9"));
}

enum model_name_fault model_dimension_name(struct mr_str name)
{
    if (name.len == 0 || name.len > MODEL_DIMENSION_NAME_MAX)
        return MODEL_NAME_LENGTH;
    if (reserved(name))
        return MODEL_NAME_RESERVED;
    for (size_t i = 0; i < name.len; i++)
        if (!dimension_character(name, i))
            return MODEL_NAME_CHARACTER;
    return MODEL_NAME_OK;
}

enum model_name_fault model_measure_name(struct mr_str name)
{
    if (name.len == 0 || name.len > MODEL_MEASURE_NAME_MAX)
        return MODEL_NAME_LENGTH;
    if (reserved(name))
        return MODEL_NAME_RESERVED;
    return mr_str_find(name, ':', 0) < name.len ? MODEL_NAME_CHARACTER : MODEL_NAME_OK;
}
