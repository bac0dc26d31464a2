/* Column names refused in AWS's words; the rules are model/names.h. */
#include "ingest/parts.h"

#include "model/names.h"

static int refuse(struct ingest_work *w, const char *kind, enum model_name_fault why, struct mr_str name,
                  const char *length_rule, const char *character_rule)
{
    switch (why) {
    case MODEL_NAME_OK:
        return MR_OK;
    case MODEL_NAME_LENGTH:
        return model_fail(w->fault, MODEL_VALIDATION, w->arena, "The %s name is invalid. %s", kind,
                          length_rule);
    case MODEL_NAME_RESERVED:
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The %s name is invalid. '" MR_STR_FMT "' is a reserved name or prefix.", kind,
                          MR_STR_ARG(name));
    case MODEL_NAME_CHARACTER:
        break;
    }
    return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                      "The %s name is invalid. '" MR_STR_FMT "' contains %s.", kind, MR_STR_ARG(name),
                      character_rule);
}

int ingest_check_dimension_name(struct ingest_work *w, struct mr_str name)
{
    return refuse(w, "dimension", model_dimension_name(name), name,
                  "A dimension name must have 1 to 60 bytes.",
                  "a colon, a double quote or a control character");
}

int ingest_check_measure_name(struct ingest_work *w, struct mr_str name)
{
    return refuse(w, "measure", model_measure_name(name), name, "A measure name must have 1 to 256 bytes.",
                  "a colon");
}
