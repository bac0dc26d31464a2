#include "magstore/strings.h"

#include "base/cursor.h"
#include "base/hash.h"

void magstore_strings_release(struct magstore_strings *s)
{
    mr_buf_release(&s->bytes);
    mr_free(s->starts);
    mr_free(s->slots);
    *s = (struct magstore_strings){.bytes = MR_BUF_INIT};
}

static struct mr_str string_at(const struct magstore_strings *s, size_t number)
{
    struct mr_cursor c = mr_cursor_of(s->bytes.ptr + s->starts[number], s->bytes.len - s->starts[number]);
    return mr_cursor_bytes(&c, mr_cursor_varint(&c));
}

static size_t slot_of(const struct magstore_strings *s, const uint32_t *slots, size_t nslots, struct mr_str v)
{
    size_t at = mr_hash64(v.ptr, v.len, mr_hash_seed()) & (nslots - 1);
    while (slots[at] != 0 && !mr_str_eq(string_at(s, slots[at] - 1), v))
        at = (at + 1) & (nslots - 1);
    return at;
}

static int widen(struct magstore_strings *s)
{
    size_t nslots = s->nslots == 0 ? 64 : s->nslots * 2;
    uint32_t *slots = mr_calloc(nslots, sizeof *slots);
    if (slots == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        slots[slot_of(s, slots, nslots, string_at(s, i))] = (uint32_t)i + 1;
    mr_free(s->slots);
    s->slots = slots;
    s->nslots = nslots;
    return MR_OK;
}

int magstore_strings_add(struct magstore_strings *s, struct mr_str v, uint32_t *number)
{
    if (s->count * 2 >= s->nslots && widen(s) != MR_OK)
        return MR_ENOMEM;
    size_t at = slot_of(s, s->slots, s->nslots, v);
    if (s->slots[at] == 0) {
        if (mr_grow((void **)&s->starts, &s->starts_cap, s->count + 1, sizeof *s->starts) != MR_OK)
            return MR_ENOMEM;
        s->starts[s->count] = s->bytes.len;
        mr_buf_varint(&s->bytes, v.len);
        mr_buf_str(&s->bytes, v);
        if (!mr_buf_ok(&s->bytes))
            return MR_ENOMEM;
        s->slots[at] = (uint32_t)++s->count;
    }
    *number = s->slots[at] - 1;
    return MR_OK;
}
