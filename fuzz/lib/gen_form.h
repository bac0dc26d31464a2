/* fuzz/lib/gen_form.h - forms that are no function calls. */
#ifndef MR_FUZZ_GEN_FORM_H
#define MR_FUZZ_GEN_FORM_H

#include "gen.h"

/* An operator, a conditional, a cast to `words`, a subquery, a subscript or a lambda of the type. False when
 * the choice does not suit the type: nothing was written then. */
bool gen_form(struct gen *g, const char *type, const char *words, unsigned levels);

#endif
