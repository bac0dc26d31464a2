/* Date formats and regular expressions are written by callers: pattern, a newline, and the text to read.
 * Besides not crashing: output stays in proportion to the pattern, and reading never goes past the text. */
#include "engine/format.h"
#include "engine/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct mr_str pattern, int64_t ts)
{
    struct mr_buf out = MR_BUF_INIT;
    struct mr_str bad;

    format_mysql_print(ts, pattern, &out, &bad);
    MR_ASSERT(out.len <= pattern.len * 16 + 16);
    out.len = 0;
    format_joda_print(ts, pattern, &out, &bad);
    MR_ASSERT(out.len <= pattern.len * 128 + 32);
    mr_buf_release(&out);
}

static void read(struct mr_str pattern, struct mr_str text)
{
    enum format_result (*const readers[])(struct format_input *, struct mr_str,
                                          struct mr_str *) = {format_mysql_read, format_joda_read};
    for (size_t i = 0; i < MR_ARRAY_LEN(readers); i++) {
        struct format_input in;
        struct mr_str bad = MR_STR_NULL;
        int64_t ts = 0;
        format_input_init(&in, text);
        enum format_result result = readers[i](&in, pattern, &bad);
        MR_ASSERT(in.at <= text.len);
        MR_ASSERT(result != FORMAT_BAD_PATTERN || bad.ptr != NULL);
        if (result == FORMAT_OK && format_resolve(&in, &ts))
            print(pattern, ts);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str input = {(const char *)data, size};
    struct mr_str pattern = mr_str_slice(input, 0, mr_str_find(input, '\n', 0));
    struct mr_str text = mr_str_slice(input, pattern.len + 1, size);
    struct mr_buf java = MR_BUF_INIT;
    int64_t ts = 0;

    if (text.ptr == NULL)
        text = MR_STR("");
    memcpy(&ts, data, size < sizeof(ts) ? size : sizeof(ts));
    read(pattern, text);
    print(pattern, ts);
    regex_from_java(pattern, &java);
    MR_ASSERT(java.len <= pattern.len * 8 + 16);
    mr_buf_release(&java);
    return 0;
}
