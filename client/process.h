/* client/process.h - runs a program for what it prints (credential_process). */
#ifndef MR_CLIENT_PROCESS_H
#define MR_CLIENT_PROCESS_H

#include "base/base.h"

#define PROCESS_SECONDS 60
#define PROCESS_BYTES ((size_t)64 << 10)

/* Splits a command line into words as a shell would: blanks part them; quotes of both kinds and backslashes
 * keep blanks. Nothing is expanded. The list ends with NULL and lies in the arena. MR_OK; MR_EINVAL for an
 * open quote or no words; MR_ENOMEM. */
int client_process_words(struct mr_str line, struct mr_arena *arena, const char ***words);

/* Finds the program along PATH, gives it an empty standard input and our standard error, and takes its
 * standard output. A program that prints too much or takes PROCESS_SECONDS is killed. MR_OK when it exits
 * with 0; MR_EIO with the error set, which names the program and nothing it printed; MR_ENOMEM. */
int client_process_run(const char *const *argv, struct mr_buf *out, struct mr_error *err);

#endif
