/* cli/access.h - what `millrace user` and `millrace policy` share: options, the users file, the signal.
 *
 * These commands work on files, not on a server: they need no endpoint and no credentials.
 */
#ifndef MR_CLI_ACCESS_H
#define MR_CLI_ACCESS_H

#include "cli/cli.h"
#include "policy/edit.h"

struct access_cli {
    const char *usage;
    const char *users;                      /* --users, else MILLRACE_USERS */
    const char *data;                       /* --data: the server to tell */
    const char *expires;                    /* --expires */
    const char *user, *action, *resource;   /* of simulate */
    const char *policies[32], *context[32]; /* --policy, --context */
    int npolicies, ncontext;
    bool no_key;  /* --no-key */
    bool written; /* access_save changed the file, whatever came after */
    char **words;
    int nwords;
    struct policy_edit edit;
    struct mr_error err;
};

/* Options into *cli. CLI_OK; CLI_USAGE with a text; *help when --help was there. */
int access_options(struct access_cli *cli, int argc, char **argv, bool *help);
/* The users file; CLI_FAILED with a text on stderr. */
int access_open(struct access_cli *cli, enum policy_edit_mode mode);
/* Saves, then has the server read the file again (--data) or says how. */
int access_save(struct access_cli *cli);
/* Says what is in cli->err. */
int access_failed(const struct access_cli *cli);
int access_misuse(const struct access_cli *cli, const char *text);
struct mr_str access_word(const struct access_cli *cli, int at); /* MR_STR_NULL when there are not so many */

#endif
