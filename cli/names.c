/* Names and texts as they stand in a statement. */
#include "cli/cli.h"

static void quote(struct mr_buf *sql, const char *text, char mark)
{
    mr_buf_char(sql, mark);
    for (; *text != '\0'; text++) {
        if (*text == mark)
            mr_buf_char(sql, mark);
        mr_buf_char(sql, *text);
    }
    mr_buf_char(sql, mark);
}

void cli_quote_text(struct mr_buf *sql, const char *text)
{
    quote(sql, text, '\'');
}

void cli_table_name(struct mr_buf *sql, const struct cli *cli)
{
    quote(sql, cli->database, '"');
    mr_buf_char(sql, '.');
    quote(sql, cli->table, '"');
}
