/* Walks tests/sigv4: canonical request, string to sign and signature of each case, signed and verified. */
#include "wire.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { LEAST_CASES = 80 };

/* The file of a case as a C string, or NULL when it does not exist. */
static char *slurp(const char *name, const char *file)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", SIGV4_DIR, name, file);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, in) < 65535);
    fclose(in);
    return text;
}

struct golden {
    char *request, *canonical, *to_sign, *authorization, *refusal;
    bool presigned;
    struct mr_str signed_headers, region; /* read from the authorization */
    struct wire wire;
};

/* What stands between `before` and the next character of `stops`. */
static struct mr_str between(const char *text, const char *before, const char *stops)
{
    const char *at = strstr(text, before);
    assert_non_null(at);
    at += strlen(before);
    return (struct mr_str){at, strcspn(at, stops)};
}

static void golden_load(struct golden *g, const char *name, struct mr_arena *arena)
{
    *g = (struct golden){.request = slurp(name, "request"),
                         .canonical = slurp(name, "canonical"),
                         .to_sign = slurp(name, "string-to-sign"),
                         .authorization = slurp(name, "authorization"),
                         .refusal = slurp(name, "refusal")};
    assert_non_null(g->request);
    assert_non_null(g->canonical);
    assert_non_null(g->to_sign);
    assert_non_null(g->authorization);
    g->presigned = strncmp(name, "presign-", 8) == 0;
    wire_parse(&g->wire, g->request);
    struct mr_str list = between(g->authorization, "SignedHeaders=", ",&");
    char *room = mr_arena_alloc(arena, list.len);
    assert_non_null(room);
    g->signed_headers = auth_uri_decode(list, room);
    g->region = between(g->authorization, g->presigned ? "20260102%2F" : "20260102/", "/%");
}

static void golden_free(struct golden *g)
{
    free(g->request);
    free(g->canonical);
    free(g->to_sign);
    free(g->authorization);
    free(g->refusal);
    wire_free(&g->wire);
}

static bool has_header(const struct wire *wire, const char *name)
{
    for (size_t i = 0; i < wire->req.nheaders; i++)
        if (mr_str_ieq(wire->headers[i].name, mr_str_of(name)))
            return true;
    return false;
}

static struct auth_credentials credentials_of(const struct golden *g)
{
    bool temporary = strstr(g->authorization, WIRE_TEMP_ID) != NULL;
    struct auth_credentials cred = temporary ? wire_temporary_credentials() : wire_credentials();
    cred.region = g->region;
    return cred;
}

static void steps_match(struct golden *g)
{
    struct auth_request req = g->wire.req;
    if (g->presigned)
        req.query = mr_str_of(g->authorization);
    char hash[AUTH_HEX_LEN + 1];
    struct mr_buf canonical = MR_BUF_INIT, to_sign = MR_BUF_INIT;
    struct auth_scope scope = {MR_STR("20260102"), g->region, MR_STR("timestream")};
    assert_int_equal(auth_sha256_hex(req.body, hash), MR_OK);
    assert_int_equal(auth_canonical_request(&req, g->signed_headers, mr_str_of(hash), &canonical), MR_OK);
    check_str(mr_buf_view(&canonical), g->canonical);
    assert_int_equal(
        auth_string_to_sign(MR_STR("20260102T030405Z"), &scope, mr_buf_view(&canonical), &to_sign), MR_OK);
    check_str(mr_buf_view(&to_sign), g->to_sign);
    mr_buf_release(&canonical);
    mr_buf_release(&to_sign);
}

/* Client: from the bare request to the golden signature. Our client dates with X-Amz-Date only. */
static void signing_matches(const struct golden *g, struct mr_arena *arena)
{
    struct auth_credentials cred = credentials_of(g);
    struct wire bare = g->wire;
    bare.req.headers = bare.headers;
    if (g->presigned) {
        struct mr_str seconds = between(g->authorization, "X-Amz-Expires=", "&"), query;
        int64_t expires = 0;
        assert_true(mr_str_to_i64(seconds, &expires));
        assert_int_equal(auth_presign(&cred, &bare.req, WIRE_NOW, (unsigned)expires, arena, &query), MR_OK);
        check_str(query, g->authorization);
        return;
    }
    if (!has_header(&bare, "x-amz-date"))
        return;
    if (g->refusal != NULL)
        cred.session_token = MR_STR_NULL; /* the client that forgot to sign it */
    wire_drop(&bare, "x-amz-date");
    wire_drop(&bare, "x-amz-security-token");
    struct mr_pair out[4];
    size_t n;
    assert_int_equal(auth_sign(&cred, &bare.req, WIRE_NOW, arena, out, &n), MR_OK);
    check_str(out[0].name, "authorization");
    check_str(out[0].value, g->authorization);
    assert_int_equal(n, cred.session_token.ptr != NULL ? 3 : 2);
}

/* Server: the golden request with its golden signature. */
static void verifying_matches(struct golden *g, const struct auth_keys *keys)
{
    struct wire full = g->wire;
    full.req.headers = full.headers;
    if (g->presigned)
        full.req.query = mr_str_of(g->authorization);
    else
        wire_set(&full, "Authorization", mr_str_of(g->authorization));
    assert_string_equal(wire_verdict(&full, keys, WIRE_NOW), g->refusal != NULL ? g->refusal : "");
}

/* Each digit of the signature, one bit off. The authorization ends with it. */
static void forged_signatures_fail(struct golden *g, const struct auth_keys *keys)
{
    struct wire full = g->wire;
    full.req.headers = full.headers;
    if (g->presigned)
        full.req.query = mr_str_of(g->authorization);
    else
        wire_set(&full, "Authorization", mr_str_of(g->authorization));
    char *end = g->authorization + strlen(g->authorization);
    for (char *digit = end - AUTH_HEX_LEN; digit < end; digit++) {
        *digit ^= 1;
        assert_string_not_equal(wire_verdict(&full, keys, WIRE_NOW), "");
        *digit ^= 1;
    }
}

static void every_case_in_both_directions(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    DIR *dir = opendir(SIGV4_DIR);
    assert_non_null(dir);
    unsigned seen = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strchr(entry->d_name, '.') != NULL || strchr(entry->d_name, '-') == NULL)
            continue;
        print_message("%s\n", entry->d_name);
        struct mr_arena arena = MR_ARENA_INIT;
        struct golden g;
        golden_load(&g, entry->d_name, &arena);
        steps_match(&g);
        signing_matches(&g, &arena);
        verifying_matches(&g, keys);
        forged_signatures_fail(&g, keys);
        golden_free(&g);
        mr_arena_release(&arena);
        seen++;
    }
    closedir(dir);
    auth_keys_free(keys);
    assert_true(seen >= LEAST_CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_in_both_directions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
