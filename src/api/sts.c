#include "api/sts.h"

#include "api/authorize.h"
#include "api/condition.h"
#include "api/form.h"
#include "api/state.h"

#include "base/log.h"
#include "json/write.h"

#define NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
#define XML "text/xml"
#define MAX_POLICY 2048 /* characters of a session policy, as on AWS */

struct sts {
    struct api_server *s;
    struct api_request *req;
    struct api_call call;
    const struct mr_pair *fields;
    size_t nfields;
    struct mr_buf out;
    /* the refusal */
    unsigned status;
    const char *code;
    struct mr_str message;
};

/* Sets the refusal; MR_EINVAL. */
static int refuse(struct sts *x, unsigned status, const char *code, struct mr_str message)
{
    x->status = status;
    x->code = code;
    x->message = message.ptr != NULL ? message : MR_STR("The server is out of memory.");
    return MR_EINVAL;
}

static int invalid(struct sts *x, const char *text)
{
    return refuse(x, 400, "ValidationError", mr_str_of(text));
}

static struct mr_str field(const struct sts *x, const char *name)
{
    return api_form_get(x->fields, x->nfields, mr_str_of(name));
}

/* DurationSeconds within its bounds. */
static int duration(struct sts *x, int64_t fallback, int64_t most, int64_t *out)
{
    struct mr_str text = field(x, "DurationSeconds");
    *out = fallback;
    if (text.ptr == NULL)
        return MR_OK;
    if (!mr_str_to_i64(text, out) || *out < 900)
        return refuse(x, 400, "ValidationError",
                      mr_arena_printf(x->req->arena,
                                      "1 validation error detected: Value '" MR_STR_FMT
                                      "' at 'durationSeconds' failed to satisfy constraint: Member must have "
                                      "value greater than or equal to 900",
                                      MR_STR_ARG(mr_str_slice(text, 0, 40))));
    if (*out > most)
        return refuse(x, 400, "ValidationError",
                      mr_arena_printf(x->req->arena,
                                      "The requested DurationSeconds exceeds the MaxSessionDuration set for "
                                      "this %s (%lld).",
                                      field(x, "RoleArn").ptr != NULL ? "role" : "caller", (long long)most));
    return MR_OK;
}

static void element(struct mr_buf *out, const char *name, struct mr_str text)
{
    mr_buf_printf(out, "<%s>", name);
    api_xml_text(out, text);
    mr_buf_printf(out, "</%s>", name);
}

/* Issues and writes <Credentials>. */
static int credentials(struct sts *x, struct auth_session *session, int64_t seconds)
{
    struct mr_str id, secret, token;
    char until[32];
    const struct auth_session *own = x->req->who.session;
    session->issuer = own != NULL ? own->issuer : x->req->who.access_key_id;
    session->user = x->req->who.user;
    session->issued_ns = mr_clock_wall(x->s->options.auth_clock);
    session->expires_ns = session->issued_ns + seconds * MR_NS_PER_S;
    int status =
        auth_session_issue(x->call.api->state->session_key, session, x->req->arena, &id, &secret, &token);
    if (status == MR_ELIMIT)
        return refuse(x, 400, "PackedPolicyTooLarge",
                      MR_STR("The session policy makes the token too large."));
    if (status != MR_OK)
        return status;
    mr_format_iso_ms(session->expires_ns, until);
    mr_buf_str(&x->out, MR_STR("<Credentials>"));
    element(&x->out, "AccessKeyId", id);
    element(&x->out, "SecretAccessKey", secret);
    element(&x->out, "SessionToken", token);
    element(&x->out, "Expiration", mr_str_of(until));
    mr_buf_str(&x->out, MR_STR("</Credentials>"));
    mr_log(MR_LOG_INFO, "session_issued",
           "id=%s user=\"" MR_STR_FMT "\" role=\"" MR_STR_FMT "\" key=" MR_STR_FMT, x->req->id,
           MR_STR_ARG(session->user), MR_STR_ARG(session->role), MR_STR_ARG(id));
    return MR_OK;
}

