/* tests/unit/kms/answer.c - what the service's answers mean, and that nothing else is taken for one. */
#include "lib/check.h"

#include "kms/answer.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void test_statuses(void **state)
{
    MR_UNUSED(state);
    static const struct {
        int http;
        const char *body;
        int want;
        const char *type;
    } rows[] = {
        {200, "{}", MR_OK, ""},
        {400, "{\"__type\":\"NotFoundException\"}", MR_ENOENT, "NotFoundException"},
        {400, "{\"__type\":\"com.amazonaws.kms#DisabledException\"}", MR_EINVAL, "DisabledException"},
        {400, "{\"__type\":\"KMSInvalidStateException\",\"message\":\"x\"}", MR_EINVAL,
         "KMSInvalidStateException"},
        {400, "{\"__type\":\"AccessDeniedException\"}", MR_EDENIED, "AccessDeniedException"},
        {400, "{\"__type\":\"InvalidCiphertextException\"}", MR_ECORRUPT, "InvalidCiphertextException"},
        {400, "{\"__type\":\"ThrottlingException\"}", MR_EIO, "ThrottlingException"},
        {403, "{\"__type\":\"InvalidSignatureException\"}", MR_EIO, "InvalidSignatureException"},
        {500, "{\"__type\":\"KMSInternalException\"}", MR_EIO, "KMSInternalException"},
        {503, "{\"__type\":\"DisabledException\"}", MR_EIO, "DisabledException"},
        {302, "", MR_EIO, ""},
        {400, "<html>", MR_EIO, ""},
        {400, "{\"__type\":7}", MR_EIO, ""},
        {400, "[]", MR_EIO, ""},
        {400, "{\"__type\":\"a\\\"b\\nc\"}", MR_EIO, "abc"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        char type[64];
        int got = kms_answer_status(rows[i].http, mr_str_of(rows[i].body), &arena, type);
        if (got != rows[i].want || strcmp(type, rows[i].type) != 0)
            fail_msg("%d %s: %d %s", rows[i].http, rows[i].body, got, type);
        mr_arena_release(&arena);
    }
}

static void test_metadata(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *body;
        int want;
    } rows[] = {
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\"}}", MR_OK},
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"KeyState\":\"Enabled\",\"KeyUsage\":\"ENCRYPT_DECRYPT\","
         "\"KeySpec\":\"SYMMETRIC_DEFAULT\"}}",
         MR_OK},
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"KeyState\":\"Disabled\"}}", MR_EINVAL},
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"KeyState\":\"PendingDeletion\"}}", MR_EINVAL},
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"KeyUsage\":\"SIGN_VERIFY\"}}", MR_EINVAL},
        {"{\"KeyMetadata\":{\"Arn\":\"arn:k\",\"KeySpec\":\"RSA_2048\"}}", MR_EINVAL},
        {"{\"KeyMetadata\":{\"Arn\":\"\"}}", MR_EIO},
        {"{\"KeyMetadata\":{}}", MR_EIO},
        {"{\"KeyMetadata\":[]}", MR_EIO},
        {"{}", MR_EIO},
        {"", MR_EIO},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct mr_str arn;
        int got = kms_answer_metadata(mr_str_of(rows[i].body), &arena, &arn);
        if (got != rows[i].want)
            fail_msg("%s: %d", rows[i].body, got);
        if (got == MR_OK)
            check_str(arn, "arn:k");
        mr_arena_release(&arena);
    }
}

static void test_keys(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *body;
        int want;
        size_t wrapped;
    } rows[] = {
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"AQIDBA==\"}", MR_OK, 4},
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"AQIDBAU=\"}", MR_OK, 5},
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"AQIDBAUG\"}", MR_OK, 6},
        {"{\"Plaintext\":\"" KEY "\"}", MR_EIO, 0},
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"\"}", MR_EIO, 0},
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"AQI\"}", MR_EIO, 0},
        {"{\"Plaintext\":\"" KEY "\",\"CiphertextBlob\":\"A*ID\"}", MR_EIO, 0},
        {"{\"Plaintext\":\"AQIDBA==\",\"CiphertextBlob\":\"AQIDBA==\"}", MR_EIO, 0}, /* too short a key */
        {"{\"Plaintext\":7,\"CiphertextBlob\":\"AQIDBA==\"}", MR_EIO, 0},
        {"{\"CiphertextBlob\":\"AQIDBA==\"}", MR_EIO, 0},
        {"null", MR_EIO, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct mr_buf wrapped = MR_BUF_INIT;
        unsigned char key[KMS_KEY_BYTES];
        int got = kms_answer_key(mr_str_of(rows[i].body), &arena, key, &wrapped);
        if (got != rows[i].want || wrapped.len != rows[i].wrapped)
            fail_msg("%s: %d, %zu bytes", rows[i].body, got, wrapped.len);
        for (size_t k = 0; got == MR_OK && k < KMS_KEY_BYTES; k++)
            assert_int_equal(key[k], k);
        mr_buf_release(&wrapped);
        mr_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests_name("kms/answer", tests, NULL, NULL);
}
