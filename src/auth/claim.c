#include "auth/claim.h"

#define INCOMPLETE "IncompleteSignatureException"

static struct mr_str *part_of(struct auth_claim *claim, struct mr_str name)
{
    if (mr_str_eq(name, MR_STR("Credential")))
        return &claim->credential;
    if (mr_str_eq(name, MR_STR("Signature")))
        return &claim->signature;
    if (mr_str_eq(name, MR_STR("SignedHeaders")))
        return &claim->signed_headers;
    return NULL;
}

/* X-Amz-Date, else Date. An empty header is as good as none. */
static int read_header_date(const struct auth_request *req, struct mr_arena *arena, struct auth_claim *claim)
{
    int status = auth_header_value(req, MR_STR("x-amz-date"), arena, &claim->date);
    if (status != MR_OK || claim->date.len > 0)
        return status;
    status = auth_header_value(req, MR_STR("date"), arena, &claim->date);
    claim->date_is_header_date = claim->date.len > 0;
    return status;
}

/* Authorization = algorithm 1*( separator name "=" value ); separators are commas and blanks in any number.
 */
static int read_header(const struct auth_request *req, struct mr_str header, struct mr_arena *arena,
                       struct auth_claim *claim, struct auth_failure *why)
{
    struct mr_str malformed = MR_STR_NULL, repeated = MR_STR_NULL;
    size_t at = mr_str_find(header, ' ', 0);
    claim->algorithm = mr_str_slice(header, 0, at);
    while (at < header.len) {
        size_t from = at;
        while (from < header.len && (header.ptr[from] == ' ' || header.ptr[from] == ','))
            from++;
        for (at = from; at < header.len && header.ptr[at] != ' ' && header.ptr[at] != ',';)
            at++;
        if (at == from)
            continue;
        struct mr_str part = mr_str_slice(header, from, at);
        size_t eq = mr_str_find(part, '=', 0);
        struct mr_str *value = part_of(claim, mr_str_slice(part, 0, eq));
        if (eq == part.len && malformed.ptr == NULL)
            malformed = part;
        else if (value != NULL && value->ptr != NULL)
            repeated = mr_str_slice(part, 0, eq);
        else if (value != NULL && eq < part.len)
            *value = mr_str_slice(part, eq + 1, part.len);
    }
    int status = read_header_date(req, arena, claim);
    if (status != MR_OK)
        return status;
    if (claim->credential.len == 0 || claim->signature.len == 0 || claim->signed_headers.len == 0 ||
        claim->date.len == 0)
        return auth_fail(
            why, INCOMPLETE, "%s%s%s%sAuthorization=" MR_STR_FMT,
            claim->credential.len == 0 ? "Authorization header requires 'Credential' parameter. " : "",
            claim->signature.len == 0 ? "Authorization header requires 'Signature' parameter. " : "",
            claim->signed_headers.len == 0 ? "Authorization header requires 'SignedHeaders' parameter. " : "",
            claim->date.len == 0
                ? "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
                : "",
            MR_STR_ARG(header));
    if (malformed.ptr != NULL)
        return auth_fail(
            why, INCOMPLETE,
            "'" MR_STR_FMT
            "' not a valid key=value pair (missing equal-sign) in Authorization header: '" MR_STR_FMT "'.",
            MR_STR_ARG(malformed), MR_STR_ARG(header));
    if (repeated.ptr != NULL)
        return auth_fail(why, INCOMPLETE,
                         "Authorization header has more than one '" MR_STR_FMT "' parameter.",
                         MR_STR_ARG(repeated));
    return auth_header_value(req, MR_STR("x-amz-security-token"), arena, &claim->token);
}

/* The query parameters, decoded. */
struct query {
    struct mr_pair *params;
    size_t n;
};

static int decode_query(struct mr_str text, struct mr_arena *arena, struct query *query)
{
    size_t most = 1;
    for (size_t i = 0; i < text.len; i++)
        most += text.ptr[i] == '&';
    query->n = 0;
    query->params = MR_ARENA_ARRAY(arena, most, struct mr_pair);
    char *room = mr_arena_alloc(arena, text.len + 1);
    if (query->params == NULL || room == NULL)
        return MR_ENOMEM;
    for (size_t from = 0; from <= text.len;) {
        size_t to = mr_str_find(text, '&', from);
        size_t eq = mr_str_find(text, '=', from);
        if (eq > to)
            eq = to;
        struct mr_pair *param = &query->params[query->n++];
        param->name = auth_uri_decode(mr_str_slice(text, from, eq), room);
        room += param->name.len;
        param->value = auth_uri_decode(mr_str_slice(text, eq + 1 < to ? eq + 1 : to, to), room);
        room += param->value.len;
        from = to + 1;
    }
    return MR_OK;
}

