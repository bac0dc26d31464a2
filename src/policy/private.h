/* policy/private.h - a document after it was read, for the files of this room.
 *
 * Patterns are kept ready to match: three bytes that UTF-8 never has stand for what is not literal.
 */
#ifndef MR_POLICY_PRIVATE_H
#define MR_POLICY_PRIVATE_H

#include "policy/policy.h"

#define POLICY_MANY '\xFF'        /* any characters, none too */
#define POLICY_ONE '\xFE'         /* one character */
#define POLICY_VARIABLE '\xFD'    /* followed by the number of a variable as one byte, below 0x80 */
#define POLICY_MAX_VARIABLES 16   /* in one pattern */
#define POLICY_MAX_CONDITIONS 200 /* of one statement */

/* What can be said of a statement or a part of it. */
enum policy_truth { POLICY_NO, POLICY_YES, POLICY_UNKNOWN };

struct policy_variable {
    struct mr_str key;
    struct mr_str otherwise; /* ${key, 'otherwise'}; MR_STR_NULL without */
};

struct policy_pattern {
    struct mr_str text;
    struct mr_str parts[6]; /* of an ARN: what is between its first five colons, and the rest */
    bool arn;               /* parts are set */
    struct policy_variable *variables;
    uint8_t nvariables;
};

struct policy_patterns {
    struct policy_pattern *at;
    size_t n;
    bool inverted; /* NotAction, NotResource */
};

enum policy_type {
    POLICY_STRING,
    POLICY_STRING_IGNORE_CASE,
    POLICY_LIKE,
    POLICY_NUMERIC,
    POLICY_DATE,
    POLICY_BOOL,
    POLICY_IP,
    POLICY_ARN,
    POLICY_NULL,
};

enum policy_relation { POLICY_EQ, POLICY_LT, POLICY_LE, POLICY_GT, POLICY_GE };

struct policy_network {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

/* One value of a condition, parsed as its type wants it. */
struct policy_operand {
    struct policy_pattern pattern; /* STRING, STRING_IGNORE_CASE, LIKE, ARN */
    union {
        double number;                 /* NUMERIC */
        int64_t time;                  /* DATE: ns since the epoch */
        bool truth;                    /* BOOL, NULL */
        struct policy_network network; /* IP */
    };
};

enum policy_set { POLICY_SET_NONE, POLICY_SET_ALL, POLICY_SET_ANY };

struct policy_condition {
    struct mr_str operation; /* as written, for finding a second one */
    struct mr_str key;
    enum policy_type type;
    enum policy_relation relation;
    enum policy_set set;
    bool negated, if_exists;
    struct policy_operand *operands;
    size_t noperands;
};

struct policy_statement {
    struct mr_str sid;
    bool deny;
    struct policy_patterns actions, resources;
    struct policy_condition *conditions;
    size_t nconditions;
};

struct policy {
    struct mr_arena arena; /* holds everything below, and the policy's name */
    struct mr_str name;
    struct policy_statement *statements;
    size_t nstatements;
};

/* What reading a document needs. */
struct policy_reader {
    struct mr_arena *arena;
    struct mr_error *err;
    size_t statement; /* from 1, for texts */
    bool variables;   /* Version 2012-10-17 */
    bool trust;       /* a trust policy: Principal in place of Resource */
};

/* pattern.c */
/* Compiles; wildcards only when `wild`. MR_OK, MR_EINVAL with a text, MR_ENOMEM. */
int policy_pattern_read(struct policy_reader *r, struct mr_str text, bool wild, struct policy_pattern *out);
/* Splits at the first five colons outside variables; false when there are fewer. */
bool policy_pattern_split(struct policy_pattern *pattern);
/* Linear in text x pattern at worst. */
bool policy_match(struct mr_str pattern, struct mr_str text, bool ignore_case);
/* The pattern against a text, variables looked up. *truth is POLICY_UNKNOWN when one cannot be. */
int policy_pattern_match(const struct policy_pattern *pattern, struct mr_str text, bool ignore_case,
                         const struct policy_request *request, enum policy_truth *truth);

/* scalar.c: texts as the types of conditions. */
bool policy_read_number(struct mr_str text, double *out);
bool policy_read_time(struct mr_str text, int64_t *out);                  /* W3C ISO 8601 forms, or seconds */
bool policy_read_bool(struct mr_str text, bool *out);                     /* true, false in any case */
bool policy_read_network(struct mr_str text, struct policy_network *out); /* address, or address/bits */
bool policy_network_has(const struct policy_network *network, const struct policy_network *address);

/* condition.c */
/* Operator, key and value or values. MR_OK, MR_EINVAL with a text, MR_ENOMEM. */
int policy_condition_read(struct policy_reader *r, struct mr_str operation, struct mr_str key,
                          struct json_value values, struct policy_condition *out);
int policy_condition_test(const struct policy_condition *c, const struct policy_request *request,
                          enum policy_truth *truth);

static inline enum policy_truth policy_not(enum policy_truth t)
{
    return t == POLICY_UNKNOWN ? POLICY_UNKNOWN : t == POLICY_YES ? POLICY_NO : POLICY_YES;
}

/* "either" and "both" of three-valued logic */
static inline enum policy_truth policy_or(enum policy_truth a, enum policy_truth b)
{
    return a == POLICY_YES || b == POLICY_YES ? POLICY_YES : a == POLICY_NO ? b : a;
}

static inline enum policy_truth policy_and(enum policy_truth a, enum policy_truth b)
{
    return a == POLICY_NO || b == POLICY_NO ? POLICY_NO : a == POLICY_YES ? b : a;
}

#endif
