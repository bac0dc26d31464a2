/* api/show.h - catalog objects as the API shows them, and what the catalog's answers mean to a caller. */
#ifndef MR_API_SHOW_H
#define MR_API_SHOW_H

#include "api/action.h"

/* Fill a shape from a catalog row; memory from the arena (MR_ENOMEM). What was not given is left out
 * (reference 3.6). */
int api_show_database(struct api_call *call, const struct catalog_database *row, struct model_database *out);
int api_show_table(struct api_call *call, const struct catalog_table *row, struct model_table *out);

/* ResourceNotFoundException with the texts of reference 13. */
int api_no_such_database(struct api_call *call, struct mr_str database, struct model_fault *fault);
int api_no_such_table(struct api_call *call, struct mr_str table, struct model_fault *fault);
/* After a change of a table that answered MR_ENOENT: the one of the two that is missing. */
int api_missing_table_or_database(struct api_call *call, struct mr_str database, struct mr_str table,
                                  struct model_fault *fault);

/* A catalog failure that is nobody's fault: logged here, returned as it is. */
int api_catalog_failed(const char *operation, int status, const struct mr_error *err);

#endif
