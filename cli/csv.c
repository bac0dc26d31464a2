#include "cli/csv.h"

enum {
    AT_START, /* of a cell */
    PLAIN,
    QUOTED,
    AFTER_QUOTE, /* the closing one, or the first of two */
    ESCAPED,     /* outside quotes */
    ESCAPED_QUOTED,
};

static void end_cell(struct cli_csv *csv)
{
    if (csv->len == CLI_CSV_COLUMNS) {
        csv->broken = true;
        csv->why = "the row has more than 2048 cells";
        return;
    }
    csv->ends[csv->len++] = csv->text.len;
    csv->state = AT_START;
}

/* A carriage return before the end of a line belongs to it, unless it was quoted. */
static void end_row(struct cli_csv *csv)
{
    if (csv->state == PLAIN && csv->text.len > 0 && csv->text.ptr[csv->text.len - 1] == '\r')
        csv->text.len--;
    end_cell(csv);
}

static void plain(struct cli_csv *csv, char c)
{
    if (c == csv->delimiter)
        end_cell(csv);
    else if (csv->escape == (unsigned char)c)
        csv->state = ESCAPED;
    else {
        mr_buf_char(&csv->text, c);
        csv->state = PLAIN;
    }
}

static void step(struct cli_csv *csv, char c)
{
    switch (csv->state) {
    case AT_START:
        if (c == '"')
            csv->state = QUOTED;
        else
            plain(csv, c);
        return;
    case PLAIN:
        plain(csv, c);
        return;
    case QUOTED:
        if (csv->escape == (unsigned char)c)
            csv->state = ESCAPED_QUOTED;
        else if (c == '"')
            csv->state = AFTER_QUOTE;
        else
            mr_buf_char(&csv->text, c);
        return;
    case AFTER_QUOTE:
        if (c == '"') {
            mr_buf_char(&csv->text, c);
            csv->state = QUOTED;
        } else if (c == csv->delimiter) {
            end_cell(csv);
        } else if (c != '\r') {
            csv->broken = true;
            csv->why = "something follows a closing quote";
        }
        return;
    default:
        mr_buf_char(&csv->text, c);
        csv->state = csv->state == ESCAPED ? PLAIN : QUOTED;
        return;
    }
}

static bool begin(struct cli_csv *csv)
{
    if (csv->ends == NULL)
        csv->ends = mr_calloc(CLI_CSV_COLUMNS, sizeof *csv->ends);
    if (csv->ends == NULL)
        return false;
    csv->raw.len = csv->text.len = csv->len = 0;
    csv->state = AT_START;
    csv->begun = true;
    csv->broken = false;
    csv->why = NULL;
    return true;
}

static enum cli_csv_result stop(struct cli_csv *csv, const char *why)
{
    csv->begun = false;
    csv->why = why;
    return CLI_CSV_STOP;
}

enum cli_csv_result cli_csv_feed(struct cli_csv *csv, struct mr_str line)
{
    if (!csv->begun && !begin(csv))
        return stop(csv, "out of memory");
    mr_buf_str(&csv->raw, line);
    bool ended = line.len > 0 && line.ptr[line.len - 1] == '\n';
    for (size_t i = 0; i < line.len - ended && !csv->broken; i++)
        step(csv, line.ptr[i]);
    bool inside = csv->state == QUOTED || csv->state == ESCAPED_QUOTED || csv->state == ESCAPED;
    if (!csv->broken && ended && inside) {
        mr_buf_char(&csv->text, '\n');
        csv->state = csv->state == ESCAPED ? PLAIN : QUOTED;
    } else if (!csv->broken && !ended && inside) {
        csv->broken = true;
        csv->why = "the file ends inside a quote";
    } else if (!csv->broken) {
        end_row(csv);
        inside = false;
    }
    if (!mr_buf_ok(&csv->raw) || !mr_buf_ok(&csv->text))
        return stop(csv, "out of memory");
    if (!csv->broken && ended && inside)
        return csv->raw.len <= CLI_CSV_BYTES
                   ? CLI_CSV_MORE
                   : stop(csv, "a row is longer than 4 MiB: a quote that is not closed?");
    csv->begun = false;
    return csv->broken ? CLI_CSV_BAD : CLI_CSV_ROW;
}

struct mr_str cli_csv_cell(const struct cli_csv *csv, size_t i)
{
    size_t from = i > 0 ? csv->ends[i - 1] : 0;
    return mr_str_slice(mr_buf_view(&csv->text), from, csv->ends[i]);
}

void cli_csv_release(struct cli_csv *csv)
{
    mr_buf_release(&csv->raw);
    mr_buf_release(&csv->text);
    mr_free(csv->ends);
    csv->ends = NULL;
}
