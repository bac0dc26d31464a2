/* api/state.h - what actions share beyond the context: secrets kept in the catalog, and one lock. */
#ifndef MR_API_STATE_H
#define MR_API_STATE_H

#include "base/base.h"

#include <pthread.h>

#define API_SECRET_BYTES 32

struct api_state {
    unsigned char token_key[API_SECRET_BYTES]; /* authenticates page tokens; immutable */
    unsigned char kms_seed[API_SECRET_BYTES];  /* key ids of aliases come from it; immutable */
    pthread_mutex_t account; /* held while account settings are read, changed and written back */
};

#endif
