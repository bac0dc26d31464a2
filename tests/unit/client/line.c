/* The Influx line protocol of `millrace write`, and rows as tables, CSV and JSON. */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>

#include "lib/check.h"
#include "model/model.h"

/* The record as JSON, or "error: why", or "" for a line that holds none. */
static void check_line(const char *line, const char *want)
{
    struct mr_arena arena = {.limit = 1 << 24};
    struct mr_record record;
    struct mr_buf got = MR_BUF_INIT;
    const char *why = "";
    if (!cli_line(mr_str_of(line), 77, &arena, &record, &why))
        mr_buf_printf(&got, "error: %s", why);
    else if (record.measure_name.ptr != NULL)
        model_encode(&model_shape_record, &record, &got);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
    mr_arena_release(&arena);
}

#define TAIL(time) ",\"Time\":\"" time "\",\"TimeUnit\":\"NANOSECONDS\""

static void test_lines(void **state)
{
    (void)state;
    check_line("", "");
    check_line("   ", "");
    check_line("# cpu,host=a load=1 5", "");
    check_line("cpu load=1 5", "{\"MeasureName\":\"cpu\",\"MeasureValueType\":\"MULTI\"" TAIL(
                                   "5") ",\"MeasureValues\":["
                                        "{\"Name\":\"load\",\"Value\":\"1\",\"Type\":\"DOUBLE\"}]}");
    check_line("cpu load=1", "{\"MeasureName\":\"cpu\",\"MeasureValueType\":\"MULTI\"" TAIL(
                                 "77") ",\"MeasureValues\":["
                                       "{\"Name\":\"load\",\"Value\":\"1\",\"Type\":\"DOUBLE\"}]}");
    check_line(
        "c\\ p\\,u,ho\\=st=a\\ b,z=\xc3\xa9 up=t,down=FALSE,n=-7i,u=8u,s=\"x \\\"y\\\" , = \\\\\" -9",
        "{\"Dimensions\":[{\"Name\":\"ho=st\",\"Value\":\"a b\"},{\"Name\":\"z\",\"Value\":\"\xc3\xa9\"}],"
        "\"MeasureName\":\"c p,u\",\"MeasureValueType\":\"MULTI\"" TAIL(
            "-9") ",\"MeasureValues\":["
                  "{\"Name\":\"up\",\"Value\":\"true\",\"Type\":\"BOOLEAN\"},"
                  "{\"Name\":\"down\",\"Value\":\"false\",\"Type\":\"BOOLEAN\"},"
                  "{\"Name\":\"n\",\"Value\":\"-7\",\"Type\":\"BIGINT\"},{\"Name\":\"u\",\"Value\":\"8\","
                  "\"Type\":\"BIGINT\"},"
                  "{\"Name\":\"s\",\"Value\":\"x \\\"y\\\" , = \\\\\",\"Type\":\"VARCHAR\"}]}");
    check_line("cpu", "error: there are no fields");
    check_line("cpu,host load=1", "error: a tag has no value");
    check_line("cpu,host= load=1", "error: a name or a value is empty");
    check_line("cpu,=a load=1", "error: a name or a value is empty");
    check_line(",a=b load=1", "error: a name or a value is empty");
    check_line("cpu load", "error: a field has no value");
    check_line("cpu load=", "error: a name or a value is empty");
    check_line("cpu load=1,", "error: a name or a value is empty");
    check_line("cpu s=\"x", "error: a string has no end");
    check_line("cpu s=\"\"", "error: an empty string, which Timestream does not take");
    check_line("cpu s=\"x\"y 5", "error: something follows the fields");
    check_line("cpu load=1 soon", "error: the timestamp is no number of nanoseconds");
    check_line("cpu load=1 5 6", "error: the timestamp is no number of nanoseconds");
}

static void test_long_lines(void **state)
{
    (void)state;
    struct mr_buf line = MR_BUF_INIT;
    struct mr_arena arena = {.limit = 1 << 24};
    struct mr_record record;
    const char *why = "";
    mr_buf_str(&line, MR_STR("m "));
    for (int i = 0; i < 257; i++)
        mr_buf_printf(&line, "%sf%d=%d", i > 0 ? "," : "", i, i);
    assert_false(cli_line(mr_buf_view(&line), 0, &arena, &record, &why));
    assert_string_equal(why, "more than 256 fields");
    mr_buf_release(&line);
    mr_arena_release(&arena);
}

static const char *printed(enum cli_format format, bool empty)
{
    static char text[4096];
    text[0] = '\0'; /* a stream that nothing is written to leaves the buffer alone */
    FILE *file = fmemopen(text, sizeof text, "w");
    struct cli_output *out;
    struct mr_cell items[] = {{.kind = MR_CELL_INT, .text = mr_text("7"), .v = {.integer = 7}},
                              {.kind = MR_CELL_NULL}};
    struct mr_point points[] = {{.time_ns = 5, .value = {.kind = MR_CELL_TEXT, .text = mr_text("a\"b")}}};
    struct mr_cell cells[] = {
        {.kind = MR_CELL_INT, .text = mr_text("-12"), .v = {.integer = -12}},
        {.kind = MR_CELL_TEXT, .text = mr_text("gr\xc3\xbcn, \"x\"\nz")},
        {.kind = MR_CELL_NULL},
        {.kind = MR_CELL_DOUBLE, .text = mr_text("NaN"), .v = {.number = (double)NAN}},
        {.kind = MR_CELL_BOOLEAN, .text = mr_text("true"), .v = {.boolean = true}},
        {.kind = MR_CELL_ARRAY, .v = {.items = {items, 2}}},
        {.kind = MR_CELL_SERIES, .v = {.points = {points, 1}}},
    };
    assert_int_equal(cli_output_open(&out, format, file, MR_ARRAY_LEN(cells)), MR_OK);
    for (size_t i = 0; i < MR_ARRAY_LEN(cells); i++) {
        char name[2] = {(char)('a' + i), '\0'};
        cli_output_name(out, i, mr_text(name));
    }
    for (size_t i = 0; !empty && i < MR_ARRAY_LEN(cells); i++)
        cli_output_cell(out, &cells[i]);
    if (!empty)
        cli_output_row(out);
    assert_int_equal(cli_output_close(out), MR_OK);
    fclose(file);
    return text;
}

static void test_formats(void **state)
{
    (void)state;
    assert_string_equal(printed(CLI_CSV, false),
                        "a,b,c,d,e,f,g\n-12,\"gr\xc3\xbcn, "
                        "\"\"x\"\"\nz\",,NaN,true,\"[7,null]\",\"[[5,\"\"a\\\"\"b\"\"]]\"\n");
    assert_string_equal(printed(CLI_JSON, false),
                        "{\"a\":-12,\"b\":\"gr\xc3\xbcn, \\\"x\\\"\\nz\",\"c\":null,\"d\":\"NaN\","
                        "\"e\":true,\"f\":[7,null],\"g\":[[5,\"a\\\"b\"]]}\n");
    assert_string_equal(printed(CLI_TABLE, false),
                        "  a  b            c    d  e     f         g\n"
                        "---  -----------  -  ---  ----  --------  ------------\n"
                        "-12  gr\xc3\xbcn, \"x\" z     NaN  true  [7,null]  [[5,\"a\\\"b\"]]\n");
    assert_string_equal(printed(CLI_CSV, true), "a,b,c,d,e,f,g\n");
    assert_string_equal(printed(CLI_JSON, true), "");
    assert_string_equal(printed(CLI_TABLE, true), "a  b  c  d  e  f  g\n-  -  -  -  -  -  -\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
