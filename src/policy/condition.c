/* Condition blocks: operator, key, values (IAM's "JSON policy elements: Condition operators"). */
#include "policy/private.h"

#include "json/number.h"

struct operation {
    const char *name;
    enum policy_type type;
    enum policy_relation relation;
    bool negated;
};

static const struct operation operations[] = {
    {"StringEquals", POLICY_STRING, POLICY_EQ, false},
    {"StringNotEquals", POLICY_STRING, POLICY_EQ, true},
    {"StringEqualsIgnoreCase", POLICY_STRING_IGNORE_CASE, POLICY_EQ, false},
    {"StringNotEqualsIgnoreCase", POLICY_STRING_IGNORE_CASE, POLICY_EQ, true},
    {"StringLike", POLICY_LIKE, POLICY_EQ, false},
    {"StringNotLike", POLICY_LIKE, POLICY_EQ, true},
    {"NumericEquals", POLICY_NUMERIC, POLICY_EQ, false},
    {"NumericNotEquals", POLICY_NUMERIC, POLICY_EQ, true},
    {"NumericLessThan", POLICY_NUMERIC, POLICY_LT, false},
    {"NumericLessThanEquals", POLICY_NUMERIC, POLICY_LE, false},
    {"NumericGreaterThan", POLICY_NUMERIC, POLICY_GT, false},
    {"NumericGreaterThanEquals", POLICY_NUMERIC, POLICY_GE, false},
    {"DateEquals", POLICY_DATE, POLICY_EQ, false},
    {"DateNotEquals", POLICY_DATE, POLICY_EQ, true},
    {"DateLessThan", POLICY_DATE, POLICY_LT, false},
    {"DateLessThanEquals", POLICY_DATE, POLICY_LE, false},
    {"DateGreaterThan", POLICY_DATE, POLICY_GT, false},
    {"DateGreaterThanEquals", POLICY_DATE, POLICY_GE, false},
    {"Bool", POLICY_BOOL, POLICY_EQ, false},
    {"IpAddress", POLICY_IP, POLICY_EQ, false},
    {"NotIpAddress", POLICY_IP, POLICY_EQ, true},
    {"ArnEquals", POLICY_ARN, POLICY_EQ, false},
    {"ArnLike", POLICY_ARN, POLICY_EQ, false},
    {"ArnNotEquals", POLICY_ARN, POLICY_EQ, true},
    {"ArnNotLike", POLICY_ARN, POLICY_EQ, true},
    {"Null", POLICY_NULL, POLICY_EQ, false},
};

static bool cut_prefix(struct mr_str *s, struct mr_str prefix)
{
    bool there = mr_str_starts(*s, prefix);
    if (there)
        *s = mr_str_slice(*s, prefix.len, s->len);
    return there;
}

static bool cut_suffix(struct mr_str *s, struct mr_str suffix)
{
    if (s->len < suffix.len || !mr_str_eq(mr_str_slice(*s, s->len - suffix.len, s->len), suffix))
        return false;
    s->len -= suffix.len;
    return true;
}

static int read_operation(const struct policy_reader *r, struct mr_str text, struct policy_condition *out)
{
    struct mr_str name = text;
    if (cut_prefix(&name, MR_STR("ForAllValues:")))
        out->set = POLICY_SET_ALL;
    else if (cut_prefix(&name, MR_STR("ForAnyValue:")))
        out->set = POLICY_SET_ANY;
    out->if_exists = cut_suffix(&name, MR_STR("IfExists"));
    for (size_t i = 0; i < MR_ARRAY_LEN(operations); i++) {
        const struct operation *o = &operations[i];
        if (!mr_str_eq(name, mr_str_of(o->name)))
            continue;
        if (o->type == POLICY_NULL && (out->if_exists || out->set != POLICY_SET_NONE))
            break;
        out->type = o->type;
        out->relation = o->relation;
        out->negated = o->negated;
        return MR_OK;
    }
    return mr_error_set(r->err, MR_EINVAL, "statement %zu: unknown condition operator '" MR_STR_FMT "'",
                        r->statement, MR_STR_ARG(text));
}

/* Strings, and numbers and booleans written without quotes. */
static bool value_text(struct json_value v, struct mr_arena *arena, struct mr_str *out)
{
    char number[JSON_NUMBER_MAX];
    double d;
    int64_t i;
    switch (json_type(v)) {
    case JSON_STRING:
        *out = json_text(v);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = json_type(v) == JSON_TRUE ? MR_STR("true") : MR_STR("false");
        return true;
    default:
        if (json_i64(v, &i))
            *out = mr_arena_dup(arena, (struct mr_str){number, json_format_i64(i, number)});
        else if (json_f64(v, &d))
            *out = mr_arena_dup(arena, (struct mr_str){number, json_format_double(d, number)});
        else
            return false;
        return true;
    }
}

static int read_operand(struct policy_reader *r, struct policy_condition *c, struct json_value value)
{
    struct policy_operand *o = &c->operands[c->noperands++];
    struct mr_str text = MR_STR_NULL;
    bool fine = value_text(value, r->arena, &text);
    if (fine && text.ptr == NULL)
        return MR_ENOMEM;
    int status = MR_OK;
    switch (c->type) {
    case POLICY_STRING:
    case POLICY_STRING_IGNORE_CASE:
    case POLICY_LIKE:
        status = fine ? policy_pattern_read(r, text, c->type == POLICY_LIKE, &o->pattern) : MR_OK;
        break;
    case POLICY_ARN:
        status = fine ? policy_pattern_read(r, text, true, &o->pattern) : MR_OK;
        fine = fine && (status != MR_OK || policy_pattern_split(&o->pattern));
        break;
    case POLICY_NUMERIC:
        fine = fine && policy_read_number(text, &o->number);
        break;
    case POLICY_DATE:
        fine = fine && policy_read_time(text, &o->time);
        break;
    case POLICY_BOOL:
    case POLICY_NULL:
        fine = fine && policy_read_bool(text, &o->truth);
        break;
    case POLICY_IP:
        fine = fine && policy_read_network(text, &o->network);
        break;
    }
    if (fine)
        return status;
    return mr_error_set(r->err, MR_EINVAL,
                        "statement %zu: '" MR_STR_FMT "' is no value for the condition on " MR_STR_FMT,
                        r->statement, MR_STR_ARG(text), MR_STR_ARG(c->key));
}

