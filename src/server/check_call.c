#include "server/check_call.h"

#include "care/scrub.h"
#include "json/write.h"
#include "server/root_call.h"

#include <inttypes.h>

static void member_time(struct mr_buf *out, const char *name, int64_t wall)
{
    char text[32];
    if (wall == 0)
        return;
    mr_format_iso_ms(wall, text);
    mr_buf_printf(out, "\"%s\":\"%s\",", name, text);
}

static void member_text(struct mr_buf *out, const char *name, struct mr_str text)
{
    mr_buf_printf(out, "\"%s\":", name);
    json_write_string(out, text);
}

static void write_state(const struct care_scrub_state *s, uint64_t pass, struct mr_buf *out)
{
    mr_buf_printf(out,
                  "{\"Running\":%s,\"Pass\":%" PRIu64 ",\"Passes\":%" PRIu64 ",\"Done\":%" PRIu64
                  ",\"Total\":%" PRIu64 ",\"Damaged\":%" PRIu64 ",",
                  s->running ? "true" : "false", pass, s->passes, s->done, s->total, s->damaged);
    member_time(out, "Began", s->began);
    member_time(out, "Ended", s->ended);
    mr_buf_str(out, MR_STR("\"Findings\":["));
    for (size_t i = 0; i < s->nfindings; i++) {
        mr_buf_str(out, i != 0 ? MR_STR(",{") : MR_STR("{"));
        member_text(out, "File", s->findings[i].file);
        mr_buf_char(out, ',');
        member_text(out, "Table", s->findings[i].table);
        mr_buf_char(out, ',');
        member_text(out, "Text", s->findings[i].text);
        mr_buf_char(out, '}');
    }
    mr_buf_str(out, MR_STR("]}"));
}

bool server_check_call(struct server_handler *h, struct http_request *req)
{
    bool post = mr_str_eq(req->method, MR_STR("POST"));
    if (!mr_str_eq(req->path, MR_STR("/-/check")) || !(post || mr_str_eq(req->method, MR_STR("GET"))))
        return false;
    if (!root_call_allowed(h, req, MR_STR("Only the root key may check the stored files.")))
        return true;
    struct care_scrub_state state;
    struct mr_buf body = MR_BUF_INIT;
    uint64_t pass = post ? care_scrub_now(h->scrub) : 0;
    int status = care_scrub_state(h->scrub, &req->arena, &state);
    if (status == MR_OK)
        write_state(&state, post ? pass : state.pass, &body);
    if (status == MR_OK && mr_buf_ok(&body)) {
        root_call_answer(req, 200, &body);
    } else {
        mr_buf_release(&body);
        root_call_failed(req, MR_ENOMEM);
    }
    return true;
}
