/* millrace - the command line. `millrace serve` is the server; design contract: docs/architecture.md. */
#include "cli/cli.h"
#include "server/boot.h"
#include "server/backup_commands.h"
#include "server/care_commands.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define USAGE                                                                                                \
    "usage: millrace <command>\n\n"                                                                          \
    "  serve      serve the Timestream APIs from a data directory (millrace serve --help)\n"                 \
    "  version    print the version\n"

/* Blocks the signals that end the server, and the one that makes it read its files again, in every thread;
 * main takes them with sigwait. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve(int argc, char **argv)
{
    struct server_config config;
    struct server *server = NULL;
    struct mr_error err = MR_ERROR_INIT;
    bool help;
    int exit_code = 1;
    int status = server_config_load(&config, argc, argv, &help, &err);
    if (status != MR_OK) {
        fprintf(stderr, "millrace: %s\n", err.text);
        exit_code = 2;
        goto done;
    }
    if (help) {
        struct mr_buf text = MR_BUF_INIT;
        server_config_help(&text);
        fwrite(text.ptr, 1, text.len, stdout);
        mr_buf_release(&text);
        exit_code = 0;
        goto done;
    }
    mr_log_set_level(config.level);
    sigset_t signals;
    block_signals(&signals);
    status = server_start(&config, &server, &err);
    if (status != MR_OK) {
        fprintf(stderr, "millrace: %s\n", err.text);
        goto done;
    }
    printf("ready %s\n", server_url(server));
    fflush(stdout);
    mr_log(MR_LOG_INFO, "ready", "url=%s pid=%d", server_url(server), (int)getpid());
    int signal_number;
    for (;;) {
        int failed = sigwait(&signals, &signal_number); /* EINTR at most */
        if (failed == 0 && signal_number != SIGHUP)
            break;
        if (failed == 0)
            server_reload(server);
    }
    mr_log(MR_LOG_INFO, "stopping", "signal=%d", signal_number);
    server_stop(server);
    mr_log(MR_LOG_INFO, "stopped", "exit=0");
    exit_code = 0;
done:
    server_config_release(&config);
    return exit_code;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "serve") == 0)
        return serve(argc - 2, argv + 2);
    if (argc >= 2 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("millrace " MR_VERSION);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0 &&
        (cli_help(argv[2], stdout) || care_command_help(argv[2], stdout) ||
         backup_command_help(argv[2], stdout)))
        return 0;
    bool help = argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0), known = false;
    int exit_code = argc >= 2 && !help ? care_command(argc - 1, argv + 1, &known) : 2;
    if (argc >= 2 && !help && !known)
        exit_code = backup_command(argc - 1, argv + 1, &known);
    if (argc >= 2 && !help && !known)
        exit_code = cli_run(argc - 1, argv + 1, &known);
    if (known)
        return exit_code;
    fputs(USAGE, help ? stdout : stderr);
    care_command_list(help ? stdout : stderr);
    backup_command_list(help ? stdout : stderr);
    cli_list(help ? stdout : stderr);
    return help ? 0 : 2;
}