static int get_caller_identity(struct sts *x)
{
    const struct auth_session *session = x->req->who.session;
    bool role = session != NULL && session->role.len > 0;
    char id[22];
    struct mr_str user_id = mr_str_of(x->call.api->account);
    if (!x->req->who.root) {
        int status = auth_unique_id(x->call.api->state->session_key, role ? "AROA" : "AIDA",
                                    role ? session->role : x->req->who.user, id);
        if (status != MR_OK)
            return status;
        user_id = role ? mr_arena_printf(x->req->arena, "%s:" MR_STR_FMT, id, MR_STR_ARG(session->name))
                       : mr_str_of(id);
    }
    element(&x->out, "Arn", x->call.principal_arn);
    element(&x->out, "UserId", user_id);
    element(&x->out, "Account", mr_str_of(x->call.api->account));
    return MR_OK;
}

static int get_session_token(struct sts *x)
{
    struct auth_session session = {0};
    int64_t seconds;
    if (x->req->who.session != NULL)
        return refuse(x, 403, "AccessDenied", MR_STR("Cannot call GetSessionToken with session credentials"));
    if (field(x, "SerialNumber").ptr != NULL || field(x, "TokenCode").ptr != NULL)
        return refuse(x, 403, "AccessDenied",
                      MR_STR("MultiFactorAuthentication failed with invalid MFA one time pass code. "));
    int64_t most = x->req->who.root ? 3600 : 129600;
    int status = duration(x, x->req->who.root ? 3600 : 43200, most, &seconds);
    return status == MR_OK ? credentials(x, &session, seconds) : status;
}

/* ---- AssumeRole ---- */

static bool session_name_is_fine(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("_+=,.@-", c) == NULL))
            return false;
    }
    return s.len >= 2 && s.len <= 64;
}

struct trust_ask {
    struct api_ask ask;
    const struct sts *sts;
    struct mr_str kept;
};

static int trust_value(void *ctx, struct mr_str key, struct policy_values *out)
{
    struct trust_ask *t = ctx;
    bool external = mr_str_ieq(key, MR_STR("sts:ExternalId"));
    if (!external && !mr_str_ieq(key, MR_STR("sts:RoleSessionName")))
        return api_condition_value(&t->ask, key, out);
    t->kept = field(t->sts, external ? "ExternalId" : "RoleSessionName");
    *out = (struct policy_values){.known = true, .at = &t->kept, .n = t->kept.ptr != NULL};
    return MR_OK;
}

/* What the role's trust policy says of a principal. */
static int ask_trust(struct sts *x, const struct policy_role *role, struct mr_str principal,
                     enum policy_decision *out)
{
    struct trust_ask t = {{&x->call, MR_STR("*"), NULL, NULL}, x, MR_STR_NULL};
    const struct policy_request request = {MR_STR("sts:AssumeRole"), principal, trust_value, &t};
    struct policy_verdict verdict = {0};
    int status = principal.ptr != NULL ? policy_evaluate(&role->trust, 1, &request, &verdict) : MR_ENOMEM;
    *out = verdict.decision;
    return status;
}

/* Trust by name is enough; trust in the account asks the caller's own policies too. */
static int may_assume(struct sts *x, const struct policy_role *role, struct mr_str arn, bool *may)
{
    const struct api_context *api = x->call.api;
    const struct auth_session *own = x->req->who.session;
    bool from_role = own != NULL && own->role.len > 0;
    struct mr_str account =
        mr_arena_printf(x->req->arena, "arn:%s:iam::%s:root", api->partition, api->account);
    struct mr_str from = from_role ? mr_arena_printf(x->req->arena, "arn:%s:iam::%s:role/" MR_STR_FMT,
                                                     api->partition, api->account, MR_STR_ARG(own->role))
                                   : x->call.principal_arn;
    enum policy_decision by_name, by_role, by_account;
    int status = ask_trust(x, role, x->call.principal_arn, &by_name);
    if (status == MR_OK)
        status = ask_trust(x, role, from, &by_role);
    if (status == MR_OK)
        status = ask_trust(x, role, account, &by_account);
    if (status != MR_OK)
        return status;
    if (by_name == POLICY_FORBIDDEN || by_role == POLICY_FORBIDDEN || by_account == POLICY_FORBIDDEN)
        return MR_OK;
    enum policy_decision own_policies;
    status = api_decide(&x->call, MR_STR("sts:AssumeRole"), arn, &own_policies);
    if (status != MR_OK || own_policies == POLICY_FORBIDDEN)
        return status;
    *may = by_name == POLICY_ALLOWED || by_role == POLICY_ALLOWED ||
           (by_account == POLICY_ALLOWED && own_policies == POLICY_ALLOWED);
    return MR_OK;
}

