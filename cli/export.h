/* cli/export.h - rows of a table as text that `import` reads. Private to export.c and export_form.c. */
#ifndef MR_CLI_EXPORT_H
#define MR_CLI_EXPORT_H

#include "cli/columns.h"

enum export_form { EXPORT_JSON, EXPORT_CSV, EXPORT_LINE };

/* The columns of a table, as DESCRIBE tells them. Starts zeroed. */
struct export_table {
    struct mr_arena arena;
    struct cli_column *at;
    size_t len;
};

/* What comes first in the file; nothing but for CSV. */
void export_head(const struct export_table *t, enum export_form form, struct mr_buf *out);
/* The row that `rows` is at, with the end of its line. MR_OK, MR_ENOMEM. */
int export_row(const struct export_table *t, enum export_form form, const struct mr_rows *rows,
               struct mr_arena *arena, struct mr_buf *out);

#endif
