/* engine/letters.h - simple case mapping and white space of Unicode. Private to engine/. Thread-safe.
 *
 * Case comes from the C library's C.UTF-8 locale, which is built into it, whatever locale the process runs
 * under.
 */
#ifndef MR_ENGINE_LETTERS_H
#define MR_ENGINE_LETTERS_H

#include "base/base.h"

uint32_t letters_lower(uint32_t c);
uint32_t letters_upper(uint32_t c);
/* The property White_Space. */
bool letters_is_space(uint32_t c);

#endif
