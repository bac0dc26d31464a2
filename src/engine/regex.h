/* engine/regex.h - Java-like regular expressions on PCRE2, within limits. Private to engine/.
 *
 * What Java writes otherwise than PCRE2 is translated first (regex_java.c): \uFFFF, POSIX classes as
 * \p{Alpha}, classes in classes and their intersection ([a-z&&[^b]]). Verbs, which begin with "(*", are
 * refused as Java refuses them. Look-behind of variable length is an error, as in the ancestor's library.
 *
 * A match may cost much more than its text is long. It is tried within some milliseconds first; what takes
 * longer is done again by a form of the pattern that calls back at every step, looks there whether the run
 * was stopped, and ends the query with MR_ELIMIT when there are too many steps.
 */
#ifndef MR_ENGINE_REGEX_H
#define MR_ENGINE_REGEX_H

#include "engine/fn.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define REGEX_PATTERN_MAX 65536

/* The last pattern compiled, kept from row to row. Starts zeroed. */
struct regex {
    struct mr_str pattern; /* a view into the argument, which outlives the call; ptr NULL: none */
    pcre2_code *code;
    pcre2_code *checked; /* calls back at every step; NULL: not needed yet */
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint32_t groups; /* capturing groups */
    bool reused;     /* was wanted a second time, so is worth JIT */
};

/* Compiles unless it is the pattern of the row before. False: the call has failed. */
bool regex_use(struct regex *regex, struct fn_call *call, struct mr_str pattern);
void regex_release(struct regex *regex);

/* The next match at or after *at, whose offsets are then in regex_group; moves *at to where the one after it
 * may begin. False at the end, and when the call has failed. Start with *at 0. */
bool regex_next(struct regex *regex, struct fn_call *call, struct mr_str s, size_t *at);

/* Group g of the last match (0: all of it); ptr NULL when it took no part. */
struct mr_str regex_group(const struct regex *regex, struct mr_str s, uint32_t g);

/* The Java pattern in PCRE2's syntax, appended. False: it has something that is in neither. */
bool regex_from_java(struct mr_str java, struct mr_buf *out);

#endif
