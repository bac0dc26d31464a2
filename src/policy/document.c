/* Reading a document. Everything is checked here, so that asking it cannot meet a surprise. */
#include "policy/private.h"

/* A member, which may come once. */
static int once(const struct policy_reader *r, struct mr_str name, unsigned bit, unsigned *seen)
{
    if ((*seen & bit) != 0)
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' comes twice", r->statement,
                            MR_STR_ARG(name));
    *seen |= bit;
    return MR_OK;
}

static int wrong(const struct policy_reader *r, struct mr_str name, const char *want)
{
    return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' must be %s", r->statement,
                        MR_STR_ARG(name), want);
}

/* "*" or "service:Action"; no variables there. */
static int read_action(struct policy_reader *r, struct mr_str text, struct policy_pattern *out)
{
    bool colon = mr_str_find(text, ':', 0) < text.len;
    if (!colon && !mr_str_eq(text, MR_STR("*")))
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' is no action", r->statement,
                            MR_STR_ARG(text));
    struct policy_reader plain = *r;
    plain.variables = false;
    return policy_pattern_read(&plain, text, true, out);
}

/* "*" or an ARN with its six parts. */
static int read_resource(struct policy_reader *r, struct mr_str text, struct policy_pattern *out)
{
    int status = policy_pattern_read(r, text, true, out);
    if (status != MR_OK || mr_str_eq(text, MR_STR("*")))
        return status;
    if (!mr_str_starts(text, MR_STR("arn:")) || !policy_pattern_split(out))
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' is no resource", r->statement,
                            MR_STR_ARG(text));
    return MR_OK;
}

/* "*", an ARN as it stands, or an account. */
static int read_principal(struct policy_reader *r, struct mr_str text, struct policy_pattern *out)
{
    struct policy_reader plain = *r;
    plain.variables = false;
    if (mr_str_eq(text, MR_STR("*")))
        return policy_pattern_read(&plain, text, true, out);
    if (mr_str_starts(text, MR_STR("arn:")))
        return policy_pattern_read(&plain, text, false, out);
    uint64_t number;
    if (text.len != 12 || !mr_str_to_u64(text, &number))
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' is no principal",
                            r->statement, MR_STR_ARG(text));
    struct mr_str arn = mr_arena_printf(r->arena, "arn:*:iam::" MR_STR_FMT ":root", MR_STR_ARG(text));
    return arn.ptr != NULL ? policy_pattern_read(&plain, arn, true, out) : MR_ENOMEM;
}

typedef int read_one(struct policy_reader *r, struct mr_str text, struct policy_pattern *out);

/* A string or a list of strings. */
static int read_patterns(struct policy_reader *r, struct mr_str name, struct json_value v, bool inverted,
                         read_one *read, struct policy_patterns *out)
{
    bool many = json_type(v) == JSON_ARRAY;
    size_t n = many ? json_count(v) : 1;
    if (out->at != NULL)
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: '" MR_STR_FMT "' beside its opposite",
                            r->statement, MR_STR_ARG(name));
    if (n == 0 || (!many && json_type(v) != JSON_STRING))
        return wrong(r, name, "a string or a list of strings");
    out->inverted = inverted;
    out->at = MR_ARENA_ARRAY(r->arena, n, struct policy_pattern);
    if (out->at == NULL)
        return MR_ENOMEM;
    if (!many) {
        out->n = 1;
        return read(r, json_text(v), &out->at[0]);
    }
    struct json_iter it = json_items(v);
    for (struct json_value item; json_next(&it, &item);) {
        if (json_type(item) != JSON_STRING)
            return wrong(r, name, "a string or a list of strings");
        int status = read(r, json_text(item), &out->at[out->n++]);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

/* The last condition read against those before it. */
static int check_second(const struct policy_reader *r, const struct policy_statement *s)
{
    const struct policy_condition *last = &s->conditions[s->nconditions - 1];
    for (const struct policy_condition *c = s->conditions; c < last; c++)
        if (mr_str_eq(c->operation, last->operation) && mr_str_ieq(c->key, last->key))
            return mr_error_set(r->err, MR_EINVAL, "statement %zu: second " MR_STR_FMT " on '" MR_STR_FMT "'",
                                r->statement, MR_STR_ARG(last->operation), MR_STR_ARG(last->key));
    return MR_OK;
}

/* {operator: {key: value or values}} */
static int read_conditions(struct policy_reader *r, struct json_value block, struct policy_statement *s)
{
    size_t n = 0;
    struct mr_str operation, key;
    struct json_value keys, values;
    if (json_type(block) != JSON_OBJECT)
        return wrong(r, MR_STR("Condition"), "an object");
    struct json_iter outer = json_items(block);
    while (json_next_field(&outer, &operation, &keys)) {
        if (json_type(keys) != JSON_OBJECT)
            return wrong(r, operation, "an object");
        n += json_count(keys);
    }
    if (n > POLICY_MAX_CONDITIONS)
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: more than %d conditions", r->statement,
                            POLICY_MAX_CONDITIONS);
    s->conditions = MR_ARENA_ARRAY(r->arena, n + 1, struct policy_condition);
    if (s->conditions == NULL)
        return MR_ENOMEM;
    outer = json_items(block);
    while (json_next_field(&outer, &operation, &keys)) {
        struct json_iter inner = json_items(keys);
        while (json_next_field(&inner, &key, &values)) {
            int status = policy_condition_read(r, operation, key, values, &s->conditions[s->nconditions++]);
            if (status == MR_OK)
                status = check_second(r, s);
            if (status != MR_OK)
                return status;
        }
    }
    return MR_OK;
}

