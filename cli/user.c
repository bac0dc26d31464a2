/* millrace user: users and their access keys, in the users file. */
#include "cli/access.h"

#include "policy/users.h"

/* Once the key is in the file, whatever became of telling the server: nobody can read the secret later. */
static int print_key(const struct access_cli *cli, int rc, const struct mr_str *id,
                     const struct mr_str *secret)
{
    if (!cli->written)
        return rc;
    printf("AccessKeyId      " MR_STR_FMT "\nSecretAccessKey  " MR_STR_FMT "\n", MR_STR_ARG(*id),
           MR_STR_ARG(*secret));
    if (fflush(stdout) == 0)
        return rc;
    fputs("millrace: the key is in the file, but could not be printed\n", stderr);
    return CLI_FAILED;
}

static int no_memory(struct access_cli *cli)
{
    mr_error_set(&cli->err, MR_ENOMEM, "out of memory");
    return access_failed(cli);
}

static int list(struct access_cli *cli)
{
    int rc = access_open(cli, POLICY_EDIT_READ);
    if (rc != CLI_OK)
        return rc;
    for (const struct json_node *u = json_tree_get(cli->edit.root, MR_STR("Users"))->first; u != NULL;
         u = u->next) {
        const struct json_node *keys = json_tree_get(u, MR_STR("AccessKeys"));
        const struct json_node *policies = json_tree_get(u, MR_STR("Policies"));
        printf(MR_STR_FMT "\n", MR_STR_ARG(u->name));
        for (const struct json_node *k = keys != NULL ? keys->first : NULL; k != NULL; k = k->next) {
            const struct json_node *id = json_tree_get(k, MR_STR("AccessKeyId"));
            const struct json_node *state = json_tree_get(k, MR_STR("Status"));
            const struct json_node *expires = json_tree_get(k, MR_STR("Expires"));
            printf("  key     " MR_STR_FMT " " MR_STR_FMT "%s" MR_STR_FMT "\n", MR_STR_ARG(id->text),
                   MR_STR_ARG(state != NULL ? state->text : MR_STR("Active")),
                   expires != NULL ? " until " : "",
                   MR_STR_ARG(expires != NULL ? expires->text : MR_STR("")));
        }
        for (const struct json_node *p = policies != NULL ? policies->first : NULL; p != NULL; p = p->next)
            printf("  policy  " MR_STR_FMT "\n",
                   MR_STR_ARG(p->type == JSON_STRING ? p->text : MR_STR("(its own document)")));
    }
    return CLI_OK;
}

static int attach_one(struct access_cli *cli, struct json_node *user, struct mr_str policy)
{
    struct json_node *policies = policy_edit_list(&cli->edit, user, MR_STR("Policies"));
    if (policies == NULL)
        return no_memory(cli);
    if (json_tree_find_text(policies, policy) == NULL &&
        json_tree_add_text(&cli->edit.arena, policies, MR_STR_NULL, policy) == NULL)
        return no_memory(cli);
    return CLI_OK;
}

static int add(struct access_cli *cli, struct mr_str name)
{
    struct json_node *user;
    struct mr_str id = MR_STR_NULL, secret = MR_STR_NULL, expires = mr_str_of(cli->expires);
    int rc = access_open(cli, POLICY_EDIT_MAKE);
    if (rc != CLI_OK)
        return rc;
    if (policy_edit_add_user(&cli->edit, name, &user, &cli->err) != MR_OK ||
        (!cli->no_key && policy_edit_new_key(&cli->edit, user, expires, &id, &secret, &cli->err) != MR_OK))
        return access_failed(cli);
    for (int i = 0; i < cli->npolicies && rc == CLI_OK; i++)
        rc = attach_one(cli, user, mr_str_of(cli->policies[i]));
    if (rc == CLI_OK)
        rc = access_save(cli);
    return cli->no_key ? rc : print_key(cli, rc, &id, &secret);
}

static int remove_user(struct access_cli *cli, struct json_node *user)
{
    json_tree_remove(user);
    return access_save(cli);
}

/* A new key; `rotate` makes the one named, or all others, inactive in the same write. */
static int new_key(struct access_cli *cli, struct json_node *user, bool rotate)
{
    struct mr_str id = MR_STR_NULL, secret = MR_STR_NULL, old = access_word(cli, 3);
    struct json_node *named = NULL;
    struct json_node *keys = policy_edit_list(&cli->edit, user, MR_STR("AccessKeys"));
    if (keys == NULL)
        return no_memory(cli);
    if (old.ptr != NULL && policy_edit_key(&cli->edit, user, old, &named, &cli->err) != MR_OK)
        return access_failed(cli);
    for (struct json_node *k = keys->first; rotate && k != NULL; k = k->next)
        if ((named == NULL || k == named) && policy_edit_key_status(&cli->edit, k, false) != MR_OK)
            return no_memory(cli);
    if (policy_edit_new_key(&cli->edit, user, mr_str_of(cli->expires), &id, &secret, &cli->err) != MR_OK)
        return access_failed(cli);
    return print_key(cli, access_save(cli), &id, &secret);
}

