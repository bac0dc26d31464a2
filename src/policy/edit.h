/* policy/edit.h - the users file as a program changes it.
 *
 *     open    takes the lock FILE.lock (flock; a second editor waits), reads the file, checks that it is one
 *     change  the tree by json/tree.h, or by the functions below
 *     save    checks the result as the server would, writes FILE.new (mode 0600, owner of FILE), syncs,
 * renames it over FILE, syncs the folder. A crash leaves the old file or the new one close   lets the lock go
 *
 * Texts name what is wrong and never echo a secret. One thread.
 */
#ifndef MR_POLICY_EDIT_H
#define MR_POLICY_EDIT_H

#include "json/tree.h"
#include "policy/users.h"

struct policy_edit {
    struct mr_arena arena;
    struct json_node *root; /* an object with Users, and Policies where there were or were added some */
    char *path;             /* owned; links resolved */
    int lock_fd;            /* -1: read only */
    bool fresh;             /* the file is not there yet */
    unsigned owner, group;  /* of the file */
};

#define POLICY_EDIT_INIT                                                                                     \
    {                                                                                                        \
        MR_ARENA_INIT, NULL, NULL, -1, false, 0, 0                                                           \
    }

enum policy_edit_mode {
    POLICY_EDIT_READ,   /* no lock; save is not allowed */
    POLICY_EDIT_CHANGE, /* the file must be there */
    POLICY_EDIT_MAKE,   /* a file that is missing is made by save */
};

int policy_edit_open(const char *path, enum policy_edit_mode mode, struct policy_edit *edit,
                     struct mr_error *err);
int policy_edit_save(struct policy_edit *edit, struct mr_error *err);
void policy_edit_close(struct policy_edit *edit); /* whatever open said */

/* MR_ENOENT or MR_EEXIST with a text, MR_ENOMEM. */
int policy_edit_user(struct policy_edit *edit, struct mr_str name, struct json_node **out,
                     struct mr_error *err);
int policy_edit_add_user(struct policy_edit *edit, struct mr_str name, struct json_node **out,
                         struct mr_error *err);
/* A list of the user: "AccessKeys" or "Policies", made when it is missing. NULL when memory is short. */
struct json_node *policy_edit_list(struct policy_edit *edit, struct json_node *user, struct mr_str name);
/* The access key of the user with that id; MR_ENOENT with a text. */
int policy_edit_key(struct policy_edit *edit, struct json_node *user, struct mr_str id,
                    struct json_node **out, struct mr_error *err);
/* A new key: *id and *secret live in the arena of the edit. expires: MR_STR_NULL for never. */
int policy_edit_new_key(struct policy_edit *edit, struct json_node *user, struct mr_str expires,
                        struct mr_str *id, struct mr_str *secret, struct mr_error *err);
/* Status Active or Inactive. */
int policy_edit_key_status(struct policy_edit *edit, struct json_node *key, bool active);
/* A policy under its name, in place of one that is there. The document is checked by save. */
int policy_edit_put_policy(struct policy_edit *edit, struct mr_str name, struct json_value document);

#endif
