/* json/quick.h - the tape of a plain document from the places where its tokens begin.
 *
 * Most bodies hold objects, lists, strings without escapes, small integers and words, and nothing else. For
 * them simdjson's second stage does more than is needed: it copies every string and looks at each byte again.
 * Here a string stays where it is, and its end follows from where the next token begins. Whatever is not
 * plain, damaged documents included, is left to simdjson: what this file accepts, it accepts with the same
 * tree.
 */
#ifndef MR_JSON_QUICK_H
#define MR_JSON_QUICK_H

#include "json/json.h"

/* Fills the tape, from index 1. `text` has no backslash, is valid UTF-8, closes every string, holds no
 * control character inside one, and goes on with at least one blank; `at` are the places of all tokens,
 * `count` of them and two more that lie behind the text: simdjson's first stage gives all that. False: not
 * plain, the tape means nothing, and closing quotes of the text have become NULs. */
bool json_quick(char *text, const uint32_t *at, uint32_t count, uint64_t *tape);

#endif
