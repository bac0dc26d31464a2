/* base/base.h - what every file of the tree may take for granted.
 *
 * base/ is the lowest rung of the ladder: it knows nothing of Timestream. This header is its umbrella.
 *
 * Idioms of the whole tree, stated once:
 *   Errors     A function that can fail returns enum mr_status (0 is success). One that has something to say
 * to a person takes a `struct mr_error *err` as its last parameter. Cleanup sits behind one `done:` label;
 * everything it releases starts as an empty value, so release is unconditional. Ownership  Request-lifetime
 * memory comes from an arena and is never freed piecemeal. Longer-lived objects are caller-held structs with
 * _init/_release, or opaque handles with _open/_close. A `struct mr_str` never owns its bytes; a `struct
 * mr_buf` always does. Asserts    MR_ASSERT stays on in release builds: it states what must hold for the data
 * to be right.
 */
#ifndef MR_BASE_BASE_H
#define MR_BASE_BASE_H

#include "base/core.h"
#include "base/str.h"
#include "base/err.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/arena.h"

#endif
