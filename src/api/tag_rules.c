#include "api/tag_rules.h"

/* Letters of any script, digits, space and + - = . _ : / @. Telling letters from other signs beyond ASCII
 * would take tables of Unicode; there only what is surely no letter is refused: the control characters U+0080
 * to U+009F. */
static bool good_characters(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == 0xC2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] < 0xA0)
            return false;
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!word && (c == '\0' || strchr(" +-=._:/@", c) == NULL))
            return false;
    }
    return true;
}

static bool is_reserved(struct mr_str key)
{
    return mr_str_ieq(mr_str_slice(key, 0, 4), MR_STR("aws:"));
}

static bool given_before(const struct model_tag_list *tags, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (mr_str_eq(tags->at[i].key, tags->at[at].key))
            return true;
    return false;
}

int api_tags_check(struct api_call *call, const struct model_tag_list *tags, struct mr_pair **pairs,
                   struct model_fault *fault)
{
    *pairs = MR_ARENA_ARRAY(call->arena, tags->len + 1, struct mr_pair);
    if (*pairs == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < tags->len; i++) {
        const struct model_tag *tag = &tags->at[i];
        if (is_reserved(tag->key))
            return model_fail(fault, MODEL_VALIDATION, call->arena,
                              "Tag keys that begin with aws: are reserved for system use: " MR_STR_FMT,
                              MR_STR_ARG(tag->key));
        if (!good_characters(tag->key) || !good_characters(tag->value))
            return model_fail(
                fault, MODEL_VALIDATION, call->arena,
                "Tag keys and values may hold letters, digits, spaces and + - = . _ : / @ only.");
        if (given_before(tags, i))
            return model_fail(fault, MODEL_VALIDATION, call->arena,
                              "The tag key " MR_STR_FMT " is given twice.", MR_STR_ARG(tag->key));
        (*pairs)[i] = (struct mr_pair){tag->key, tag->value};
    }
    return MR_OK;
}

int api_tags_too_many(struct api_call *call, struct model_fault *fault)
{
    return model_fail(fault, MODEL_QUOTA, call->arena, "A resource may have %d tags at most.",
                      API_TAGS_PER_RESOURCE);
}
