/* fuzz/cli_csv.c - rows of CSV, with an escape character and without. What was read is written again by the
 * rules of RFC 4180 and must be read as the same cells. */
#include "cli/csv.h"

static struct mr_str next_line(struct mr_str *rest)
{
    size_t end = mr_str_find(*rest, '\n', 0);
    struct mr_str line = mr_str_slice(*rest, 0, end < rest->len ? end + 1 : end);
    *rest = mr_str_slice(*rest, line.len, rest->len);
    return line;
}

static void print_row(const struct cli_csv *csv, struct mr_buf *out)
{
    for (size_t i = 0; i < csv->len; i++) {
        struct mr_str cell = cli_csv_cell(csv, i);
        mr_buf_str(out, i > 0 ? MR_STR(",\"") : MR_STR("\""));
        for (size_t j = 0; j < cell.len; j++) {
            if (cell.ptr[j] == '"')
                mr_buf_char(out, '"');
            mr_buf_char(out, cell.ptr[j]);
        }
        mr_buf_char(out, '"');
    }
    mr_buf_char(out, '\n');
}

static void check_row(const struct cli_csv *csv)
{
    struct cli_csv again = {.delimiter = ',', .escape = -1};
    struct mr_buf text = MR_BUF_INIT;
    enum cli_csv_result result = CLI_CSV_MORE;
    print_row(csv, &text);
    struct mr_str rest = mr_buf_view(&text);
    while (result == CLI_CSV_MORE && rest.len > 0)
        result = cli_csv_feed(&again, next_line(&rest));
    MR_ASSERT(result == CLI_CSV_ROW && rest.len == 0 && again.len == csv->len);
    for (size_t i = 0; i < csv->len; i++)
        MR_ASSERT(mr_str_eq(cli_csv_cell(csv, i), cli_csv_cell(&again, i)));
    cli_csv_release(&again);
    mr_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str rest = {(const char *)data, size};
    struct cli_csv csv = {.delimiter = ',', .escape = size % 2 == 0 ? '\\' : -1};
    enum cli_csv_result result = CLI_CSV_ROW;
    while (result != CLI_CSV_STOP && (rest.len > 0 || csv.begun)) {
        result = cli_csv_feed(&csv, next_line(&rest));
        MR_ASSERT((result == CLI_CSV_BAD || result == CLI_CSV_STOP) == (csv.why != NULL));
        if (result == CLI_CSV_ROW)
            check_row(&csv);
    }
    cli_csv_release(&csv);
    return 0;
}
