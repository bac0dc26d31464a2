#include "cli/state.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/io.h"
#include "cli/cli.h"
#include "json/json.h"

#define STATE_MAX 4096

static bool take(const struct cli_state *state, struct json_value root, int64_t *job)
{
    struct json_value v;
    if (json_type(root) != JSON_OBJECT || !json_get(root, MR_STR("job"), &v) || !json_i64(v, job))
        return false;
    for (size_t i = 0; i < state->len; i++)
        if (!json_get(root, mr_str_of(state->fields[i].name), &v) || !json_i64(v, state->fields[i].value))
            return false;
    return true;
}

int cli_state_load(const struct cli_state *state, bool *found)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct json_doc doc;
    int64_t job = 0;
    *found = false;
    if (state->path == NULL)
        return CLI_OK;
    int rc = mr_io_read_file(&mr_io_posix, state->path, STATE_MAX, &text, &err);
    bool absent = rc == MR_ENOENT;
    if (rc == MR_OK)
        rc = json_parse(mr_buf_view(&text), &arena, &doc, &err);
    if (rc == MR_OK && !take(state, json_root(&doc), &job))
        rc = mr_error_set(&err, MR_EINVAL, "this is no state of such a command");
    if (rc == MR_OK && job != state->job)
        rc = mr_error_set(&err, MR_EINVAL, "the state belongs to another input or table");
    *found = rc == MR_OK;
    if (rc != MR_OK && !absent)
        fprintf(stderr, "millrace: %s: %s\n", state->path, err.text);
    mr_buf_release(&text);
    mr_arena_release(&arena);
    return rc == MR_OK || absent ? CLI_OK : CLI_FAILED;
}

int cli_state_save(const struct cli_state *state)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    if (state->path == NULL)
        return CLI_OK;
    size_t slash = strlen(state->path);
    while (slash > 0 && state->path[slash - 1] != '/')
        slash--;
    struct mr_str dir = slash > 0 ? mr_arena_dup(&tmp, (struct mr_str){state->path, slash}) : MR_STR("./");
    mr_buf_printf(&text, "{\"job\":%" PRIu32, state->job);
    for (size_t i = 0; i < state->len; i++)
        mr_buf_printf(&text, ",\"%s\":%" PRId64, state->fields[i].name, *state->fields[i].value);
    mr_buf_str(&text, MR_STR("}\n"));
    int rc =
        mr_buf_ok(&text) && dir.ptr != NULL
            ? mr_io_write_file(&mr_io_posix, dir.ptr, state->path + slash, mr_buf_view(&text), 0644, &err)
            : MR_ENOMEM;
    if (rc != MR_OK)
        fprintf(stderr, "millrace: %s: %s\n", state->path, rc == MR_ENOMEM ? "out of memory" : err.text);
    mr_buf_release(&text);
    mr_arena_release(&tmp);
    return rc == MR_OK ? CLI_OK : CLI_FAILED;
}
