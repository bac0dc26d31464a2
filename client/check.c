/* Whether a request can be encoded at all: what would trip the encoder, or make a body that is no JSON, is
 * the caller's mistake and is said before anything is sent. Lengths, patterns and required members are the
 * service's business. */
#include "client/client.h"

static int bad(struct outcome *o, const struct model_shape *shape, const struct model_member *m,
               const char *what)
{
    return client_outcome_fail(o, MR_ERR_ARGUMENT, "%s.%s %s.", shape->name.ptr, m->name.ptr, what);
}

static bool text_good(struct mr_str text)
{
    return text.ptr == NULL || mr_utf8_valid(text);
}

static int check_texts(const struct model_shape *shape, const struct model_member *m,
                       const struct model_texts *list, struct outcome *o)
{
    if (list->set && list->len > 0 && list->at == NULL)
        return bad(o, shape, m, "is a list without elements behind it");
    for (size_t i = 0; list->set && i < list->len; i++)
        if (list->at[i].ptr == NULL || !text_good(list->at[i]))
            return bad(o, shape, m, "has an element that is absent or not UTF-8");
    return 0;
}

static int check_list(const struct model_shape *shape, const struct model_member *m,
                      const struct model_any_list *list, struct outcome *o)
{
    if (list->set && list->len > 0 && list->at == NULL)
        return bad(o, shape, m, "is a list without elements behind it");
    int rc = 0;
    for (size_t i = 0; rc == 0 && list->set && i < list->len; i++)
        rc = client_check(m->shape, (const char *)list->at + i * m->shape->size, o);
    return rc;
}

static int check_member(const struct model_shape *shape, const struct model_member *m, const void *field,
                        struct outcome *o)
{
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        return text_good(*(const struct mr_str *)field) ? 0 : bad(o, shape, m, "is not UTF-8");
    case MODEL_KIND_ENUM:
        if (*(const int *)field == 0 || model_enum_word(m->words, *(const int *)field).ptr != NULL)
            return 0;
        return bad(o, shape, m, "has a value that its enumeration does not have");
    case MODEL_KIND_STRUCT:
        return *(void *const *)field == NULL ? 0 : client_check(m->shape, *(void *const *)field, o);
    case MODEL_KIND_LIST:
        return check_list(shape, m, field, o);
    case MODEL_KIND_TEXTS:
        return check_texts(shape, m, field, o);
    default:
        return 0;
    }
}

/* Requests nest a few levels; only answers could nest without end. */
/* NOLINTNEXTLINE(misc-no-recursion) */
int client_check(const struct model_shape *shape, const void *value, struct outcome *o)
{
    if (shape->index->count > 0 && value == NULL)
        return client_outcome_fail(o, MR_ERR_ARGUMENT, "No %s given.", shape->name.ptr);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < shape->index->count; i++) {
        const struct model_member *m = &shape->index->members[i];
        rc = check_member(shape, m, (const char *)value + m->offset, o);
    }
    return rc;
}
