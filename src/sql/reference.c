/* sql/reference.c - prints docs/sql.md. */
#include "sql/reference.h"

#include "sql/bound.h"

static const struct {
    const char *name, *signature;
} specials[] = {
#define SQL_SPECIAL(name, check, signature) {#name, signature},
#define SQL_SYNTAX(name, signature) {#name, signature},
#include "sql/specials.def"
#undef SQL_SPECIAL
#undef SQL_SYNTAX
};

enum part { PART_SECTION, PART_ENTRY, PART_CLAUSE };

/* One line of the .def files; of a section the title is in `example.statement`. */
static const struct {
    enum part part;
    const char *text;
    struct sql_example example;
} parts[] = {
#define SQL_CLAUSE(grammar, text, statement, rows) {PART_CLAUSE, text, {NULL, "", statement, rows}},
#include "sql/clauses.def"
#undef SQL_CLAUSE
#define SQL_SECTION(title, text) {PART_SECTION, text, {NULL, "", title, ""}},
#define SQL_ENTRY(name, text, statement, rows) {PART_ENTRY, text, {#name, "SELECT ", statement, rows}},
#include "sql/reference.def"
#undef SQL_SECTION
#undef SQL_ENTRY
};

static const char *const grammars[] = {
#define SQL_CLAUSE(grammar, text, statement, rows) grammar,
#include "sql/clauses.def"
#undef SQL_CLAUSE
};

static const struct {
    const char *word;
    bool reserved;
} keywords[] = {
#define SQL_KEYWORD(word, reserved) {#word, reserved},
#include "sql/keywords.def"
#undef SQL_KEYWORD
};

const struct sql_example *sql_example_at(size_t i)
{
    for (size_t k = 0; k < MR_ARRAY_LEN(parts); k++) {
        if (parts[k].part != PART_SECTION && i-- == 0)
            return &parts[k].example;
    }
    return NULL;
}

static bool first_of_name(size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(function_at(k)->name, function_at(i)->name) == 0)
            return false;
    }
    for (size_t k = 0; k < MR_ARRAY_LEN(specials); k++) {
        if (strcmp(specials[k].name, function_at(i)->name) == 0)
            return false;
    }
    return true;
}

const char *sql_function_name(size_t i)
{
    if (i < MR_ARRAY_LEN(specials))
        return specials[i].name;
    i -= MR_ARRAY_LEN(specials);
    for (size_t k = 0; function_at(k) != NULL; k++) {
        if (first_of_name(k) && i-- == 0)
            return function_at(k)->name;
    }
    return NULL;
}

/* ---- the page ---- */

static void text(struct mr_buf *out, const char *s)
{
    mr_buf_str(out, mr_str_of(s));
}

/* In a cell of a table: a bar would end it. */
static void cell(struct mr_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '|')
            mr_buf_char(out, '\\');
        mr_buf_char(out, *s);
    }
}

static void code(struct mr_buf *out, const char *s)
{
    mr_buf_char(out, '`');
    cell(out, s);
    mr_buf_char(out, '`');
}

static void signatures(struct mr_buf *out, const char *name)
{
    const char *separator = "";
    for (size_t i = 0; i < MR_ARRAY_LEN(specials); i++) {
        if (strcmp(specials[i].name, name) == 0 && specials[i].signature[0] != '\0') {
            code(out, specials[i].signature);
            separator = "<br>";
        }
    }
    for (size_t i = 0; function_at(i) != NULL; i++) {
        if (strcmp(function_at(i)->name, name) != 0)
            continue;
        text(out, separator);
        mr_buf_char(out, '`');
        function_signature(function_at(i), out);
        text(out, " → ");
        function_result(function_at(i), out);
        mr_buf_char(out, '`');
        separator = "<br>";
    }
}

static void example(struct mr_buf *out, const struct sql_example *e)
{
    text(out, " | ");
    code(out, e->statement);
    text(out, " | ");
    if (e->rows[0] != '\0')
        code(out, e->rows);
    text(out, " |\n");
}

static void clauses(struct mr_buf *out)
{
    text(out, "## Clauses\n\n| clause | what it does | example | rows |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < MR_ARRAY_LEN(grammars); i++) {
        text(out, "| ");
        code(out, grammars[i]);
        text(out, " | ");
        cell(out, parts[i].text);
        example(out, &parts[i].example);
    }
}

