/* millrace policy: documents in the users file; what they say of a request, without a server. */
#include "cli/access.h"

#include "base/io.h"
#include "policy/users.h"

#include <unistd.h>

static int read_text(struct access_cli *cli, const char *path, struct mr_buf *out)
{
    char chunk[4096];
    if (strcmp(path, "-") != 0)
        return mr_io_read_file(&mr_io_posix, path, POLICY_MAX_USERS_TEXT, out, &cli->err);
    for (ssize_t n; (n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0 && out->len < POLICY_MAX_USERS_TEXT;)
        mr_buf_add(out, chunk, (size_t)n);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

/* A document, or a whole users file: whichever the members say it is. */
static int check(struct access_cli *cli)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct json_doc doc;
    struct json_value member;
    struct policy *policy = NULL;
    struct policy_users *users = NULL;
    const char *path = cli->words[1];
    int status = read_text(cli, path, &text);
    if (status == MR_OK)
        status = json_parse(mr_buf_view(&text), &arena, &doc, &cli->err);
    bool is_users = status == MR_OK && json_get(json_root(&doc), MR_STR("Users"), &member);
    if (status == MR_OK)
        status = is_users ? policy_users_parse(mr_buf_view(&text), &users, &cli->err)
                          : policy_parse(mr_str_of(path), mr_buf_view(&text), &policy, &cli->err);
    if (status == MR_OK)
        printf("%s: a %s that is in order\n", path, is_users ? "users file" : "policy");
    policy_free(policy);
    policy_users_free(users);
    mr_arena_release(&arena);
    if (text.ptr != NULL)
        explicit_bzero(text.ptr, text.len);
    mr_buf_release(&text);
    return status == MR_OK ? CLI_OK : access_failed(cli);
}

static int list(struct access_cli *cli)
{
    int rc = access_open(cli, POLICY_EDIT_READ);
    const struct json_node *all = rc == CLI_OK ? json_tree_get(cli->edit.root, MR_STR("Policies")) : NULL;
    for (const struct json_node *p = all != NULL ? all->first : NULL; p != NULL; p = p->next)
        printf(MR_STR_FMT "\n", MR_STR_ARG(p->name));
    return rc;
}

/* A policy of the file by its name; CLI_FAILED with a text. */
static int named(struct access_cli *cli, struct json_node **out)
{
    const struct json_node *all = json_tree_get(cli->edit.root, MR_STR("Policies"));
    *out = all != NULL ? json_tree_get(all, access_word(cli, 1)) : NULL;
    if (*out != NULL)
        return CLI_OK;
    mr_error_set(&cli->err, MR_ENOENT, "there is no policy '%s'", cli->words[1]);
    return access_failed(cli);
}

static int show(struct access_cli *cli)
{
    struct mr_buf text = MR_BUF_INIT;
    struct json_node *policy;
    int rc = access_open(cli, POLICY_EDIT_READ);
    if (rc == CLI_OK)
        rc = named(cli, &policy);
    if (rc == CLI_OK) {
        json_tree_write(policy, &text);
        printf(MR_STR_FMT, MR_STR_ARG(mr_buf_view(&text)));
    }
    mr_buf_release(&text);
    return rc;
}

static int put(struct access_cli *cli)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct json_doc doc;
    int rc = access_open(cli, POLICY_EDIT_MAKE);
    if (rc == CLI_OK && (read_text(cli, cli->words[2], &text) != MR_OK ||
                         json_parse(mr_buf_view(&text), &arena, &doc, &cli->err) != MR_OK ||
                         policy_edit_put_policy(&cli->edit, access_word(cli, 1), json_root(&doc)) != MR_OK))
        rc = access_failed(cli);
    if (rc == CLI_OK)
        rc = access_save(cli);
    mr_arena_release(&arena);
    mr_buf_release(&text);
    return rc;
}

static int remove_policy(struct access_cli *cli)
{
    struct json_node *policy;
    int rc = access_open(cli, POLICY_EDIT_CHANGE);
    if (rc == CLI_OK)
        rc = named(cli, &policy);
    if (rc != CLI_OK)
        return rc;
    json_tree_remove(policy);
    return access_save(cli);
}

/* ---- simulate ---- */

struct asked {
    struct access_cli *cli;
    const struct policy_user *user;
    struct mr_str kept[2];  /* room for a value */
    bool missing;           /* a key was asked for that --context does not give */
    char missing_name[128]; /* the first of them */
};

