/* Table 2.4 of the write-api reference, row by row: type and text of every refusal, and which comes first. */
#include "refusals.h"

struct row {
    const char *request; /* text before the empty line */
    const char *verdict;
};

static void refused(const struct row *rows, size_t n)
{
    struct auth_keys *keys = wire_keys();
    for (size_t i = 0; i < n; i++) {
        struct wire wire;
        wire_parse(&wire, rows[i].request);
        assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW), rows[i].verdict);
        wire_free(&wire);
    }
    auth_keys_free(keys);
}

static void both_or_neither(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {QUERY(ALL) AUTH(CRED, LIST), BOTH},
        {QUERY(ALGORITHM) DATE AUTH(CRED, LIST), BOTH},
        {QUERY("X-Amz-Algorithm=") RAW("x"), BOTH},
        {QUERY("a=1&X-Amz-Algorithm") RAW("x"), BOTH},
        {QUERY("X%2DAmz-Algorithm=x") RAW("x"), BOTH},
        {GET, NO_TOKEN},
        {"GET /\n", NO_TOKEN},
        {"GET /?x-amz-algorithm=" V4 "\n", NO_TOKEN},
        {GET RAW(""), NO_TOKEN},
        {GET RAW("   "), NO_TOKEN},
        {QUERY("X-Amz-Signature=" SIG QDATE), NO_TOKEN},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void header_lacks_a_part(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {GET RAW(V4 " SignedHeaders=" LIST ", Signature=" SIG),
         INC NO_CRED "Authorization=" V4 " SignedHeaders=" LIST ", Signature=" SIG},
        {GET RAW(V4 " Credential=" CRED ", SignedHeaders=" LIST),
         INC NO_SIG "Authorization=" V4 " Credential=" CRED ", SignedHeaders=" LIST},
        {GET RAW(V4 " Credential=" CRED ",Signature=" SIG),
         INC NO_LIST "Authorization=" V4 " Credential=" CRED ",Signature=" SIG},
        {TOP AUTH(CRED, "host"),
         INC NO_DATE "Authorization=" V4 " Credential=" CRED ", SignedHeaders=host, Signature=" SIG},
        {TOP "X-Amz-Date:\n" RAW(V4 " Credential=a,SignedHeaders=b,Signature=c"),
         INC NO_DATE "Authorization=" V4 " Credential=a,SignedHeaders=b,Signature=c"},
        {GET RAW(V4), INC NO_CRED NO_SIG NO_LIST "Authorization=" V4},
        {TOP RAW(V4), INC NO_CRED NO_SIG NO_LIST NO_DATE "Authorization=" V4},
        {GET RAW(V4 " Credential=, Signature=, SignedHeaders="),
         INC NO_CRED NO_SIG NO_LIST "Authorization=" V4 " Credential=, Signature=, SignedHeaders="},
        {GET RAW("Basic dXNlcjpwYXNz"), INC NO_CRED NO_SIG NO_LIST "Authorization=Basic dXNlcjpwYXNz"},
        {GET RAW("Bearer abc.def"), INC NO_CRED NO_SIG NO_LIST "Authorization=Bearer abc.def"},
        {GET RAW(V4 " credential=" CRED ", signedheaders=" LIST ", signature=" SIG),
         INC NO_CRED NO_SIG NO_LIST "Authorization=" V4 " credential=" CRED ", signedheaders=" LIST
                                    ", signature=" SIG},
        {GET RAW(V4 " Credential=a, SignedHeaders=b, Signature\x01=c\x7f"),
         INC NO_SIG "Authorization=" V4 " Credential=a, SignedHeaders=b, Signature?=c?"},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void part_without_equal_sign(void **state)
{
    (void)state;
#define THREE "Credential=a,SignedHeaders=b,Signature=c"
    static const struct row rows[] = {
        {GET RAW(V4 " junk," THREE), NO_EQUALS("junk", V4 " junk," THREE)},
        {GET RAW(V4 " " THREE ", trailing"), NO_EQUALS("trailing", V4 " " THREE ", trailing")},
        {GET RAW(V4 " " THREE " one two"), NO_EQUALS("one", V4 " " THREE " one two")},
        {GET RAW(V4 " Credential," THREE), NO_EQUALS("Credential", V4 " Credential," THREE)},
        {GET RAW(V4 " " THREE ",Credential=z"),
         INC "Authorization header has more than one 'Credential' parameter."},
        {GET RAW(V4 " " THREE " Signature=c"),
         INC "Authorization header has more than one 'Signature' parameter."},
        {GET RAW(V4 " SignedHeaders=host," THREE),
         INC "Authorization header has more than one 'SignedHeaders' parameter."},
        {GET AUTH(CRED, LIST) AUTH(CRED, LIST), INC "The request has more than one Authorization header."},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void query_lacks_a_part(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {QUERY(ALGORITHM QDATE EXPIRES QLIST QSIG), INC NO_PARAM("X-Amz-Credential") RE},
        {QUERY(ALGORITHM CREDENTIAL EXPIRES QLIST QSIG), INC NO_PARAM("X-Amz-Date") RE},
        {QUERY(ALGORITHM CREDENTIAL QDATE QLIST QSIG), INC NO_PARAM("X-Amz-Expires") RE},
        {QUERY(ALGORITHM CREDENTIAL QDATE EXPIRES QSIG), INC NO_PARAM("X-Amz-SignedHeaders") RE},
        {QUERY(ALGORITHM CREDENTIAL QDATE EXPIRES QLIST), INC NO_PARAM("X-Amz-Signature") RE},
        {QUERY("X-Amz-Algorithm" CREDENTIAL QDATE EXPIRES QLIST QSIG), INC NO_PARAM("X-Amz-Algorithm") RE},
        {QUERY(ALGORITHM "&X-Amz-Credential=" QDATE EXPIRES QLIST QSIG), INC NO_PARAM("X-Amz-Credential") RE},
        {QUERY(ALGORITHM "&x-amz-credential=a" QDATE EXPIRES QLIST QSIG),
         INC NO_PARAM("X-Amz-Credential") RE},
        {QUERY(ALGORITHM), INC NO_PARAM("X-Amz-Credential") NO_PARAM("X-Amz-Signature") NO_PARAM(
                               "X-Amz-SignedHeaders") NO_PARAM("X-Amz-Date") NO_PARAM("X-Amz-Expires") RE},
        {QUERY(ALL QDATE), INC "AWS query-string parameter 'X-Amz-Date' is given more than once."},
        {QUERY(ALL QSIG), INC "AWS query-string parameter 'X-Amz-Signature' is given more than once."},
        {QUERY(ALL EXPIRES), INC "AWS query-string parameter 'X-Amz-Expires' is given more than once."},
        {QUERY(ALL "&X-Amz-Security-Token=a&X-Amz-Security-Token=b"),
         INC "AWS query-string parameter 'X-Amz-Security-Token' is given more than once."},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void bad_date(void **state)
{
    (void)state;
#define X(date) TOP "X-Amz-Date: " date "\n" AUTH(CRED, LIST), BAD_DATE(date)
#define H(date) TOP "Date: " date "\n" AUTH(CRED, "host"), BAD_DATE(date)
    static const struct row rows[] = {
        {X("2026-01-02T03:04:05Z")},
        {X("20260102T030405")},
        {X("20260102 030405Z")},
        {X("20260102T030405z")},
        {X("20260102T0304051")},
        {X("20261302T030405Z")},
        {X("20260002T030405Z")},
        {X("20260100T030405Z")},
        {X("20260132T030405Z")},
        {X("20260229T030405Z")},
        {X("20260102T240405Z")},
        {X("20260102T036005Z")},
        {X("20260102T030460Z")},
        {X("19691231T235959Z")},
        {X("99990102T030405Z")},
        {X("2026010aT030405Z")},
        {X("yesterday")},
        {X("Fri, 02 Jan 2026 03:04:05 GMT")},
        {H("Fri, 02 Jan 2026 03:04:05 CET")},
        {H("Fri, 02 Jan 2026 03:04:05 +0100")},
        {H("Fri, 02 jan 2026 03:04:05 GMT")},
        {H("Fri, 02 Jan 2026 03-04-05 GMT")},
        {H("Friday, 02-Jan-26 03:04:05 GMT")},
        {H("Fri Jan 2 03:04:05 2026")},
        {H("Fri, 102 Jan 2026 03:04:05 GMT")},
        {H("Fri, 31 Feb 2026 03:04:05 GMT")},
        {H("Fri, 02 Jan 2026 3:04:05 GMT ok")},
        {H("1767323045")},
        {TOP DATE DATE AUTH(CRED, LIST), BAD_DATE("20260102T030405Z,20260102T030405Z")},
        {QUERY(ALGORITHM CREDENTIAL "&X-Amz-Date=2026" EXPIRES QLIST QSIG), BAD_DATE("2026")},
        {QUERY(ALGORITHM CREDENTIAL "&X-Amz-Date=Fri,%2002%20Jan%202026%2003:04:05%20GMT" EXPIRES QLIST QSIG),
         BAD_DATE("Fri, 02 Jan 2026 03:04:05 GMT")},
        {QUERY(ALGORITHM CREDENTIAL "&X-Amz-Date=%00%0a" EXPIRES QLIST QSIG), BAD_DATE("")},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

#define EXPIRES_TEXT(x) INC "X-Amz-Expires must be a number of seconds from 1 to 604800. Got '" x "'."
#define QEXPIRES(x)                                                                                          \
    {                                                                                                        \
        QUERY(ALGORITHM CREDENTIAL QDATE "&X-Amz-Expires=" x QLIST QSIG), EXPIRES_TEXT(x)                    \
    }

static void expires_out_of_range(void **state)
{
    (void)state;
    static const struct row rows[] = {
        QEXPIRES("0"),   QEXPIRES("-1"),  QEXPIRES("604801"), QEXPIRES("99999999999999999999"),
        QEXPIRES("1.5"), QEXPIRES("10s"), QEXPIRES("soon"),
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void headers_that_must_be_signed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {GET AUTH(CRED, "x-amz-date"), NO_HOST},
        {GET AUTH(CRED, "Host;x-amz-date"), NO_HOST},
        {GET AUTH(CRED, "hosts;x-amz-date"), NO_HOST},
        {GET AUTH(CRED, ";"), NO_HOST},
        {QUERY(ALGORITHM CREDENTIAL QDATE EXPIRES "&X-Amz-SignedHeaders=accept" QSIG), NO_HOST},
        {GET AUTH(CRED, "host"), UNSIGNED("X-Amz-Date")},
        {GET AUTH(CRED, "host;X-Amz-Date"), UNSIGNED("X-Amz-Date")},
        {GET "X-Amz-Target: Timestream_20181101.DeleteTable\n" AUTH(CRED, LIST), UNSIGNED("X-Amz-Target")},
        {GET "x-AMZ-target: Timestream_20181101.DeleteTable\n" AUTH(CRED, LIST), UNSIGNED("x-AMZ-target")},
        {GET "X-Amz-Security-Token: t\n" AUTH(CRED, LIST), UNSIGNED("X-Amz-Security-Token")},
        {GET "x-amz-: t\n" AUTH(CRED, LIST), UNSIGNED("x-amz-")},
        {QUERY(ALL) "X-Amz-Target: Timestream_20181101.DeleteTable\n", UNSIGNED("X-Amz-Target")},
        {GET "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\n" AUTH(CRED, "host;x-amz-content-sha256;x-amz-date"),
         INV "The body must be signed: x-amz-content-sha256 may not be 'UNSIGNED-PAYLOAD'."},
        {GET "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n" AUTH(
             CRED, "host;x-amz-content-sha256;x-amz-date"),
         INV
         "The body must be signed: x-amz-content-sha256 may not be 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'."},
        {GET "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n" AUTH(
             CRED, "host;x-amz-content-sha256;x-amz-date"),
         INV
         "The body must be signed: x-amz-content-sha256 may not be 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'."},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void algorithm(void **state)
{
    (void)state;
#define A(name)                                                                                              \
    GET RAW(name " Credential=" CRED ",SignedHeaders=" LIST ",Signature=" SIG), BAD_ALGORITHM(name)
    static const struct row rows[] = {
        {A("AWS4-HMAC-SHA512")},
        {A("AWS4-ECDSA-P256-SHA256")},
        {A("aws4-hmac-sha256")},
        {A("AWS")},
        {A("AWS4-HMAC-SHA256x")},
        {A("AWS4-HMAC-SHA256,")},
        {QUERY("X-Amz-Algorithm=AWS4-HMAC-SHA1" CREDENTIAL QDATE EXPIRES QLIST QSIG),
         BAD_ALGORITHM("AWS4-HMAC-SHA1")},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void credential(void **state)
{
    (void)state;
#define C(cred) GET AUTH(cred, LIST), NOT_FIVE(cred)
#define S(cred, text) GET AUTH(cred, LIST), INV text
    static const struct row rows[] = {
        {C("AKIDEXAMPLE")},
        {C("AKIDEXAMPLE/20260102/us-east-1/timestream")},
        {C("/AKIDEXAMPLE" SCOPE)},
        {C(CRED "/")},
        {C(CRED "/a/b/c/d/e/f")},
        {QUERY(ALGORITHM "&X-Amz-Credential=a%2Fb" QDATE EXPIRES QLIST QSIG), NOT_FIVE("a/b")},
        {S("AKIDEXAMPLE/20260102//timestream/aws4_request", REGION(""))},
        {S("AKIDEXAMPLE/20260102/US-EAST-1/timestream/aws4_request", REGION("US-EAST-1"))},
        {S("AKIDEXAMPLE/20260102/us_east/timestream/aws4_request", REGION("us_east"))},
        {S("AKIDEXAMPLE/20260102/-us/timestream/aws4_request", REGION("-us"))},
        {S("AKIDEXAMPLE/20260102/us-/timestream/aws4_request", REGION("us-"))},
        {S("AKIDEXAMPLE/20260102/1us/timestream/aws4_request", REGION("1us"))},
        {S("AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request", SERVICE)},
        {S("AKIDEXAMPLE/20260102/us-east-1/Timestream/aws4_request", SERVICE)},
        {S("AKIDEXAMPLE/20260102/us-east-1//aws4_request", SERVICE)},
        {S("AKIDEXAMPLE/20260102/us-east-1/timestream/aws5_request", TERM("aws5_request"))},
        {S("AKIDEXAMPLE/20260102/us-east-1/timestream/", TERM(""))},
        {S("AKIDEXAMPLE/20260103/us-east-1/timestream/aws4_request", DAY("20260103"))},
        {S("AKIDEXAMPLE/2026/us-east-1/timestream/aws4_request", DAY("2026"))},
        {S("AKIDEXAMPLE//us-east-1/timestream/aws4_request", DAY(""))},
        {S("AKIDEXAMPLE/d/R/s/t", REGION("R") SERVICE TERM("t") DAY("d"))},
        {S("AKIDEXAMPLE/20260102/R/s/t", REGION("R") SERVICE TERM("t"))},
        {S("AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request", SERVICE DAY("20260101"))},
        {QUERY(ALGORITHM "&X-Amz-Credential=a%2F20260102%2Feu%2Fs3%2Faws4_request" QDATE EXPIRES QLIST QSIG),
         INV SERVICE},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

static void key_and_signature(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {GET AUTH("AKIDNOBODY" SCOPE, LIST), UNKNOWN},
        {GET AUTH("akidexample" SCOPE, LIST), UNKNOWN},
        {GET AUTH("AKIDEXAMPLE2" SCOPE, LIST), UNKNOWN},
        {GET AUTH("AKIDEXAMPL" SCOPE, LIST), UNKNOWN},
        {GET AUTH(SCOPE, LIST), UNKNOWN},
        {QUERY(ALGORITHM
               "&X-Amz-Credential=A%2F20260102%2Feu%2Ftimestream%2Faws4_request" QDATE EXPIRES QLIST QSIG),
         UNKNOWN},
        {GET AUTH(CRED, LIST), MISMATCH},
        {GET AUTH(WIRE_TEMP_ID SCOPE, LIST), MISMATCH},
        {QUERY(ALL), MISMATCH},
        {GET AUTH(CRED, "absent;host;x-amz-date"), MISMATCH},
        {GET AUTH(CRED, "host;;x-amz-date"), MISMATCH},
        {"POST /\n" DATE AUTH(CRED, LIST), MISMATCH},
        {GET RAW(V4 " Credential=" CRED ", SignedHeaders=" LIST ", Signature=00"), MISMATCH},
        {GET RAW(V4 " Credential=" CRED ", SignedHeaders=" LIST ", Signature=" SIG "00"), MISMATCH},
        {GET RAW(V4 " Credential=" CRED ", SignedHeaders=" LIST ", Signature=nonsense"), MISMATCH},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

/* Requests with two faults each: the row further up in the table answers. */
static void first_row_wins(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {QUERY("X-Amz-Algorithm=x") RAW("y"), BOTH},
        {TOP RAW("AWS5 junk"), INC NO_CRED NO_SIG NO_LIST NO_DATE "Authorization=AWS5 junk"},
        {TOP "X-Amz-Date: never\n" RAW(V4 " Credential=a,SignedHeaders=b"),
         INC NO_SIG "Authorization=" V4 " Credential=a,SignedHeaders=b"},
        {TOP "X-Amz-Date: never\n" AUTH(CRED, "accept"), BAD_DATE("never")},
        {QUERY(ALGORITHM CREDENTIAL "&X-Amz-Date=never&X-Amz-Expires=0" QLIST QSIG), BAD_DATE("never")},
        {TOP "X-Amz-Date: 20260102T020405Z\n" AUTH(CRED, "accept"),
         INV "Signature expired: 20260102T020405Z is now earlier than 20260102T024905Z (20260102T030405Z - "
             "15 min.)"},
        {TOP "X-Amz-Date: 20260102T040405Z\n" AUTH("a", LIST), INV
         "Signature not yet current: 20260102T040405Z is still later than 20260102T031905Z (20260102T030405Z "
         "+ 15 min.)"},
        {GET RAW("AWS5 Credential=a,SignedHeaders=b,Signature=c"), NO_HOST},
        {GET RAW("AWS5 Credential=a,SignedHeaders=host;x-amz-date,Signature=c"), BAD_ALGORITHM("AWS5")},
        {GET AUTH("AKIDNOBODY/20260102/us-east-1/s3/aws4_request", LIST), INV SERVICE},
        {GET AUTH("AKIDNOBODY" SCOPE, "absent;host;x-amz-date"), UNKNOWN},
        {GET "X-Amz-Security-Token: t\n" AUTH(CRED, "host;x-amz-date;x-amz-security-token"), MISMATCH},
    };
    refused(rows, MR_ARRAY_LEN(rows));
}

/* Sizes outside bytes may reach, at the limit and one above it. */
static void limits(void **state)
{
    (void)state;
    struct mr_buf text = MR_BUF_INIT;
    static const struct {
        const char *head, *filler, *tail;
        size_t times;
        const char *starts; /* how the verdict begins */
    } rows[] = {
        {GET "Authorization: ", "a", "\n", AUTH_MAX_AUTHORIZATION, INC NO_CRED},
        {GET "Authorization: ", "a", "\n", AUTH_MAX_AUTHORIZATION + 1,
         INC "The Authorization header is longer than 8192 bytes."},
        {GET "Authorization: " V4 " Credential=" CRED ",Signature=" SIG ",SignedHeaders=host;x-amz-date",
         ";a", "\n", AUTH_MAX_SIGNED_HEADERS - 2, MISMATCH},
        {GET "Authorization: " V4 " Credential=" CRED ",Signature=" SIG ",SignedHeaders=host;x-amz-date",
         ";a", "\n", AUTH_MAX_SIGNED_HEADERS - 1, INV "More than 100 headers are signed."},
        {"GET /?" ALGORITHM, "&", "\nHost: h\n", AUTH_MAX_QUERY_PARAMS - 1, INC NO_PARAM("X-Amz-Credential")},
        {"GET /?" ALGORITHM, "&", "\nHost: h\n", AUTH_MAX_QUERY_PARAMS,
         INC "The query string has more than 1000 parameters."},
    };
    struct auth_keys *keys = wire_keys();
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        text.len = 0;
        mr_buf_str(&text, mr_str_of(rows[i].head));
        for (size_t k = 0; k < rows[i].times; k++)
            mr_buf_str(&text, mr_str_of(rows[i].filler));
        mr_buf_str(&text, mr_str_of(rows[i].tail));
        mr_buf_char(&text, '\0');
        struct wire wire;
        wire_parse(&wire, text.ptr);
        const char *verdict = wire_verdict(&wire, keys, WIRE_NOW);
        if (!mr_str_starts(mr_str_of(verdict), mr_str_of(rows[i].starts)))
            assert_string_equal(verdict, rows[i].starts);
        wire_free(&wire);
    }
    auth_keys_free(keys);
    mr_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_or_neither),
        cmocka_unit_test(header_lacks_a_part),
        cmocka_unit_test(part_without_equal_sign),
        cmocka_unit_test(query_lacks_a_part),
        cmocka_unit_test(bad_date),
        cmocka_unit_test(expires_out_of_range),
        cmocka_unit_test(headers_that_must_be_signed),
        cmocka_unit_test(algorithm),
        cmocka_unit_test(credential),
        cmocka_unit_test(key_and_signature),
        cmocka_unit_test(first_row_wins),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