/* The value of a parameter, MR_STR_NULL without one; *times counts its occurrences. */
static struct mr_str query_value(const struct query *query, struct mr_str name, size_t *times)
{
    struct mr_str value = MR_STR_NULL;
    *times = 0;
    for (size_t i = 0; i < query->n; i++)
        if (mr_str_eq(query->params[i].name, name) && (*times)++ == 0)
            value = query->params[i].value;
    return value;
}

static int read_query(const struct query *query, struct auth_claim *claim, struct auth_failure *why)
{
    const struct {
        struct mr_str name;
        struct mr_str *value;
        bool required;
    } wanted[] = {
        {MR_STR("X-Amz-Algorithm"), &claim->algorithm, true},
        {MR_STR("X-Amz-Credential"), &claim->credential, true},
        {MR_STR("X-Amz-Signature"), &claim->signature, true},
        {MR_STR("X-Amz-SignedHeaders"), &claim->signed_headers, true},
        {MR_STR("X-Amz-Date"), &claim->date, true},
        {MR_STR("X-Amz-Expires"), &claim->expires, true},
        {MR_STR("X-Amz-Security-Token"), &claim->token, false},
    };
    const char *missing[MR_ARRAY_LEN(wanted)];
    size_t nmissing = 0;
    struct mr_str repeated = MR_STR_NULL;
    claim->presigned = true;
    for (size_t i = 0; i < MR_ARRAY_LEN(wanted); i++) {
        size_t times;
        *wanted[i].value = query_value(query, wanted[i].name, &times);
        if (wanted[i].required && wanted[i].value->len == 0)
            missing[nmissing++] = wanted[i].name.ptr;
        if (times > 1)
            repeated = wanted[i].name;
    }
    if (nmissing > 0) {
        struct mr_buf text = MR_BUF_INIT;
        for (size_t i = 0; i < nmissing; i++)
            mr_buf_printf(&text, "AWS query-string parameters must include '%s'. ", missing[i]);
        int status = mr_buf_ok(&text)
                         ? auth_fail(why, INCOMPLETE, MR_STR_FMT "Re-examine the query-string parameters.",
                                     MR_STR_ARG(mr_buf_view(&text)))
                         : MR_ENOMEM;
        mr_buf_release(&text);
        return status;
    }
    if (repeated.ptr != NULL)
        return auth_fail(why, INCOMPLETE,
                         "AWS query-string parameter '" MR_STR_FMT "' is given more than once.",
                         MR_STR_ARG(repeated));
    return MR_OK;
}

int auth_claim_read(const struct auth_request *req, struct mr_arena *arena, struct auth_claim *claim,
                    struct auth_failure *why)
{
    *claim = (struct auth_claim){0};
    struct mr_str header = MR_STR_NULL;
    size_t nheaders = 0;
    for (size_t i = 0; i < req->nheaders; i++) {
        struct mr_str value = mr_str_trim(req->headers[i].value);
        if (auth_name_is(MR_STR("authorization"), req->headers[i].name) && value.len > 0 && nheaders++ == 0)
            header = value;
    }
    struct query query = {NULL, 0};
    size_t algorithms = 0;
    if (req->query.len > 0) {
        size_t ampersands = 0;
        for (size_t i = 0; i < req->query.len; i++)
            ampersands += req->query.ptr[i] == '&';
        if (ampersands >= AUTH_MAX_QUERY_PARAMS)
            return auth_fail(why, INCOMPLETE, "The query string has more than %d parameters.",
                             AUTH_MAX_QUERY_PARAMS);
        int status = decode_query(req->query, arena, &query);
        if (status != MR_OK)
            return status;
        (void)query_value(&query, MR_STR("X-Amz-Algorithm"), &algorithms);
    }
    if (header.len > 0 && algorithms > 0)
        return auth_fail(
            why, "InvalidSignatureException",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
    if (header.len == 0 && algorithms == 0)
        return auth_fail(why, "MissingAuthenticationTokenException", "Missing Authentication Token");
    if (algorithms > 0)
        return read_query(&query, claim, why);
    if (nheaders > 1)
        return auth_fail(why, INCOMPLETE, "The request has more than one Authorization header.");
    if (header.len > AUTH_MAX_AUTHORIZATION)
        return auth_fail(why, INCOMPLETE, "The Authorization header is longer than %d bytes.",
                         AUTH_MAX_AUTHORIZATION);
    return read_header(req, header, arena, claim, why);
}