/* The role of the ARN, if there is one and the caller may have it. One text for both, as on AWS. */
static int find_role(struct sts *x, struct mr_str arn, const struct policy_role **out)
{
    const struct api_context *api = x->call.api;
    struct mr_str prefix =
        mr_arena_printf(x->req->arena, "arn:%s:iam::%s:role/", api->partition, api->account);
    const struct policy_role *role = NULL;
    bool may = false;
    if (prefix.ptr == NULL)
        return MR_ENOMEM;
    if (x->req->who.root)
        return refuse(x, 403, "AccessDenied", MR_STR("Roles may not be assumed by root accounts."));
    if (mr_str_starts(arn, prefix) && x->req->access->users != NULL)
        role = policy_roles_find(x->req->access->users, mr_str_slice(arn, prefix.len, arn.len));
    int status = role != NULL ? may_assume(x, role, arn, &may) : MR_OK;
    if (status != MR_OK)
        return status;
    *out = role;
    if (may)
        return MR_OK;
    return refuse(x, 403, "AccessDenied",
                  mr_arena_printf(x->req->arena,
                                  "User: " MR_STR_FMT
                                  " is not authorized to perform: sts:AssumeRole on resource: " MR_STR_FMT,
                                  MR_STR_ARG(x->call.principal_arn), MR_STR_ARG(arn)));
}

static int check_policy(struct sts *x, struct mr_str text)
{
    struct policy *policy = NULL;
    struct mr_error why = MR_ERROR_INIT;
    if (text.ptr == NULL)
        return MR_OK;
    if (text.len > MAX_POLICY)
        return invalid(x,
                       "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member "
                       "must have length less than or equal to 2048");
    int status = policy_parse(MR_STR("session"), text, &policy, &why);
    policy_free(policy);
    if (status != MR_EINVAL)
        return status;
    return refuse(x, 400, "MalformedPolicyDocument", mr_arena_dup(x->req->arena, mr_str_of(why.text)));
}

/* What narrows a session in ways this server does not know must not be left out in silence. */
static int check_unknown(struct sts *x)
{
    static const char *const known[] = {"Action",          "Version", "RoleArn",   "RoleSessionName",
                                        "DurationSeconds", "Policy",  "ExternalId"};
    for (size_t i = 0; i < x->nfields; i++) {
        size_t k = 0;
        while (k < MR_ARRAY_LEN(known) && !mr_str_eq(x->fields[i].name, mr_str_of(known[k])))
            k++;
        if (k == MR_ARRAY_LEN(known))
            return refuse(x, 400, "ValidationError",
                          mr_arena_printf(x->req->arena,
                                          "This server does not know the parameter " MR_STR_FMT
                                          " of AssumeRole.",
                                          MR_STR_ARG(mr_str_slice(x->fields[i].name, 0, 100))));
    }
    return MR_OK;
}