static int read_effect(const struct policy_reader *r, struct json_value v, struct policy_statement *s)
{
    struct mr_str text = json_type(v) == JSON_STRING ? json_text(v) : MR_STR_NULL;
    s->deny = mr_str_eq(text, MR_STR("Deny"));
    if (!s->deny && !mr_str_eq(text, MR_STR("Allow")))
        return wrong(r, MR_STR("Effect"), "Allow or Deny");
    return MR_OK;
}

/* "*" or {"AWS": one or several}; other kinds of principals there are not. */
static int read_principals(struct policy_reader *r, struct mr_str name, struct json_value v,
                           struct policy_statement *s)
{
    struct json_value list = v;
    bool object = json_type(v) == JSON_OBJECT;
    if (object && (json_count(v) != 1 || !json_get(v, MR_STR("AWS"), &list)))
        return wrong(r, name, "\"*\" or an object with AWS alone");
    if (!object && (json_type(v) != JSON_STRING || !mr_str_eq(json_text(v), MR_STR("*"))))
        return wrong(r, name, "\"*\" or an object with AWS alone");
    return read_patterns(r, name, list, false, read_principal, &s->resources);
}

enum {
    PRINCIPAL = 128,
    SID = 1,
    EFFECT = 2,
    ACTION = 4,
    NOT_ACTION = 8,
    RESOURCE = 16,
    NOT_RESOURCE = 32,
    CONDITION = 64
};

static unsigned member(struct mr_str name)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {
        {"Sid", SID},
        {"Effect", EFFECT},
        {"Action", ACTION},
        {"NotAction", NOT_ACTION},
        {"Resource", RESOURCE},
        {"NotResource", NOT_RESOURCE},
        {"Condition", CONDITION},
        {"Principal", PRINCIPAL},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++)
        if (mr_str_eq(name, mr_str_of(names[i].name)))
            return names[i].bit;
    return 0;
}

static int read_member(struct policy_reader *r, struct mr_str name, struct json_value v,
                       struct policy_statement *s)
{
    unsigned bit = member(name);
    if ((bit == PRINCIPAL && !r->trust) || ((bit & (RESOURCE | NOT_RESOURCE)) != 0 && r->trust))
        bit = 0;
    switch (bit) {
    case PRINCIPAL:
        return read_principals(r, name, v, s);
    case SID:
        if (json_type(v) != JSON_STRING)
            return wrong(r, name, "a string");
        s->sid = mr_arena_dup(r->arena, json_text(v));
        return s->sid.ptr != NULL ? MR_OK : MR_ENOMEM;
    case EFFECT:
        return read_effect(r, v, s);
    case ACTION:
    case NOT_ACTION:
        return read_patterns(r, name, v, member(name) == NOT_ACTION, read_action, &s->actions);
    case RESOURCE:
    case NOT_RESOURCE:
        return read_patterns(r, name, v, member(name) == NOT_RESOURCE, read_resource, &s->resources);
    case CONDITION:
        return read_conditions(r, v, s);
    default:
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: unknown element '" MR_STR_FMT "'",
                            r->statement, MR_STR_ARG(name));
    }
}

static int read_statement(struct policy_reader *r, struct json_value v, struct policy_statement *s)
{
    unsigned seen = 0;
    struct mr_str name;
    struct json_value value;
    r->statement++;
    if (json_type(v) != JSON_OBJECT)
        return wrong(r, MR_STR("Statement"), "an object or a list of objects");
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        int status = once(r, name, member(name), &seen);
        if (status == MR_OK)
            status = read_member(r, name, value, s);
        if (status != MR_OK)
            return status;
    }
    if ((seen & EFFECT) == 0 || s->actions.n == 0 || s->resources.n == 0)
        return mr_error_set(r->err, MR_EINVAL, "statement %zu: needs Effect, Action or NotAction, %s",
                            r->statement, r->trust ? "Principal" : "Resource or NotResource");
    return MR_OK;
}

