/* auth/session.h - temporary credentials without a memory of them: all that a session is stands in its token.
 *
 *     token   base64url of: version (1 byte), expiry and issue time (u64 each, ns), six texts (varint length
 *             and bytes): id, issuer, user, role, name, policy; HMAC-SHA-256 of all that under the session
 * key secret  base64url of 30 bytes of HMAC-SHA-256 of "secret" and the token's HMAC under the same key
 *
 * The session key (32 bytes, kept with the data) makes both, so sessions outlive a restart, and nobody
 * without it can make one or read a secret out of a token. The token itself is not secret from whoever holds
 * it. A session ends at its expiry and with the long-term access key that asked for it (the issuer): a key
 * that is removed or made inactive takes its sessions along. Pure; thread-safe.
 */
#ifndef MR_AUTH_SESSION_H
#define MR_AUTH_SESSION_H

#include "base/base.h"

#define AUTH_SESSION_KEY_BYTES 32
#define AUTH_SESSION_MAX_TOKEN 6144 /* characters; longer ones are refused unread */

struct auth_session {
    struct mr_str id;     /* ASIA... */
    struct mr_str issuer; /* access key id of the long-term pair behind it */
    struct mr_str user;   /* of that pair */
    struct mr_str role;   /* assumed; empty: the session is the user's own */
    struct mr_str name;   /* RoleSessionName */
    struct mr_str policy; /* session policy document; empty: none */
    int64_t issued_ns, expires_ns;
};

/* Credentials of the session; session->id is ignored and a new one made. Memory from the arena. MR_OK,
 * MR_ELIMIT when the token would be too long, MR_ENOMEM, MR_EINTERNAL. */
int auth_session_issue(const unsigned char key[static AUTH_SESSION_KEY_BYTES],
                       const struct auth_session *session, struct mr_arena *arena, struct mr_str *id,
                       struct mr_str *secret, struct mr_str *token);

/* MR_OK: the token is one of ours and unchanged (expiry is the caller's to judge); MR_EDENIED: it is not;
 * MR_ENOMEM, MR_EINTERNAL. Texts live in the arena. */
int auth_session_open(const unsigned char key[static AUTH_SESSION_KEY_BYTES], struct mr_str token,
                      struct mr_arena *arena, struct auth_session *session, struct mr_str *secret);

/* An id as IAM gives users (AIDA...) and roles (AROA...): the prefix and 17 characters that the name decides
 * under this key, and a NUL. */
int auth_unique_id(const unsigned char key[static AUTH_SESSION_KEY_BYTES], const char prefix[static 5],
                   struct mr_str name, char out[static 22]);

#endif