static void functions(struct mr_buf *out)
{
    for (size_t i = MR_ARRAY_LEN(grammars); i < MR_ARRAY_LEN(parts); i++) {
        if (parts[i].part == PART_SECTION) {
            mr_buf_printf(out, "\n## %s\n\n", parts[i].example.statement);
            if (parts[i].text[0] != '\0')
                mr_buf_printf(out, "%s\n\n", parts[i].text);
            text(out, "| function | what it gives | example | value |\n| --- | --- | --- | --- |\n");
            continue;
        }
        text(out, "| ");
        signatures(out, parts[i].example.name);
        text(out, " | ");
        cell(out, parts[i].text);
        example(out, &parts[i].example);
    }
}

static void words(struct mr_buf *out, const char *title, bool reserved)
{
    size_t line = 0;
    mr_buf_printf(out, "\n## %s\n\n", title);
    for (size_t i = 0; i < MR_ARRAY_LEN(keywords); i++) {
        if (keywords[i].reserved != reserved)
            continue;
        size_t len = strlen(keywords[i].word);
        if (line > 0)
            mr_buf_char(out, line + len > 110 ? '\n' : ' ');
        line = line + len > 110 ? len : line + len + 1;
        text(out, keywords[i].word);
    }
    mr_buf_char(out, '\n');
}

static const char head[] =
    "# Timestream SQL\n\n"
    "Printed from the tables in `src/sql` by `mr_sql_reference`; a test holds the two together, and another "
    "runs\n"
    "every example. Do not edit this page. Deviations and choices stand in "
    "[compatibility.md](compatibility.md).\n\n"
    "## Statements\n\n"
    "| statement | what it does |\n| --- | --- |\n"
    "| `SELECT ...`, `WITH ... SELECT ...`, `VALUES ...` | a query, see [clauses](#clauses) |\n"
    "| `SHOW DATABASES [LIKE pattern [ESCAPE character]]` | the names of the databases |\n"
    "| `SHOW TABLES [FROM database] [LIKE pattern [ESCAPE character]]` | the names of the tables |\n"
    "| `SHOW MEASURES {FROM \\| IN} database.table [LIKE pattern [ESCAPE character]]` | measures, their "
    "types and "
    "dimensions |\n"
    "| `DESCRIBE database.table` | columns, their types and roles |\n"
    "| `UNLOAD (query) TO 's3://...' [WITH (option = value, ...)]` | checked, not run yet |\n"
    "| `EXPLAIN query` | how a query is understood and run; an extension |\n\n"
    "Statements only read. One trailing semicolon is fine; `--` and `/* */` are comments. Keywords and "
    "function\n"
    "names may be in any case; names of databases, tables and columns are exact, except that a column is "
    "also found\n"
    "when only its case differs. A table has two parts, `database.table`. Names with other characters, and "
    "reserved\n"
    "words as names, stand in double quotes.\n\n"
    "## Types\n\n"
    "| type | literal | text in results |\n| --- | --- | --- |\n"
    "| boolean | `true` | `true` |\n"
    "| integer, bigint | `42` | `42` |\n"
    "| double | `1.5`, `15e-1` | `1.5`, `1.0E10`, `NaN`, `Infinity` |\n"
    "| varchar | `'it''s'`, `U&'\\00e9'` | as it is |\n"
    "| date | `DATE '2024-02-29'` | `2024-02-29` |\n"
    "| time | `TIME '12:34'` | `12:34:00.000000000` |\n"
    "| timestamp | `TIMESTAMP '2024-02-29 12:34'` | `2024-02-29 12:34:00.000000000` |\n"
    "| interval day to second | `15m`, `1d`, `INTERVAL '2' HOUR`, `INTERVAL '1 6' DAY TO HOUR` | `1 "
    "06:00:00.000000000` |\n"
    "| interval year to month | `3month`, `INTERVAL '1' YEAR`, `INTERVAL '1-6' YEAR TO MONTH` | `1-6` |\n"
    "| array(T) | `ARRAY[1, 2]` | nested |\n"
    "| row(T, ...) | `ROW(1, 'a')`, `(1, 'a')` | nested |\n"
    "| timeseries(T) | – | nested |\n"
    "| unknown | `NULL` | – |\n\n"
    "A type before text is a cast: `BIGINT '12'`. Units of short intervals: `ns us ms s m h d` and "
    "`nanosecond\n"
    "microsecond millisecond second minute hour day month year` or `y`.\n\n";

void sql_reference_markdown(struct mr_buf *out)
{
    text(out, head);
    clauses(out);
    functions(out);
    words(out, "Reserved words", true);
    words(out, "Words with a meaning that may be names", false);
}
