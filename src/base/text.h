/* base/text.h - bytes as text: hexadecimal, base32 (RFC 4648, A-Z2-7), base64url without padding. */
#ifndef MR_BASE_TEXT_H
#define MR_BASE_TEXT_H

#include "base/base.h"

/* Lower-case; writes 2 * len characters and a NUL. */
void mr_hex_encode(const void *bytes, size_t len, char *out);
/* Exactly text.len / 2 bytes; either case. false on odd length or another character. */
bool mr_hex_decode(struct mr_str text, void *out);

/* `chars` random base32 characters and a NUL: the form of AWS request ids (26) and query ids. */
void mr_base32_random(size_t chars, char *out);

/* Appends the encoding of the bytes. */
void mr_base64url_encode(struct mr_str bytes, struct mr_buf *out);
/* Appends the decoded bytes. false on characters outside the alphabet or an impossible length. */
bool mr_base64url_decode(struct mr_str text, struct mr_buf *out);

#endif
