/* model/names.h - the rules of column names that no pattern of the model states (write-api reference 4.3).
 *
 * The quotas page gives two slightly different lists of refused prefixes; all of them are refused. Lengths in
 * bytes.
 */
#ifndef MR_MODEL_NAMES_H
#define MR_MODEL_NAMES_H

#include "base/base.h"

#define MODEL_DIMENSION_NAME_MAX 60
#define MODEL_MEASURE_NAME_MAX 256

enum model_name_fault {
    MODEL_NAME_OK,
    MODEL_NAME_LENGTH,    /* empty or too long */
    MODEL_NAME_RESERVED,  /* a system identifier or one of its prefixes */
    MODEL_NAME_CHARACTER, /* a colon; for dimensions also a double quote, a control character, U+2028, U+2029
                           */
};

enum model_name_fault model_dimension_name(struct mr_str name);
/* Of a record's measure name and of an attribute inside a MULTI record. */
enum model_name_fault model_measure_name(struct mr_str name);

#endif
