/* Booleans as bits, strings as a dictionary or as they are. */
#include "magstore/scratch.h"

#include "base/cursor.h"
#include "base/hash.h"

int magstore_encode_bool(struct magstore_scratch *s, const uint8_t *values, size_t n, struct mr_buf *out)
{
    MR_ASSERT(n <= MAGSTORE_MAX_VALUES);
    for (size_t i = 0; i < n; i++)
        s->residuals[i] = values[i] != 0;
    struct mr_buf bits = MR_BUF_INIT;
    magstore_pack(s->residuals, n, 1, &bits);
    int status = mr_buf_ok(&bits) ? magstore_squeeze(s, MAGSTORE_TEXTS, bits.ptr, bits.len, out) : MR_ENOMEM;
    mr_buf_release(&bits);
    return status;
}

int magstore_decode_bool(struct magstore_scratch *s, struct mr_str bytes, uint8_t *values, size_t n)
{
    if (n > MAGSTORE_MAX_VALUES)
        return MR_ECORRUPT;
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    if (magstore_unsqueeze(s, &c, s->symbols, (n + 7) / 8) != MR_OK)
        return MR_ECORRUPT;
    for (size_t i = 0; i < n; i++)
        values[i] = s->symbols[i / 8] >> (i % 8) & 1;
    return MR_OK;
}

/* First byte of a string column. */
enum { PLAIN = 0, DICTIONARY = 1 };

/* Gives every value the number of its first appearance; codes[0, n), an open-addressed table behind them.
 * Returns the number of distinct values, or SIZE_MAX when there are more than `most`. */
static size_t number_values(struct magstore_scratch *s, const struct mr_str *values, size_t n,
                            uint32_t *firsts, size_t most)
{
    size_t slots = 1;
    while (slots < most * 2)
        slots *= 2;
    uint32_t *table = mr_calloc(slots, sizeof *table); /* position in firsts + 1 */
    if (table == NULL)
        return SIZE_MAX;
    uint64_t seed = mr_hash_seed();
    size_t distinct = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = mr_hash64(values[i].ptr, values[i].len, seed) & (slots - 1);
        while (table[at] != 0 && !mr_str_eq(values[firsts[table[at] - 1]], values[i]))
            at = (at + 1) & (slots - 1);
        if (table[at] == 0) {
            if (distinct == most) {
                distinct = SIZE_MAX;
                break;
            }
            firsts[distinct++] = (uint32_t)i;
            table[at] = (uint32_t)distinct;
        }
        s->numbers[i] = (int64_t)table[at] - 1;
    }
    mr_free(table);
    return distinct;
}

/* Lengths as an integer column behind its size, then the bytes, squeezed. Uses s->numbers. */
static int write_texts(struct magstore_scratch *s, const struct mr_str *values, const uint32_t *pick,
                       size_t n, struct mr_buf *out)
{
    struct mr_buf lengths = MR_BUF_INIT, text = MR_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        struct mr_str v = values[pick != NULL ? pick[i] : i];
        s->numbers[i] = (int64_t)v.len;
        mr_buf_str(&text, v);
    }
    int status = magstore_encode_i64(s, s->numbers, n, &lengths);
    mr_buf_varint(out, lengths.len);
    mr_buf_str(out, mr_buf_view(&lengths));
    if (status == MR_OK)
        status = mr_buf_ok(&text) && mr_buf_ok(&lengths)
                     ? magstore_squeeze(s, MAGSTORE_TEXTS, mr_buf_view(&text).ptr, text.len, out)
                     : MR_ENOMEM;
    mr_buf_release(&lengths);
    mr_buf_release(&text);
    return status;
}

int magstore_encode_str(struct magstore_scratch *s, const struct mr_str *values, size_t n, struct mr_buf *out)
{
    MR_ASSERT(n <= MAGSTORE_MAX_VALUES);
    if (n == 0)
        return MR_OK;
    size_t distinct = number_values(s, values, n, s->codes, n / 2 + 1);
    if (distinct == SIZE_MAX) {
        mr_buf_char(out, PLAIN);
        return write_texts(s, values, NULL, n, out);
    }
    struct mr_buf codes = MR_BUF_INIT;
    int status = magstore_encode_i64(s, s->numbers, n, &codes);
    mr_buf_char(out, DICTIONARY);
    mr_buf_varint(out, distinct);
    mr_buf_varint(out, codes.len);
    mr_buf_str(out, mr_buf_view(&codes));
    if (status == MR_OK)
        status = mr_buf_ok(&codes) ? write_texts(s, values, s->codes, distinct, out) : MR_ENOMEM;
    mr_buf_release(&codes);
    return status;
}

static int read_texts(struct magstore_scratch *s, struct mr_cursor *c, size_t most, struct mr_arena *arena,
                      struct mr_str *values, size_t n)
{
    struct mr_str lengths = mr_cursor_bytes(c, mr_cursor_varint(c));
    if (c->bad || magstore_decode_i64(s, lengths, s->numbers, n) != MR_OK)
        return MR_ECORRUPT;
    size_t total = magstore_squeezed_length(*c);
    if (total > most)
        return MR_ECORRUPT;
    char *text = mr_arena_alloc(arena, total + 1);
    if (text == NULL)
        return MR_ENOMEM;
    if (magstore_unsqueeze(s, c, text, total) != MR_OK)
        return MR_ECORRUPT;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->numbers[i] < 0 || (uint64_t)s->numbers[i] > total - at)
            return MR_ECORRUPT;
        values[i] = (struct mr_str){text + at, (size_t)s->numbers[i]};
        at += (size_t)s->numbers[i];
    }
    return at == total ? MR_OK : MR_ECORRUPT;
}

int magstore_decode_str(struct magstore_scratch *s, struct mr_str bytes, size_t most, struct mr_arena *arena,
                        struct mr_str *values, size_t n)
{
    if (n == 0)
        return MR_OK;
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    uint8_t kind = mr_cursor_u8(&c);
    if (c.bad || n > MAGSTORE_MAX_VALUES || kind > DICTIONARY)
        return MR_ECORRUPT;
    if (kind == PLAIN)
        return read_texts(s, &c, most, arena, values, n);
    uint64_t distinct = mr_cursor_varint(&c);
    struct mr_str codes = mr_cursor_bytes(&c, mr_cursor_varint(&c));
    if (c.bad || distinct == 0 || distinct > n || magstore_decode_i64(s, codes, s->numbers, n) != MR_OK)
        return MR_ECORRUPT;
    for (size_t i = 0; i < n; i++) {
        if (s->numbers[i] < 0 || (uint64_t)s->numbers[i] >= distinct)
            return MR_ECORRUPT;
        s->codes[i] = (uint32_t)s->numbers[i];
    }
    struct mr_str *dictionary = MR_ARENA_ARRAY(arena, distinct, struct mr_str);
    if (dictionary == NULL)
        return MR_ENOMEM;
    int status = read_texts(s, &c, most, arena, dictionary, distinct);
    for (size_t i = 0; status == MR_OK && i < n; i++)
        values[i] = dictionary[s->codes[i]];
    return status;
}