static int read_statements(struct policy_reader *r, struct json_value v, struct policy *p)
{
    bool many = json_type(v) == JSON_ARRAY;
    size_t n = many ? json_count(v) : 1;
    p->statements = MR_ARENA_ARRAY(r->arena, n + 1, struct policy_statement);
    if (p->statements == NULL)
        return MR_ENOMEM;
    p->nstatements = n;
    if (!many)
        return read_statement(r, v, &p->statements[0]);
    struct json_iter it = json_items(v);
    for (struct json_value item; json_next(&it, &item);) {
        int status = read_statement(r, item, &p->statements[r->statement]);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

/* Version says whether there are variables, so it is read before the statements wherever it stands. */
static int read_document(struct policy_reader *r, struct json_value root, struct policy *p)
{
    unsigned seen = 0;
    struct mr_str name;
    struct json_value value, statements = root;
    if (json_type(root) != JSON_OBJECT)
        return mr_error_set(r->err, MR_EINVAL, "a policy is a JSON object");
    struct json_iter it = json_items(root);
    while (json_next_field(&it, &name, &value)) {
        unsigned bit = mr_str_eq(name, MR_STR("Version"))     ? 1
                       : mr_str_eq(name, MR_STR("Id"))        ? 2
                       : mr_str_eq(name, MR_STR("Statement")) ? 4
                                                              : 0;
        if (bit == 0 || (seen & bit) != 0)
            return mr_error_set(r->err, MR_EINVAL, "%s '" MR_STR_FMT "' in a policy",
                                bit == 0 ? "unknown element" : "second", MR_STR_ARG(name));
        seen |= bit;
        if (bit == 4)
            statements = value;
        else if (json_type(value) != JSON_STRING)
            return mr_error_set(r->err, MR_EINVAL, "'" MR_STR_FMT "' of a policy must be a string",
                                MR_STR_ARG(name));
        if (bit != 1)
            continue;
        r->variables = mr_str_eq(json_text(value), MR_STR("2012-10-17"));
        if (!r->variables && !mr_str_eq(json_text(value), MR_STR("2008-10-17")))
            return mr_error_set(r->err, MR_EINVAL, "Version must be 2012-10-17 or 2008-10-17");
    }
    if ((seen & 4) == 0)
        return mr_error_set(r->err, MR_EINVAL, "a policy needs a Statement");
    return read_statements(r, statements, p);
}

static int read_any(struct mr_str name, struct json_value document, bool trust, struct policy **out,
                    struct mr_error *err)
{
    struct mr_error why = MR_ERROR_INIT;
    struct policy *p = mr_calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading a policy");
    p->arena.limit = (size_t)64 << 20;
    p->name = mr_arena_dup(&p->arena, name);
    struct policy_reader r = {.arena = &p->arena, .err = &why, .trust = trust};
    int status = read_document(&r, document, p);
    if (status == MR_OK && p->arena.failed)
        status = MR_ENOMEM;
    if (status != MR_OK) {
        policy_free(p);
        return mr_error_set(err, status, "policy '" MR_STR_FMT "': %s", MR_STR_ARG(name),
                            why.text[0] != '\0' ? why.text : "out of memory");
    }
    *out = p;
    return MR_OK;
}

int policy_read(struct mr_str name, struct json_value document, struct policy **out, struct mr_error *err)
{
    return read_any(name, document, false, out, err);
}

int policy_read_trust(struct mr_str name, struct json_value document, struct policy **out,
                      struct mr_error *err)
{
    return read_any(name, document, true, out, err);
}

int policy_parse(struct mr_str name, struct mr_str text, struct policy **out, struct mr_error *err)
{
    struct mr_arena arena = {.limit = (size_t)16 << 20};
    struct json_doc doc;
    struct mr_error why = MR_ERROR_INIT;
    *out = NULL;
    if (text.len > POLICY_MAX_TEXT)
        return mr_error_set(err, MR_EINVAL, "policy '" MR_STR_FMT "': longer than %zu bytes",
                            MR_STR_ARG(name), POLICY_MAX_TEXT);
    int status = json_parse(text, &arena, &doc, &why);
    if (status != MR_OK)
        status = mr_error_set(err, status, "policy '" MR_STR_FMT "': %s", MR_STR_ARG(name), why.text);
    else
        status = policy_read(name, json_root(&doc), out, err);
    mr_arena_release(&arena);
    return status;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    mr_arena_release(&policy->arena);
    mr_free(policy);
}

struct mr_str policy_name(const struct policy *policy)
{
    return policy->name;
}
