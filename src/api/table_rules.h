/* api/table_rules.h - the parts of a table that CreateTable and UpdateTable both take (write-api
 * reference 3.6, 3.9). */
#ifndef MR_API_TABLE_RULES_H
#define MR_API_TABLE_RULES_H

#include "api/action.h"

/* The one partition key of a Schema; *key is NULL when the schema (NULL too) holds none. ValidationException
 * for more than one, and for members that do not go with its type (reference 7). */
int api_partition_key(struct api_call *call, const struct model_schema *schema,
                      const struct model_partition_key **key, struct model_fault *fault);
enum catalog_enforcement api_enforcement(const struct model_partition_key *key);

/* The S3 configuration of a rejected-data location; *s3 is NULL when there is none. ValidationException when
 * there is a location without a bucket, or a malformed key. */
int api_rejected_location(struct api_call *call,
                          const struct model_magnetic_store_write_properties *properties,
                          const struct model_s3_configuration **s3, struct model_fault *fault);

#endif