static int assume_role(struct sts *x)
{
    const struct policy_role *role;
    struct mr_str arn = field(x, "RoleArn"), name = field(x, "RoleSessionName"), policy = field(x, "Policy");
    int64_t seconds;
    char id[22];
    if (arn.ptr == NULL || name.ptr == NULL || !session_name_is_fine(name))
        return invalid(x, arn.ptr == NULL
                              ? "1 validation error detected: Value null at 'roleArn' failed to "
                                "satisfy constraint: Member must not be null"
                              : "1 validation error detected: Value at 'roleSessionName' failed to "
                                "satisfy constraint: Member must satisfy regular expression pattern: "
                                "[\\w+=,.@-]{2,64}");
    int status = check_unknown(x);
    if (status == MR_OK)
        status = find_role(x, arn, &role);
    if (status == MR_OK)
        status = check_policy(x, policy);
    bool chained = x->req->who.session != NULL && x->req->who.session->role.len > 0;
    int64_t most = status != MR_OK ? 0 : chained && role->max_session_s > 3600 ? 3600 : role->max_session_s;
    if (status == MR_OK)
        status = duration(x, most < 3600 ? most : 3600, most, &seconds);
    if (status == MR_OK)
        status = auth_unique_id(x->call.api->state->session_key, "AROA", role->as.name, id);
    if (status != MR_OK)
        return status;
    struct auth_session session = {.role = role->as.name, .name = name, .policy = policy};
    status = credentials(x, &session, seconds);
    if (status != MR_OK)
        return status;
    struct mr_str role_id = mr_arena_printf(x->req->arena, "%s:" MR_STR_FMT, id, MR_STR_ARG(name));
    struct mr_str session_arn = mr_arena_printf(
        x->req->arena, "arn:%s:sts::%s:assumed-role/" MR_STR_FMT "/" MR_STR_FMT, x->call.api->partition,
        x->call.api->account, MR_STR_ARG(role->as.name), MR_STR_ARG(name));
    mr_buf_str(&x->out, MR_STR("<AssumedRoleUser>"));
    element(&x->out, "AssumedRoleId", role_id);
    element(&x->out, "Arn", session_arn);
    mr_buf_str(&x->out, MR_STR("</AssumedRoleUser>"));
    if (policy.ptr != NULL)
        mr_buf_printf(&x->out, "<PackedPolicySize>%zu</PackedPolicySize>",
                      (policy.len * 100 + MAX_POLICY - 1) / MAX_POLICY);
    return MR_OK;
}

/* ---- the way of a call ---- */

static void respond_error(struct sts *x)
{
    struct mr_buf body = MR_BUF_INIT;
    mr_buf_release(&x->out);
    mr_buf_printf(&body, "<ErrorResponse xmlns=\"" NAMESPACE "\"><Error><Type>%s</Type>",
                  x->status >= 500 ? "Receiver" : "Sender");
    element(&body, "Code", mr_str_of(x->code));
    element(&body, "Message", x->message);
    x->req->error_code = x->code;
    x->req->error_message = x->message;
    mr_buf_printf(&body, "</Error><RequestId>%s</RequestId></ErrorResponse>", x->req->id);
    x->req->content_type = XML;
    api_respond_raw(x->s, x->req, x->status, &body);
}

/* STS's own names for what auth_verify calls by those of the JSON services. */
static void name_failure(struct sts *x, const struct auth_failure *why)
{
    static const struct {
        const char *json, *query;
        unsigned status;
    } rows[] = {
        {"InvalidSignatureException", "SignatureDoesNotMatch", 403},
        {"IncompleteSignatureException", "IncompleteSignature", 400},
        {"UnrecognizedClientException", "InvalidClientTokenId", 403},
        {"ExpiredTokenException", "ExpiredToken", 403},
        {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403},
    };
    size_t i = 0;
    while (i + 1 < MR_ARRAY_LEN(rows) && strcmp(rows[i].json, why->type) != 0)
        i++;
    refuse(x, rows[i].status, rows[i].query, mr_arena_dup(x->req->arena, mr_str_of(why->message)));
}

static int authenticate(struct sts *x)
{
    struct auth_failure why;
    struct auth_options options = x->s->options.auth;
    options.service = "sts";
    int status = api_authenticate(x->s, x->req, &options, &why);
    if (status == MR_EDENIED)
        name_failure(x, &why);
    struct model_fault fault = {0};
    if (status == MR_OK && !api_admit(x->s, x->req, &fault))
        return fault.error == MODEL_THROTTLING ? refuse(x, 400, "Throttling", fault.message)
                                               : refuse(x, 500, "InternalFailure", fault.message);
    return status == MR_OK ? api_fill_call(x->s, x->req, NULL, &x->out, &x->call) : status;
}

