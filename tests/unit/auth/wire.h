/* tests/unit/auth/wire.h - a signed request from its text, and the key set the tests sign with. */
#ifndef MR_TESTS_UNIT_AUTH_WIRE_H
#define MR_TESTS_UNIT_AUTH_WIRE_H

#include "lib/check.h"

#include "auth/sigv4.h"

enum { WIRE_MAX_HEADERS = 300 };

/* 2026-01-02T03:04:05Z, when every test request was signed. */
#define WIRE_NOW (INT64_C(1767323045) * 1000000000)

#define WIRE_ID "AKIDEXAMPLE"
#define WIRE_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define WIRE_TEMP_ID "ASIATEMPORARY"
#define WIRE_TEMP_SECRET "temporary+secret/of+the+tests"
#define WIRE_TOKEN "Token/with+marks=="

struct wire {
    struct auth_request req;
    struct mr_pair headers[WIRE_MAX_HEADERS];
    char *text; /* owned copy the views point into */
};

/* "METHOD target\nName: value\n...\n\nbody"; lines end in \n, a header line that starts with a blank
 * continues the one above (the break stays in the value). Fails the test when the text is not of that form.
 */
void wire_parse(struct wire *wire, const char *text);
void wire_free(struct wire *wire);

/* Replaces the value of a header, or adds one at the end. The views must outlive the wire. */
void wire_set(struct wire *wire, const char *name, struct mr_str value);
/* Takes a header away; no effect when it is not there. */
void wire_drop(struct wire *wire, const char *name);

/* The long-term pair (user root), and the temporary one (user app, expires 3600 s after WIRE_NOW). */
struct auth_keys *wire_keys(void);
struct auth_credentials wire_credentials(void);
struct auth_credentials wire_temporary_credentials(void);

/* Signs at WIRE_NOW and adds the headers. Memory from the arena. */
void wire_sign(struct wire *wire, const struct auth_credentials *cred, struct mr_arena *arena);

/* The verdict at `now_ns`: "" when accepted, else "Type: message" (in a static buffer). */
const char *wire_verdict(const struct wire *wire, const struct auth_keys *keys, int64_t now_ns);

#endif
