#include "client/ini.h"

#define INI_MOST 20000 /* entries of a file; no person writes more */

struct ini_reader {
    struct ini *ini;
    struct mr_arena *arena;
    struct mr_str section; /* ptr NULL before the first one */
    struct mr_str parent;  /* the key whose value was empty, for indented lines; ptr NULL for none */
    bool skip;             /* indented lines continue a value; nothing of ours has such */
};

static int add(struct ini_reader *r, struct mr_str key, struct mr_str value)
{
    struct ini *ini = r->ini;
    if (ini->len >= INI_MOST)
        return MR_EINVAL;
    void *items = ini->at;
    int rc = mr_grow(&items, &ini->cap, ini->len + 1, sizeof *ini->at);
    ini->at = items;
    if (rc != MR_OK)
        return rc;
    struct ini_entry *entry = &ini->at[ini->len];
    *entry = (struct ini_entry){r->section, mr_arena_dup(r->arena, key), mr_arena_dup(r->arena, value)};
    if (entry->key.ptr == NULL || entry->value.ptr == NULL)
        return MR_ENOMEM;
    ini->len++;
    return MR_OK;
}

/* [profile "blue"] -> profile blue */
static int open_section(struct ini_reader *r, struct mr_str line)
{
    size_t close = mr_str_find(line, ']', 0);
    if (close == line.len)
        return MR_EINVAL;
    struct mr_str inside = mr_str_trim(mr_str_slice(line, 1, close));
    struct mr_str rest = mr_str_trim(mr_str_slice(line, close + 1, line.len));
    if (inside.len == 0 || (rest.len > 0 && rest.ptr[0] != '#' && rest.ptr[0] != ';'))
        return MR_EINVAL;
    struct mr_buf name = MR_BUF_INIT;
    bool blank = false;
    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.ptr[i];
        if (c == ' ' || c == '\t') {
            blank = true;
        } else if (c != '"' && c != '\'') {
            if (blank)
                mr_buf_char(&name, ' ');
            blank = false;
            mr_buf_char(&name, c);
        }
    }
    r->section = mr_arena_dup(r->arena, mr_buf_view(&name));
    r->parent = MR_STR_NULL;
    r->skip = false;
    mr_buf_release(&name);
    if (r->section.ptr == NULL)
        return MR_ENOMEM;
    return add(r, MR_STR(""), MR_STR("")); /* so that an empty section is there */
}

static int nested_line(struct ini_reader *r, struct mr_str key, struct mr_str value)
{
    struct mr_str full =
        mr_arena_printf(r->arena, MR_STR_FMT "." MR_STR_FMT, MR_STR_ARG(r->parent), MR_STR_ARG(key));
    return full.ptr != NULL ? add(r, full, value) : MR_ENOMEM;
}

static int read_line(struct ini_reader *r, struct mr_str line)
{
    struct mr_str text = mr_str_trim(line);
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text = mr_str_trim(mr_str_slice(text, 0, text.len - 1));
    if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
        return MR_OK;
    bool indented = line.ptr[0] == ' ' || line.ptr[0] == '\t';
    if (!indented && text.ptr[0] == '[')
        return open_section(r, text);
    if (r->section.ptr == NULL)
        return MR_EINVAL;
    if (indented && r->skip)
        return MR_OK;
    size_t eq = mr_str_find(text, '=', 0);
    struct mr_str key = mr_str_trim(mr_str_slice(text, 0, eq));
    struct mr_str value = mr_str_trim(mr_str_slice(text, eq + 1, text.len));
    if (eq == text.len || key.len == 0)
        return MR_EINVAL;
    if (indented && r->parent.ptr != NULL)
        return nested_line(r, key, value);
    r->skip = value.len > 0;
    r->parent = value.len > 0 ? MR_STR_NULL : mr_arena_dup(r->arena, key);
    return add(r, key, value);
}

int client_ini_parse(struct ini *ini, struct mr_str text, const char *path, struct mr_arena *arena,
                     struct mr_error *err)
{
    struct ini_reader r = {.ini = ini, .arena = arena};
    unsigned number = 0;
    if (mr_str_starts(text, MR_STR("\xEF\xBB\xBF"))) /* what some editors put first */
        text = mr_str_slice(text, 3, text.len);
    for (size_t from = 0; from < text.len;) {
        size_t to = mr_str_find(text, '\n', from);
        number++;
        int rc = to > from ? read_line(&r, mr_str_slice(text, from, to)) : MR_OK;
        if (rc == MR_EINVAL)
            return mr_error_set(err, MR_EINVAL, "%s, line %u: neither [section] nor key = value", path,
                                number);
        if (rc != MR_OK)
            return rc;
        from = to + 1;
    }
    return MR_OK;
}

void client_ini_release(struct ini *ini)
{
    mr_free(ini->at);
    *ini = (struct ini){NULL, 0, 0};
}

struct mr_str client_ini_get(const struct ini *ini, struct mr_str section, struct mr_str key)
{
    for (size_t i = ini->len; i > 0; i--)
        if (mr_str_eq(ini->at[i - 1].key, key) && mr_str_eq(ini->at[i - 1].section, section))
            return ini->at[i - 1].value;
    return MR_STR_NULL;
}

bool client_ini_has_section(const struct ini *ini, struct mr_str section)
{
    for (size_t i = 0; i < ini->len; i++)
        if (mr_str_eq(ini->at[i].section, section))
            return true;
    return false;
}