static int change_key(struct access_cli *cli, struct json_node *user, struct mr_str verb)
{
    struct json_node *key;
    if (policy_edit_key(&cli->edit, user, access_word(cli, 3), &key, &cli->err) != MR_OK)
        return access_failed(cli);
    if (mr_str_eq(verb, MR_STR("delete")))
        json_tree_remove(key);
    else if (policy_edit_key_status(&cli->edit, key, mr_str_eq(verb, MR_STR("enable"))) != MR_OK)
        return no_memory(cli);
    return access_save(cli);
}

static int detach(struct access_cli *cli, struct json_node *user)
{
    struct json_node *policies = policy_edit_list(&cli->edit, user, MR_STR("Policies"));
    struct mr_str name = access_word(cli, 2);
    struct json_node *found = policies != NULL ? json_tree_find_text(policies, name) : NULL;
    if (policies == NULL)
        return no_memory(cli);
    if (found == NULL) {
        mr_error_set(&cli->err, MR_ENOENT, "policy '" MR_STR_FMT "' is not attached to '" MR_STR_FMT "'",
                     MR_STR_ARG(name), MR_STR_ARG(user->name));
        return access_failed(cli);
    }
    json_tree_remove(found);
    return access_save(cli);
}

static int attach(struct access_cli *cli, struct json_node *user)
{
    int rc = attach_one(cli, user, access_word(cli, 2));
    return rc == CLI_OK ? access_save(cli) : rc;
}

/* key create|rotate|disable|enable|delete NAME [ID] */
static int key(struct access_cli *cli, struct json_node *user)
{
    struct mr_str verb = access_word(cli, 1);
    bool create = mr_str_eq(verb, MR_STR("create")), rotate = mr_str_eq(verb, MR_STR("rotate"));
    return create || rotate ? new_key(cli, user, rotate) : change_key(cli, user, verb);
}

static bool is_key_verb(struct mr_str verb, int nwords)
{
    bool with_id = mr_str_eq(verb, MR_STR("disable")) || mr_str_eq(verb, MR_STR("enable")) ||
                   mr_str_eq(verb, MR_STR("delete"));
    return (with_id && nwords == 4) || (mr_str_eq(verb, MR_STR("create")) && nwords == 3) ||
           (mr_str_eq(verb, MR_STR("rotate")) && (nwords == 3 || nwords == 4));
}

static int on_user(struct access_cli *cli, int name_at,
                   int (*change)(struct access_cli *, struct json_node *))
{
    struct json_node *user;
    int rc = access_open(cli, POLICY_EDIT_CHANGE);
    if (rc != CLI_OK)
        return rc;
    if (policy_edit_user(&cli->edit, access_word(cli, name_at), &user, &cli->err) != MR_OK)
        return access_failed(cli);
    return change(cli, user);
}

static int run(struct access_cli *cli)
{
    struct mr_str verb = access_word(cli, 0);
    if (mr_str_eq(verb, MR_STR("list")) && cli->nwords == 1)
        return list(cli);
    if (mr_str_eq(verb, MR_STR("add")) && cli->nwords == 2)
        return add(cli, access_word(cli, 1));
    if (mr_str_eq(verb, MR_STR("remove")) && cli->nwords == 2)
        return on_user(cli, 1, remove_user);
    if (mr_str_eq(verb, MR_STR("key")) && is_key_verb(access_word(cli, 1), cli->nwords))
        return on_user(cli, 2, key);
    if (mr_str_eq(verb, MR_STR("attach")) && cli->nwords == 3)
        return on_user(cli, 1, attach);
    if (mr_str_eq(verb, MR_STR("detach")) && cli->nwords == 3)
        return on_user(cli, 1, detach);
    return access_misuse(cli, "list, add, remove, key, attach or detach, and what it is about.");
}

int cli_user(const char *usage, int argc, char **argv)
{
    struct access_cli cli = {.usage = usage, .edit = POLICY_EDIT_INIT, .err = MR_ERROR_INIT};
    bool help = false;
    int rc = access_options(&cli, argc, argv, &help);
    if (rc == CLI_OK && help)
        fputs(usage, stdout);
    else if (rc == CLI_OK)
        rc = run(&cli);
    policy_edit_close(&cli.edit);
    return rc;
}
