/* Databases, tables and tags for people. */
#include "cli/cli.h"

static int print_database(struct cli *cli, const struct mr_database *d)
{
    struct cli_output *out;
    if (cli_output_open(&out, cli->format, stdout, 3) != MR_OK)
        return CLI_FAILED;
    cli_output_name(out, 0, mr_text("name"));
    cli_output_name(out, 1, mr_text("tables"));
    cli_output_name(out, 2, mr_text("arn"));
    cli_output_text(out, d->database_name);
    cli_output_int(out, d->table_count);
    cli_output_text(out, d->arn);
    cli_output_row(out);
    return cli_output_close(out) == MR_OK ? CLI_OK : CLI_FAILED;
}

static int list_databases(struct cli *cli)
{
    struct mr_list_databases_request request = {.max_results = {false, 0}};
    struct mr_paginator *pages;
    struct cli_output *out;
    const struct mr_list_databases_response *page;
    if (mr_paginator_open(cli->client, MR_OP_LIST_DATABASES, &request, &pages, &cli->fault) != 0)
        return cli_fault(cli);
    if (cli_output_open(&out, cli->format, stdout, 3) != MR_OK) {
        mr_paginator_close(pages);
        return CLI_FAILED;
    }
    cli_output_name(out, 0, mr_text("name"));
    cli_output_name(out, 1, mr_text("tables"));
    cli_output_name(out, 2, mr_text("arn"));
    while ((page = mr_paginator_next(pages, &cli->fault)) != NULL)
        for (size_t i = 0; i < page->databases.len; i++) {
            cli_output_text(out, page->databases.at[i].database_name);
            cli_output_int(out, page->databases.at[i].table_count);
            cli_output_text(out, page->databases.at[i].arn);
            cli_output_row(out);
        }
    mr_paginator_close(pages);
    int printed = cli_output_close(out);
    if (cli->fault.error != 0)
        return cli_fault(cli);
    return printed == MR_OK ? CLI_OK : CLI_FAILED;
}

int cli_databases(struct cli *cli)
{
    if (cli->nwords == 0)
        return list_databases(cli);
    if (cli->nwords != 2)
        return cli_misuse(cli, "describe, create or delete, and one name.");
    struct mr_text name = mr_text(cli->words[1]);
    const char *verb = cli->words[0];
    int rc;
    if (strcmp(verb, "describe") == 0) {
        struct mr_describe_database_request request = {name};
        struct mr_describe_database_response *answer;
        rc = mr_describe_database(cli->client, &request, &answer, &cli->fault);
        if (rc == 0 && answer->database != NULL)
            rc = print_database(cli, answer->database);
        mr_response_free(answer);
    } else if (strcmp(verb, "create") == 0) {
        struct mr_create_database_request request = {.database_name = name};
        rc = mr_create_database(cli->client, &request, NULL, &cli->fault);
    } else if (strcmp(verb, "delete") == 0) {
        struct mr_delete_database_request request = {name};
        rc = mr_delete_database(cli->client, &request, &cli->fault);
    } else {
        return cli_misuse(cli, "\"%s\" is none of describe, create, delete.", verb);
    }
    return cli->fault.error != 0 ? cli_fault(cli) : rc;
}

/* ---- tables ---- */

static int open_tables(struct cli *cli, struct cli_output **out)
{
    static const char *const names[] = {"database", "name", "status", "memory_hours", "magnetic_days"};
    if (cli_output_open(out, cli->format, stdout, MR_ARRAY_LEN(names)) != MR_OK)
        return CLI_FAILED;
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++)
        cli_output_name(*out, i, mr_text(names[i]));
    return CLI_OK;
}

static void print_table(struct cli_output *out, const struct mr_table *t)
{
    static const char *const status[] = {NULL, "ACTIVE", "DELETING", "RESTORING"};
    const struct mr_retention_properties *r = t->retention_properties;
    struct mr_int none = {false, 0};
    cli_output_text(out, t->database_name);
    cli_output_text(out, t->table_name);
    cli_output_text(out,
                    mr_text((size_t)t->table_status < MR_ARRAY_LEN(status) ? status[t->table_status] : NULL));
    cli_output_int(out, r != NULL ? r->memory_store_retention_period_in_hours : none);
    cli_output_int(out, r != NULL ? r->magnetic_store_retention_period_in_days : none);
    cli_output_row(out);
}

static int list_tables(struct cli *cli)
{
    struct mr_list_tables_request request = {.database_name =
                                                 mr_text(cli->nwords > 0 ? cli->words[0] : NULL)};
    struct mr_paginator *pages;
    struct cli_output *out;
    const struct mr_list_tables_response *page;
    if (mr_paginator_open(cli->client, MR_OP_LIST_TABLES, &request, &pages, &cli->fault) != 0)
        return cli_fault(cli);
    int rc = open_tables(cli, &out);
    while (rc == CLI_OK && (page = mr_paginator_next(pages, &cli->fault)) != NULL)
        for (size_t i = 0; i < page->tables.len; i++)
            print_table(out, &page->tables.at[i]);
    mr_paginator_close(pages);
    if (rc == CLI_OK && cli_output_close(out) != MR_OK)
        rc = CLI_FAILED;
    return cli->fault.error != 0 ? cli_fault(cli) : rc;
}

