/* tests/unit/seal/pieces.c - sealing by itself: published answers, round trips, tampering. */
#include "lib/check.h"

#include "base/rand.h"
#include "base/text.h"
#include "seal/seal.h"

#include <stdlib.h>

static int setup(void **state)
{
    struct seal_cipher *c;
    check_ok(seal_cipher_new(&c), NULL);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    seal_cipher_free(*state);
    return 0;
}

static void unhex(const char *hex, void *out)
{
    unsigned char *to = out;
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        to[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
}

struct vector {
    const char *key, *nonce, *plain, *aad, *sealed;
};

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: test cases 13 to 16, those with a
 * 256-bit key and a 96-bit nonce. */
static const struct vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf"
     "5"
     "aa0de657ba637b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6"
     "3"
     "93ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf"
     "5"
     "aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6"
     "3"
     "93ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

static void test_published_answers(void **state)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct seal_key key;
        unsigned char nonce[12], plain[64], aad[32], want[80], got[80];
        uint32_t stream;
        uint64_t counter;
        size_t len = strlen(v->plain) / 2;
        unhex(v->key, key.bytes);
        unhex(v->nonce, nonce);
        unhex(v->plain, plain);
        unhex(v->aad, aad);
        unhex(v->sealed, want);
        memcpy(&stream, nonce, 4); /* the nonce is stream, counter, both with the lowest byte first */
        memcpy(&counter, nonce + 4, 8);
        struct mr_str a = {(char *)aad, strlen(v->aad) / 2};
        seal_lock(*state, &key, stream, counter, a, (struct mr_str){(char *)plain, len}, got);
        assert_memory_equal(got, want, len + SEAL_TAG_BYTES);
        assert_true(seal_unlock(*state, &key, stream, counter, a,
                                (struct mr_str){(char *)got, len + SEAL_TAG_BYTES}, got));
        assert_memory_equal(got, plain, len);
    }
}

/* HKDF-SHA-256 done by hand with the HMAC of another implementation (Python's hmac, RFC 5869 section 2) over
 * data key 00 01 .. 1f and id 80 81 .. 9f. */
static void test_derived_key(void **state)
{
    MR_UNUSED(state);
    struct seal_key data, other, got;
    unsigned char id[SEAL_ID_BYTES], want[SEAL_KEY_BYTES];
    struct mr_error err = MR_ERROR_INIT;
    for (int i = 0; i < SEAL_KEY_BYTES; i++) {
        data.bytes[i] = (unsigned char)i;
        id[i] = (unsigned char)(0x80 + i);
    }
    unhex("fedf9c24c26ad9e51e7570eaf4c4abca4016b2176c5e1493ed9c31ff476c5118", want);
    check_ok(seal_derive(&data, id, &got, &err), &err);
    assert_memory_equal(got.bytes, want, sizeof want);
    id[31] ^= 1;
    check_ok(seal_derive(&data, id, &other, &err), &err);
    assert_memory_not_equal(got.bytes, other.bytes, SEAL_KEY_BYTES);
    seal_key_wipe(&got);
    static const struct seal_key zero;
    assert_memory_equal(got.bytes, zero.bytes, SEAL_KEY_BYTES);
}

/* Every length around the blocks of the cipher, in place and not, with two keys taking turns. */
static void test_round_trips(void **state)
{
    struct seal_key keys[2];
    unsigned char plain[300], sealed[316], back[316];
    mr_random_bytes(keys, sizeof keys);
    mr_random_bytes(plain, sizeof plain);
    for (size_t len = 0; len <= sizeof plain; len++) {
        const struct seal_key *key = &keys[len / 3 % 2];
        struct mr_str aad = {(char *)plain, len % 40};
        seal_lock(*state, key, 7, len, aad, (struct mr_str){(char *)plain, len}, sealed);
        memcpy(back, plain, len);
        seal_lock(*state, key, 7, len, aad, (struct mr_str){(char *)back, len}, back);
        assert_memory_equal(back, sealed, len + SEAL_TAG_BYTES);
        struct mr_str s = {(char *)sealed, len + SEAL_TAG_BYTES};
        assert_true(seal_unlock(*state, key, 7, len, aad, s, back));
        assert_memory_equal(back, plain, len);
        assert_true(seal_unlock(*state, key, 7, len, aad, s, sealed));
        assert_memory_equal(sealed, plain, len);
    }
}

/* A key changed where it lies is another key, and so is the same key elsewhere the same. */
static void test_the_key_is_its_bytes(void **state)
{
    struct seal_key key, copy;
    unsigned char a[20], b[20], c[20];
    mr_random_bytes(&key, sizeof key);
    copy = key;
    seal_lock(*state, &key, 1, 1, MR_STR(""), MR_STR("mill"), a);
    key.bytes[31] ^= 1;
    seal_lock(*state, &key, 1, 1, MR_STR(""), MR_STR("mill"), b);
    assert_memory_not_equal(a, b, sizeof a);
    seal_lock(*state, &copy, 1, 1, MR_STR(""), MR_STR("mill"), c);
    assert_memory_equal(a, c, sizeof a);
    assert_false(seal_unlock(*state, &key, 1, 1, MR_STR(""), (struct mr_str){(char *)c, 20}, c));
}

static void test_every_bit_matters(void **state)
{
    struct seal_key key;
    unsigned char aad[24], plain[37], sealed[sizeof plain + SEAL_TAG_BYTES], out[sizeof sealed];
    mr_random_bytes(&key, sizeof key);
    mr_random_bytes(aad, sizeof aad);
    mr_random_bytes(plain, sizeof plain);
    struct mr_str a = {(char *)aad, sizeof aad}, s = {(char *)sealed, sizeof sealed};
    seal_lock(*state, &key, 3, 9, a, (struct mr_str){(char *)plain, sizeof plain}, sealed);
    struct {
        unsigned char *bytes;
        size_t len;
    } part[] = {{aad, sizeof aad}, {sealed, sizeof sealed}, {key.bytes, sizeof key.bytes}};
    for (size_t p = 0; p < MR_ARRAY_LEN(part); p++) {
        for (size_t bit = 0; bit < 8 * part[p].len; bit++) {
            part[p].bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_false(seal_unlock(*state, &key, 3, 9, a, s, out));
            part[p].bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
    for (unsigned bit = 0; bit < 32; bit++)
        assert_false(seal_unlock(*state, &key, 3 ^ (1u << bit), 9, a, s, out));
    for (unsigned bit = 0; bit < 64; bit++)
        assert_false(seal_unlock(*state, &key, 3, 9 ^ (UINT64_C(1) << bit), a, s, out));
    for (size_t cut = 1; cut <= sizeof sealed; cut++)
        assert_false(seal_unlock(*state, &key, 3, 9, a, (struct mr_str){s.ptr, s.len - cut}, out));
    assert_false(seal_unlock(*state, &key, 3, 9, (struct mr_str){a.ptr, a.len - 1}, s, out));
    assert_true(seal_unlock(*state, &key, 3, 9, a, s, out));
    assert_memory_equal(out, plain, sizeof plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_answers), cmocka_unit_test(test_derived_key),
        cmocka_unit_test(test_round_trips),       cmocka_unit_test(test_the_key_is_its_bytes),
        cmocka_unit_test(test_every_bit_matters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
