/* api/form.h - a body of application/x-www-form-urlencoded, as the Query protocol of AWS sends it. */
#ifndef MR_API_FORM_H
#define MR_API_FORM_H

#include "base/base.h"

#define API_FORM_MAX_FIELDS 100

/* Names and values, percent-decoded ('+' is a blank), in the arena. MR_OK; MR_EINVAL for more than
 * API_FORM_MAX_FIELDS fields, a stray '%', text that is not UTF-8, or a name that comes twice; MR_ENOMEM. */
int api_form_read(struct mr_str body, struct mr_arena *arena, struct mr_pair **fields, size_t *n);
/* MR_STR_NULL when it is not there. */
struct mr_str api_form_get(const struct mr_pair *fields, size_t n, struct mr_str name);
/* Appends text as XML character data: markup escaped, characters that XML cannot hold replaced by '?'. */
void api_xml_text(struct mr_buf *out, struct mr_str text);

#endif