static int describe_table(struct cli *cli, struct mr_text database, struct mr_text table)
{
    struct mr_describe_table_request request = {database, table};
    struct mr_describe_table_response *answer;
    struct cli_output *out;
    if (mr_describe_table(cli->client, &request, &answer, &cli->fault) != 0)
        return cli_fault(cli);
    int rc = answer->table != NULL ? open_tables(cli, &out) : CLI_FAILED;
    if (rc == CLI_OK) {
        print_table(out, answer->table);
        rc = cli_output_close(out) == MR_OK ? CLI_OK : CLI_FAILED;
    }
    mr_response_free(answer);
    return rc;
}

static int update_table(struct cli *cli, struct mr_text database, struct mr_text table)
{
    struct mr_retention_properties retention = {mr_int(cli->memory_hours), mr_int(cli->magnetic_days)};
    struct mr_update_table_request request = {
        .database_name = database, .table_name = table, .retention_properties = &retention};
    if (cli->memory_hours == 0 || cli->magnetic_days == 0)
        return cli_misuse(cli, "--memory-hours and --magnetic-days are needed.");
    return mr_update_table(cli->client, &request, NULL, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

static int create_table(struct cli *cli, struct mr_text database, struct mr_text table)
{
    struct mr_retention_properties retention = {mr_int(cli->memory_hours), mr_int(cli->magnetic_days)};
    struct mr_create_table_request request = {.database_name = database, .table_name = table};
    if ((cli->memory_hours != 0) != (cli->magnetic_days != 0))
        return cli_misuse(cli, "--memory-hours and --magnetic-days go together.");
    if (cli->memory_hours != 0)
        request.retention_properties = &retention;
    return mr_create_table(cli->client, &request, NULL, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

int cli_tables(struct cli *cli)
{
    if (cli->nwords < 2)
        return list_tables(cli);
    if (cli->nwords != 3)
        return cli_misuse(cli, "describe, create, update or delete, a database and a table.");
    struct mr_text database = mr_text(cli->words[1]), table = mr_text(cli->words[2]);
    if (strcmp(cli->words[0], "describe") == 0)
        return describe_table(cli, database, table);
    if (strcmp(cli->words[0], "create") == 0)
        return create_table(cli, database, table);
    if (strcmp(cli->words[0], "update") == 0)
        return update_table(cli, database, table);
    if (strcmp(cli->words[0], "delete") != 0)
        return cli_misuse(cli, "\"%s\" is none of describe, create, update, delete.", cli->words[0]);
    struct mr_delete_table_request request = {database, table};
    return mr_delete_table(cli->client, &request, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

static int list_tags(struct cli *cli)
{
    struct cli_output *out;
    struct mr_list_tags_for_resource_response *answer;
    struct mr_list_tags_for_resource_request request = {.resource_arn = mr_text(cli->words[0])};
    if (mr_list_tags_for_resource(cli->client, &request, &answer, &cli->fault) != 0)
        return cli_fault(cli);
    int rc = cli_output_open(&out, cli->format, stdout, 2) == MR_OK ? CLI_OK : CLI_FAILED;
    if (rc == CLI_OK) {
        cli_output_name(out, 0, mr_text("key"));
        cli_output_name(out, 1, mr_text("value"));
        for (size_t i = 0; i < answer->tags.len; i++) {
            cli_output_text(out, answer->tags.at[i].key);
            cli_output_text(out, answer->tags.at[i].value);
            cli_output_row(out);
        }
        rc = cli_output_close(out) == MR_OK ? CLI_OK : CLI_FAILED;
    }
    mr_response_free(answer);
    return rc;
}

static int add_tags(struct cli *cli, struct mr_arena *arena)
{
    size_t n = (size_t)cli->nwords - 2;
    struct mr_tag *tags = MR_ARENA_ARRAY(arena, n, struct mr_tag);
    for (size_t i = 0; tags != NULL && i < n; i++) {
        const char *word = cli->words[i + 2], *eq = strchr(word, '=');
        if (eq == NULL)
            return cli_misuse(cli, "\"%s\" is not of the form KEY=VALUE.", word);
        tags[i] = (struct mr_tag){{word, (size_t)(eq - word)}, mr_text(eq + 1)};
    }
    struct mr_tag_resource_request request = {.resource_arn = mr_text(cli->words[1]),
                                              .tags = {tags, n, true}};
    if (tags == NULL)
        return CLI_FAILED;
    return mr_tag_resource(cli->client, &request, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

static int remove_tags(struct cli *cli, struct mr_arena *arena)
{
    size_t n = (size_t)cli->nwords - 2;
    struct mr_text *keys = MR_ARENA_ARRAY(arena, n, struct mr_text);
    for (size_t i = 0; keys != NULL && i < n; i++)
        keys[i] = mr_text(cli->words[i + 2]);
    struct mr_untag_resource_request request = {.resource_arn = mr_text(cli->words[1]),
                                                .tag_keys = {keys, n, true}};
    if (keys == NULL)
        return CLI_FAILED;
    return mr_untag_resource(cli->client, &request, &cli->fault) == 0 ? CLI_OK : cli_fault(cli);
}

int cli_tags(struct cli *cli)
{
    struct mr_arena arena = MR_ARENA_INIT;
    if (cli->nwords == 1)
        return list_tags(cli);
    bool add = cli->nwords > 2 && strcmp(cli->words[0], "add") == 0;
    if (!add && (cli->nwords < 3 || strcmp(cli->words[0], "remove") != 0))
        return cli_misuse(cli, "One ARN is needed (millrace databases shows them), or add or remove, an ARN "
                               "and tags.");
    int rc = add ? add_tags(cli, &arena) : remove_tags(cli, &arena);
    mr_arena_release(&arena);
    return rc;
}
