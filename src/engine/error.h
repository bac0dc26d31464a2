/* engine/error.h - how errors of our functions travel through DuckDB, which passes on nothing but a text.
 *
 * A status letter and the text are put between marks; error_map finds them again in whatever DuckDB wrapped
 * around them. Private to engine/.
 */
#ifndef MR_ENGINE_ERROR_H
#define MR_ENGINE_ERROR_H

#include "base/base.h"

#define ERROR_MARK "mr#"
#define ERROR_MARK_END "#rm"
#define ERROR_MARK_INTERNAL ERROR_MARK "X"
#define ERROR_MARK_NOMEM ERROR_MARK "M"
#define ERROR_TEXT_MAX 600

/* The marked form of the error in `text`; returns text. */
const char *error_marked(char text[static ERROR_TEXT_MAX], const struct mr_error *err);

#endif
