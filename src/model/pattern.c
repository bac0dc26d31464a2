/* The patterns of the two models, matched by hand: each is one class of characters at the start, one in the
 * middle and one at the end, and bounds on the number of characters. All of them are ASCII. */
#include "model/table.h"

enum {
    LOWER = 1,  /* a-z */
    UPPER = 2,  /* A-Z */
    DIGIT = 4,  /* 0-9 */
    DOT = 8,    /* . */
    DASH = 16,  /* - */
    SCORE = 32, /* _ */
    MARKS = 64, /* ! * ' ( ) */
    PIPE = 128, /* | */
    SLASH = 256,
    ALNUM = LOWER | UPPER | DIGIT,
};

static const struct {
    const char *text;
    unsigned first, middle, last;
    size_t min, max;
} patterns[] = {
    [MODEL_PATTERN_NONE] = {"", 0, 0, 0, 0, 0},
    [MODEL_PATTERN_RESOURCE_NAME] = {"[a-zA-Z0-9_.-]+", ALNUM | SCORE | DOT | DASH,
                                     ALNUM | SCORE | DOT | DASH, ALNUM | SCORE | DOT | DASH, 1, SIZE_MAX},
    [MODEL_PATTERN_S3_BUCKET] = {"[a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9]", LOWER | DIGIT,
                                 LOWER | DIGIT | DOT | DASH, LOWER | DIGIT, 3, 63},
    [MODEL_PATTERN_S3_KEY] = {"[a-zA-Z0-9|!\\-_*'\\(\\)]([a-zA-Z0-9]|[!\\-_*'\\(\\)\\/.])+",
                              ALNUM | PIPE | MARKS | DASH | SCORE, ALNUM | MARKS | DASH | SCORE | SLASH | DOT,
                              ALNUM | MARKS | DASH | SCORE | SLASH | DOT, 2, SIZE_MAX},
    [MODEL_PATTERN_TASK_ID] = {"[A-Z0-9]+", UPPER | DIGIT, UPPER | DIGIT, UPPER | DIGIT, 1, SIZE_MAX},
    [MODEL_PATTERN_QUERY_ID] = {"[a-zA-Z0-9]+", ALNUM, ALNUM, ALNUM, 1, SIZE_MAX},
};

static unsigned class_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return LOWER;
    if (c >= 'A' && c <= 'Z')
        return UPPER;
    if (c >= '0' && c <= '9')
        return DIGIT;
    switch (c) {
    case '.':
        return DOT;
    case '-':
        return DASH;
    case '_':
        return SCORE;
    case '|':
        return PIPE;
    case '/':
        return SLASH;
    case '!':
    case '*':
    case '\'':
    case '(':
    case ')':
        return MARKS;
    default:
        return 0;
    }
}

bool model_pattern_matches(enum model_pattern pattern, struct mr_str text)
{
    if (pattern == MODEL_PATTERN_NONE)
        return true;
    if (text.len < patterns[pattern].min || text.len > patterns[pattern].max ||
        !(class_of(text.ptr[0]) & patterns[pattern].first) ||
        !(class_of(text.ptr[text.len - 1]) & patterns[pattern].last))
        return false;
    for (size_t i = 1; i + 1 < text.len; i++)
        if (!(class_of(text.ptr[i]) & patterns[pattern].middle))
            return false;
    return true;
}

const char *model_pattern_text(enum model_pattern pattern)
{
    return patterns[pattern].text;
}
