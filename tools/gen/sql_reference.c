/* tools/gen/sql_reference.c - prints docs/sql.md from the tables of src/sql.
 *
 *   ninja mr_sql_reference && src/sql/mr_sql_reference > docs/sql.md
 */
#include <stdio.h>

#include "sql/reference.h"

int main(void)
{
    struct mr_buf page = MR_BUF_INIT;
    sql_reference_markdown(&page);
    int failed =
        !mr_buf_ok(&page) || fwrite(page.ptr, 1, page.len, stdout) != page.len || fflush(stdout) != 0;
    mr_buf_release(&page);
    return failed;
}