int policy_condition_read(struct policy_reader *r, struct mr_str operation, struct mr_str key,
                          struct json_value values, struct policy_condition *out)
{
    *out = (struct policy_condition){.operation = mr_arena_dup(r->arena, operation),
                                     .key = mr_arena_dup(r->arena, key)};
    int status = read_operation(r, operation, out);
    bool many = json_type(values) == JSON_ARRAY;
    size_t n = many ? json_count(values) : 1;
    if (status == MR_OK && (n == 0 || key.len == 0))
        status = mr_error_set(r->err, MR_EINVAL, "statement %zu: a condition without a %s", r->statement,
                              n == 0 ? "value" : "key");
    if (status == MR_OK && (out->operands = MR_ARENA_ARRAY(r->arena, n, struct policy_operand)) == NULL)
        status = MR_ENOMEM;
    if (status != MR_OK || !many)
        return status != MR_OK ? status : read_operand(r, out, values);
    struct json_iter it = json_items(values);
    for (struct json_value v; status == MR_OK && json_next(&it, &v);)
        status = read_operand(r, out, v);
    return status;
}

static bool holds(enum policy_relation relation, int order)
{
    switch (relation) {
    case POLICY_EQ:
        return order == 0;
    case POLICY_LT:
        return order < 0;
    case POLICY_LE:
        return order <= 0;
    case POLICY_GT:
        return order > 0;
    case POLICY_GE:
        return order >= 0;
    }
    return false;
}

/* A value of the request against one of the document's. What is not of the operator's type tells nothing. */
static int compare(const struct policy_condition *c, const struct policy_operand *o, struct mr_str value,
                   const struct policy_request *request, enum policy_truth *truth)
{
    bool readable = false, yes = false, flag;
    double number;
    int64_t time;
    struct policy_network address;
    switch (c->type) {
    case POLICY_STRING:
    case POLICY_STRING_IGNORE_CASE:
    case POLICY_LIKE:
    case POLICY_ARN:
        return policy_pattern_match(&o->pattern, value, c->type == POLICY_STRING_IGNORE_CASE, request, truth);
    case POLICY_NUMERIC:
        readable = policy_read_number(value, &number);
        yes = readable && holds(c->relation, (number > o->number) - (number < o->number));
        break;
    case POLICY_DATE:
        readable = policy_read_time(value, &time);
        yes = readable && holds(c->relation, (time > o->time) - (time < o->time));
        break;
    case POLICY_BOOL:
        readable = policy_read_bool(value, &flag);
        yes = readable && flag == o->truth;
        break;
    case POLICY_IP:
        readable = policy_read_network(value, &address) && address.bits == 128;
        yes = readable && policy_network_has(&o->network, &address);
        break;
    case POLICY_NULL:
        break; /* decided before there are values */
    }
    *truth = !readable ? POLICY_UNKNOWN : yes ? POLICY_YES : POLICY_NO;
    return MR_OK;
}

/* Any of the operands. */
static int match_value(const struct policy_condition *c, struct mr_str value,
                       const struct policy_request *request, enum policy_truth *truth)
{
    *truth = POLICY_NO;
    for (size_t i = 0; i < c->noperands && *truth != POLICY_YES; i++) {
        enum policy_truth one;
        int status = compare(c, &c->operands[i], value, request, &one);
        if (status != MR_OK)
            return status;
        *truth = policy_or(*truth, one);
    }
    return MR_OK;
}

/* A key without a value: what IAM says of each kind of operator. */
static enum policy_truth absent(const struct policy_condition *c)
{
    if (c->if_exists || c->set == POLICY_SET_ALL)
        return POLICY_YES;
    return c->set == POLICY_SET_NONE && c->negated ? POLICY_YES : POLICY_NO;
}

static enum policy_truth null_test(const struct policy_condition *c, bool is_absent)
{
    for (size_t i = 0; i < c->noperands; i++)
        if (c->operands[i].truth == is_absent)
            return POLICY_YES;
    return POLICY_NO;
}

int policy_condition_test(const struct policy_condition *c, const struct policy_request *request,
                          enum policy_truth *truth)
{
    struct policy_values values = {0};
    int status = request->value(request->ctx, c->key, &values);
    *truth = POLICY_UNKNOWN;
    if (status != MR_OK || !values.known)
        return status;
    if (c->type == POLICY_NULL || values.n == 0) {
        *truth = c->type == POLICY_NULL ? null_test(c, values.n == 0) : absent(c);
        return MR_OK;
    }
    bool every = c->set == POLICY_SET_ALL; /* else: one is enough */
    *truth = every ? POLICY_YES : POLICY_NO;
    for (size_t i = 0; i < values.n; i++) {
        enum policy_truth one;
        status = match_value(c, values.at[i], request, &one);
        if (status != MR_OK)
            return status;
        if (c->negated && c->set != POLICY_SET_NONE)
            one = policy_not(one);
        *truth = every ? policy_and(*truth, one) : policy_or(*truth, one);
    }
    if (c->negated && c->set == POLICY_SET_NONE)
        *truth = policy_not(*truth);
    return MR_OK;
}