static const struct action {
    const char *name;
    int (*run)(struct sts *x);
} actions[] = {{"GetCallerIdentity", get_caller_identity},
               {"GetSessionToken", get_session_token},
               {"AssumeRole", assume_role}};

/* For the audit log: which call it is and what it is about. Read before the signature is checked, so that
 * refused calls have it too. */
static int read_form(struct sts *x, const struct action **out)
{
    struct mr_pair *fields = NULL;
    struct mr_buf told = MR_BUF_INIT;
    static const char *const shown[] = {"RoleArn", "RoleSessionName", "DurationSeconds"};
    static const char *const names[] = {"roleArn", "roleSessionName", "durationSeconds"};
    int status = api_form_read(x->req->http.body, x->req->arena, &fields, &x->nfields);
    x->fields = fields;
    *out = NULL;
    for (size_t i = 0; status == MR_OK && i < MR_ARRAY_LEN(actions); i++)
        if (mr_str_eq(field(x, "Action"), mr_str_of(actions[i].name)))
            *out = &actions[i];
    x->req->sts_action = *out != NULL ? (*out)->name : "-";
    mr_buf_char(&told, '{');
    for (size_t i = 0; status == MR_OK && i < MR_ARRAY_LEN(shown); i++) {
        struct mr_str text = mr_str_slice(field(x, shown[i]), 0, AUDIT_MAX_TEXT);
        if (text.ptr == NULL || !mr_utf8_valid(text))
            continue;
        mr_buf_printf(&told, "%s\"%s\":", told.len > 1 ? "," : "", names[i]);
        json_write_string(&told, text);
    }
    mr_buf_char(&told, '}');
    x->req->sts_parameters = mr_buf_ok(&told) ? mr_arena_dup(x->req->arena, mr_buf_view(&told)) : MR_STR_NULL;
    mr_buf_release(&told);
    return status;
}

static int run(struct sts *x)
{
    const struct action *action;
    int form = read_form(x, &action);
    int status = form == MR_ENOMEM ? form : authenticate(x);
    if (status != MR_OK)
        return status;
    if (form != MR_OK)
        return refuse(x, 400, "MalformedQueryString", MR_STR("The form cannot be read."));
    if (action == NULL)
        return refuse(x, 400, "InvalidAction",
                      mr_arena_printf(x->req->arena,
                                      "Could not find operation " MR_STR_FMT " for version 2011-06-15",
                                      MR_STR_ARG(mr_str_slice(field(x, "Action"), 0, 100))));
    mr_buf_printf(&x->out, "<%sResponse xmlns=\"" NAMESPACE "\"><%sResult>", action->name, action->name);
    status = action->run(x);
    mr_buf_printf(&x->out,
                  "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
                  action->name, x->req->id, action->name);
    return status == MR_OK && !mr_buf_ok(&x->out) ? MR_ENOMEM : status;
}

bool api_sts_is(const struct api_request *req)
{
    static const struct mr_str form = MR_STR("application/x-www-form-urlencoded");
    struct mr_str type = api_header(req, "content-type");
    return mr_str_eq(req->http.method, MR_STR("POST")) && api_header(req, "x-amz-target").ptr == NULL &&
           mr_str_ieq(mr_str_slice(type, 0, form.len), form);
}

void api_sts(struct api_server *s, struct api_request *req)
{
    struct sts x = {.s = s, .req = req, .out = MR_BUF_INIT};
    int status = run(&x);
    if (status == MR_OK) {
        req->content_type = XML;
        api_respond_raw(s, req, 200, &x.out);
        return;
    }
    if (x.code == NULL)
        refuse(&x, 500, "InternalFailure",
               MR_STR("The request processing has failed because of an unknown error."));
    respond_error(&x);
}
