/* cli/columns.h - what the columns of a table, a CSV file or a Parquet file are to a record. */
#ifndef MR_CLI_COLUMNS_H
#define MR_CLI_COLUMNS_H

#include "cli/cli.h"

enum cli_role {
    CLI_NO_ROLE, /* left out */
    CLI_DIMENSION,
    CLI_MEASURE_NAME,
    CLI_TIME,
    CLI_VALUE, /* measure_value::<type>: the value of a single-measure record */
    CLI_MULTI, /* an attribute of multi-measure records */
};

struct cli_column {
    enum cli_role role;
    struct mr_str name; /* of the dimension or measure */
    enum mr_measure_value_type type;
    int64_t unit_ns; /* of times that are numbers */
};

struct cli_columns {
    struct mr_arena arena;
    struct cli_column *at;
    size_t len;
    struct mr_text measure_name;     /* of records without a column for it; ptr NULL: none */
    struct mr_dimension *dimensions; /* room for the lists of one record */
    struct mr_measure_value *values;
};

/* A column as a file has it. */
struct cli_named {
    struct mr_str name;
    enum mr_scalar_type type; /* MR_SCALAR_TYPE_ABSENT: the file does not say */
    bool ns; /* its times, if the type says they are, are nanoseconds whatever --time-unit says */
};

/* Gives each column its role. In this order decide: the options (--time, --measure-name-column, --dimensions,
 * --measures), the form that `export --output-format csv` writes ("host:dimension", "load:double"), the names
 * that a table gives ("time", "measure_name", "measure_value::double"), and the type: text is a dimension,
 * any other scalar a measure. A column without any of these is left out. CLI_OK, or CLI_USAGE with a word on
 * standard error. */
int cli_columns_plan(struct cli_columns *c, struct cli *cli, const struct cli_named *names, size_t n);
/* One line for people: which columns are what. */
void cli_columns_tell(const struct cli_columns *c, FILE *out);
/* The record of one row. Cells with ptr NULL or without a byte are absent. Texts point into the cells or into
 * the arena. false with *why when it makes no record. */
bool cli_columns_record(struct cli_columns *c, const struct mr_str *cells, struct mr_arena *arena,
                        struct mr_record *record, const char **why);
void cli_columns_release(struct cli_columns *c);

/* "double" to the type; MR_MEASURE_VALUE_TYPE_ABSENT for none. */
enum mr_measure_value_type cli_type_of(struct mr_str word);
const char *cli_type_word(enum mr_measure_value_type type);
/* A whole number in the unit, or "2026-01-02 03:04:05.123456789" with a T between and a Z behind allowed. */
bool cli_time_ns(struct mr_str text, int64_t unit_ns, int64_t *ns);

#endif