/* From --context KEY=VALUE, and the user's name. A key that nobody gave cannot be told. */
static int value(void *ctx, struct mr_str key, struct policy_values *out)
{
    struct asked *a = ctx;
    *out = (struct policy_values){.known = false};
    for (int i = 0; i < a->cli->ncontext; i++) {
        struct mr_str pair = mr_str_of(a->cli->context[i]);
        size_t eq = mr_str_find(pair, '=', 0);
        if (eq < pair.len && mr_str_ieq(mr_str_slice(pair, 0, eq), key)) {
            a->kept[0] = mr_str_slice(pair, eq + 1, pair.len);
            *out = (struct policy_values){.known = true, .at = &a->kept[0], .n = 1};
            return MR_OK;
        }
    }
    if (mr_str_ieq(key, MR_STR("aws:username"))) {
        a->kept[1] = a->user->name;
        *out = (struct policy_values){.known = true, .at = &a->kept[1], .n = 1};
        return MR_OK;
    }
    if (!a->missing)
        snprintf(a->missing_name, sizeof a->missing_name, MR_STR_FMT, MR_STR_ARG(key));
    a->missing = true;
    return MR_OK;
}

static void print_verdict(const struct policy_verdict *v, const struct asked *a)
{
    static const char *const words[] = {
        [POLICY_DENIED] = "denied", [POLICY_ALLOWED] = "allowed", [POLICY_FORBIDDEN] = "denied explicitly"};
    printf("%s", words[v->decision]);
    if (v->decision == POLICY_DENIED)
        printf(": no statement allows it");
    else
        printf(": policy " MR_STR_FMT ", statement %zu", MR_STR_ARG(v->policy), v->statement);
    if (v->sid.len > 0)
        printf(" (" MR_STR_FMT ")", MR_STR_ARG(v->sid));
    putchar('\n');
    if (a->missing)
        printf("%s was asked for and not given (--context %s=VALUE): a statement that depends on it allows "
               "nothing, and denies what it may deny\n",
               a->missing_name, a->missing_name);
}

static int evaluate(struct access_cli *cli, const struct policy_users *users)
{
    const struct policy_user *user = policy_users_find(users, mr_str_of(cli->user));
    if (user == NULL) {
        mr_error_set(&cli->err, MR_ENOENT, "there is no user '%s'", cli->user);
        return access_failed(cli);
    }
    struct asked asked = {.cli = cli, .user = user};
    const struct policy_request request = {mr_str_of(cli->action), mr_str_of(cli->resource), value, &asked};
    struct policy_verdict verdict;
    if (policy_evaluate(user->policies, user->npolicies, &request, &verdict) != MR_OK)
        return access_failed(cli);
    print_verdict(&verdict, &asked);
    return verdict.decision == POLICY_ALLOWED ? CLI_OK : CLI_FAILED;
}

static int simulate(struct access_cli *cli)
{
    struct mr_buf text = MR_BUF_INIT;
    struct policy_users *users = NULL;
    if (cli->users == NULL || cli->user == NULL || cli->action == NULL || cli->resource == NULL)
        return access_misuse(cli, "--users, --user, --action and --resource are needed.");
    int rc = CLI_OK;
    if (mr_io_read_file(&mr_io_posix, cli->users, POLICY_MAX_USERS_TEXT, &text, &cli->err) != MR_OK ||
        policy_users_parse(mr_buf_view(&text), &users, &cli->err) != MR_OK)
        rc = access_failed(cli);
    if (text.ptr != NULL)
        explicit_bzero(text.ptr, text.len);
    mr_buf_release(&text);
    if (rc == CLI_OK)
        rc = evaluate(cli, users);
    policy_users_free(users);
    return rc;
}

static int run(struct access_cli *cli)
{
    static const struct {
        const char *verb;
        int words;
        int (*run)(struct access_cli *cli);
    } verbs[] = {
        {"check", 2, check}, {"simulate", 1, simulate}, {"list", 1, list},
        {"show", 2, show},   {"put", 3, put},           {"remove", 2, remove_policy},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(verbs); i++)
        if (cli->nwords == verbs[i].words && strcmp(cli->words[0], verbs[i].verb) == 0)
            return verbs[i].run(cli);
    return access_misuse(cli, "check, simulate, list, show, put or remove, and what it is about.");
}

int cli_policy(const char *usage, int argc, char **argv)
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
