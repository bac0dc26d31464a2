#include "tsbs/format.h"

#include <time.h>

static void add_text(struct mr_buf *out, const char *text)
{
    mr_buf_str(out, mr_str_of(text));
}

static void add_csv_row(const struct data_spec *spec, const struct data_host *host, int64_t ms,
                        struct mr_buf *out)
{
    char text[32];
    time_t seconds = ms / 1000;
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &utc));
    add_text(out, text);
    for (int t = 0; t < DATA_TAGS; t++) {
        mr_buf_char(out, ',');
        add_text(out, host->tags[t]);
    }
    for (int r = 0; r < DATA_READINGS; r++) {
        mr_buf_char(out, ',');
        data_add_value(spec, host, r, out);
    }
    mr_buf_char(out, '\n');
}

static void add_line_row(const struct data_spec *spec, const struct data_host *host, int64_t ms,
                         struct mr_buf *out)
{
    add_text(out, "cpu");
    for (int t = 0; t < DATA_TAGS; t++) {
        mr_buf_char(out, ',');
        add_text(out, data_tag_names[t]);
        mr_buf_char(out, '=');
        add_text(out, host->tags[t]);
    }
    for (int r = 0; r < DATA_READINGS; r++) {
        mr_buf_char(out, r == 0 ? ' ' : ',');
        add_text(out, data_reading_names[r]);
        mr_buf_char(out, '=');
        data_add_value(spec, host, r, out);
    }
    mr_buf_char(out, ' ');
    data_add_number(out, (uint64_t)ms * 1000000, 1);
    mr_buf_char(out, '\n');
}

typedef void add_row(const struct data_spec *, const struct data_host *, int64_t ms, struct mr_buf *);

static int write_rows(const struct data_spec *spec, add_row *add, FILE *out)
{
    int status = MR_OK;
    struct mr_buf rows = MR_BUF_INIT;
    struct data_host *hosts = mr_calloc(spec->hosts, sizeof *hosts);
    if (hosts == NULL)
        return MR_ENOMEM;
    for (unsigned h = 0; h < spec->hosts; h++)
        data_host_init(spec, &hosts[h], h);
    for (unsigned s = 0; s < spec->steps && status == MR_OK; s++) {
        rows.len = 0;
        for (unsigned h = 0; h < spec->hosts; h++) {
            add(spec, &hosts[h], spec->start_ms + (int64_t)s * DATA_STEP_MS, &rows);
            data_host_step(&hosts[h]);
        }
        if (!mr_buf_ok(&rows))
            status = MR_ENOMEM;
        else if (fwrite(rows.ptr, 1, rows.len, out) != rows.len)
            status = MR_EIO;
    }
    mr_buf_release(&rows);
    mr_free(hosts);
    return status;
}

int format_csv(const struct data_spec *spec, FILE *out)
{
    return write_rows(spec, add_csv_row, out);
}

int format_line(const struct data_spec *spec, FILE *out)
{
    return write_rows(spec, add_line_row, out);
}

unsigned format_body_steps(enum format_model model)
{
    return model == FORMAT_MULTI ? 100 : 100 / DATA_READINGS;
}

static void add_time(struct mr_buf *body, int64_t ms)
{
    add_text(body, "\"Time\":\"");
    data_add_number(body, (uint64_t)ms, 1);
    add_text(body, "\"},");
}

static void add_multi(const struct data_spec *spec, const struct data_host *host, int64_t ms,
                      struct mr_buf *body)
{
    add_text(body, "{\"MeasureValues\":[");
    for (int r = 0; r < DATA_READINGS; r++) {
        add_text(body, "{\"Name\":\"");
        add_text(body, data_reading_names[r]);
        add_text(body, "\",\"Value\":\"");
        data_add_value(spec, host, r, body);
        add_text(body, "\",\"Type\":\"DOUBLE\"},");
    }
    body->len--; /* the last comma */
    add_text(body, "],");
    add_time(body, ms);
}

static void add_singles(const struct data_spec *spec, const struct data_host *host, int64_t ms,
                        struct mr_buf *body)
{
    for (int r = 0; r < DATA_READINGS; r++) {
        add_text(body, "{\"MeasureName\":\"");
        add_text(body, data_reading_names[r]);
        add_text(body, "\",\"MeasureValue\":\"");
        data_add_value(spec, host, r, body);
        add_text(body, "\",");
        add_time(body, ms);
    }
}

int format_body(const struct data_spec *spec, enum format_model model, const char *database,
                const char *table, struct data_host *host, int64_t *ms, unsigned steps, struct mr_buf *body)
{
    body->len = 0;
    mr_buf_printf(body,
                  "{\"DatabaseName\":\"%s\",\"TableName\":\"%s\",\"CommonAttributes\":{\"Dimensions\":[",
                  database, table);
    for (int t = 0; t < DATA_TAGS; t++)
        mr_buf_printf(body, "%s{\"Name\":\"%s\",\"Value\":\"%s\"}", t > 0 ? "," : "", data_tag_names[t],
                      host->tags[t]);
    add_text(body, model == FORMAT_MULTI
                       ? "],\"MeasureName\":\"cpu\",\"MeasureValueType\":\"MULTI\"},\"Records\":["
                       : "],\"MeasureValueType\":\"DOUBLE\"},\"Records\":[");
    for (unsigned i = 0; i < steps; i++, *ms += DATA_STEP_MS) {
        if (model == FORMAT_MULTI)
            add_multi(spec, host, *ms, body);
        else
            add_singles(spec, host, *ms, body);
        data_host_step(host);
    }
    body->len--;
    add_text(body, "]}");
    return mr_buf_ok(body) ? MR_OK : MR_ENOMEM;
}
