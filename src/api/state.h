/* api/state.h - what actions share beyond the context: secrets kept in the catalog, and one lock. */
#ifndef MR_API_STATE_H
#define MR_API_STATE_H

#include "base/base.h"

#include <pthread.h>

#define API_SECRET_BYTES 32
#define API_UPDATES 64 /* changes of keys at one time */

struct api_state {
    unsigned char token_key[API_SECRET_BYTES];   /* authenticates page tokens; immutable */
    unsigned char session_key[API_SECRET_BYTES]; /* makes temporary credentials (auth/session.h); immutable */
    unsigned char kms_seed[API_SECRET_BYTES];    /* key ids of aliases come from it; immutable */
    pthread_mutex_t account; /* held while account settings are read, changed and written back */
    pthread_mutex_t updating_lock;
    uint64_t updating[API_UPDATES]; /* databases whose key is being changed; 0: free. Under the lock */
};

#endif
