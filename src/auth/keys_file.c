#include "auth/sigv4.h"

/* One [user] section while it is read. Views into the file. */
struct section {
    struct mr_str user; /* ptr NULL before the first section */
    struct mr_str id, secret, token;
    unsigned line; /* of the heading */
};

static struct mr_str trimmed(struct mr_str line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return mr_str_trim(line);
}

/* Adds the pair of a finished section. */
static int finish(struct auth_keys *keys, const struct section *s, struct mr_error *err)
{
    if (s->user.ptr == NULL)
        return MR_OK;
    if (s->id.len == 0)
        return mr_error_set(err, MR_EINVAL, "line %u: section without aws_access_key_id", s->line);
    if (s->secret.len == 0)
        return mr_error_set(err, MR_EINVAL, "line %u: section without aws_secret_access_key", s->line);
    struct mr_error why = MR_ERROR_INIT;
    int status =
        auth_keys_add(keys, s->user, s->id, s->secret, s->token, 0, mr_str_eq(s->user, MR_STR("root")), &why);
    if (status != MR_OK)
        return mr_error_set(err, why.status, "line %u: %s", s->line, why.text);
    return MR_OK;
}

static int heading(struct section *s, struct mr_str line, unsigned number, struct mr_error *err)
{
    size_t close = mr_str_find(line, ']', 0);
    struct mr_str user = mr_str_trim(mr_str_slice(line, 1, close));
    struct mr_str rest = mr_str_trim(mr_str_slice(line, close + 1, line.len));
    if (close == line.len || user.len == 0 || !(rest.len == 0 || rest.ptr[0] == '#' || rest.ptr[0] == ';'))
        return mr_error_set(err, MR_EINVAL, "line %u: a section heading is [user]", number);
    *s = (struct section){.user = user, .line = number};
    return MR_OK;
}

/* name = value. Names that mean nothing here (region, output, ...) are skipped, as the AWS tools do. */
static int setting(struct section *s, struct mr_str line, unsigned number, struct mr_error *err)
{
    size_t eq = mr_str_find(line, '=', 0);
    if (eq == line.len)
        return mr_error_set(err, MR_EINVAL, "line %u: expected name = value", number);
    if (s->user.ptr == NULL)
        return mr_error_set(err, MR_EINVAL, "line %u: setting before the first [user]", number);
    struct mr_str name = mr_str_trim(mr_str_slice(line, 0, eq));
    struct mr_str *to = mr_str_eq(name, MR_STR("aws_access_key_id"))       ? &s->id
                        : mr_str_eq(name, MR_STR("aws_secret_access_key")) ? &s->secret
                        : mr_str_eq(name, MR_STR("aws_session_token"))     ? &s->token
                                                                           : NULL;
    if (to == NULL)
        return MR_OK;
    if (to->ptr != NULL)
        return mr_error_set(err, MR_EINVAL, "line %u: second " MR_STR_FMT " in one section", number,
                            MR_STR_ARG(name));
    *to = mr_str_trim(mr_str_slice(line, eq + 1, line.len));
    return MR_OK;
}

int auth_keys_parse(struct auth_keys *keys, struct mr_str text, struct mr_error *err)
{
    struct section section = {0};
    unsigned number = 0;
    if (mr_str_starts(text, MR_STR("\xEF\xBB\xBF")))
        text = mr_str_slice(text, 3, text.len);
    for (size_t from = 0; from < text.len;) {
        size_t to = mr_str_find(text, '\n', from);
        struct mr_str line = trimmed(mr_str_slice(text, from, to));
        from = to + 1;
        number++;
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        int status = MR_OK;
        if (line.ptr[0] == '[') {
            status = finish(keys, &section, err);
            if (status == MR_OK)
                status = heading(&section, line, number, err);
        } else {
            status = setting(&section, line, number, err);
        }
        if (status != MR_OK)
            return status;
    }
    return finish(keys, &section, err);
}
