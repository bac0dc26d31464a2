#include "cli/access.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int access_failed(const struct access_cli *cli)
{
    fprintf(stderr, "millrace: %s\n", cli->err.text[0] != '\0' ? cli->err.text : "out of memory");
    return CLI_FAILED;
}

int access_misuse(const struct access_cli *cli, const char *text)
{
    fprintf(stderr, "millrace: %s\n%s", text, cli->usage);
    return CLI_USAGE;
}

struct mr_str access_word(const struct access_cli *cli, int at)
{
    return at < cli->nwords ? mr_str_of(cli->words[at]) : MR_STR_NULL;
}

static const struct option options[] = {
    {"users", required_argument, NULL, 'u'},
    {"data", required_argument, NULL, 'D'},
    {"expires", required_argument, NULL, 'e'},
    {"policy", required_argument, NULL, 'p'},
    {"user", required_argument, NULL, 'U'},
    {"action", required_argument, NULL, 'a'},
    {"resource", required_argument, NULL, 'r'},
    {"context", required_argument, NULL, 'c'},
    {"no-key", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool take(struct access_cli *cli, int code)
{
    const char **list = code == 'p' ? cli->policies : cli->context;
    int *n = code == 'p' ? &cli->npolicies : &cli->ncontext;
    const char **one = code == 'u'   ? &cli->users
                       : code == 'D' ? &cli->data
                       : code == 'e' ? &cli->expires
                       : code == 'U' ? &cli->user
                       : code == 'a' ? &cli->action
                       : code == 'r' ? &cli->resource
                                     : NULL;
    if (code == 'n') {
        cli->no_key = true;
        return true;
    }
    if (one != NULL) {
        *one = optarg;
        return true;
    }
    if ((code != 'p' && code != 'c') || *n == (int)MR_ARRAY_LEN(cli->policies))
        return false;
    list[(*n)++] = optarg;
    return true;
}

int access_options(struct access_cli *cli, int argc, char **argv, bool *help)
{
    int code;
    cli->users = getenv("MILLRACE_USERS");
    optind = 1;
    while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (code == 'h') {
            *help = true;
        } else if (!take(cli, code)) { /* getopt has named an unknown one */
            fputs(cli->usage, stderr);
            return CLI_USAGE;
        }
    }
    cli->words = argv + optind;
    cli->nwords = argc - optind;
    return CLI_OK;
}

int access_open(struct access_cli *cli, enum policy_edit_mode mode)
{
    if (cli->users == NULL)
        return access_misuse(cli, "--users FILE is needed, or MILLRACE_USERS.");
    return policy_edit_open(cli->users, mode, &cli->edit, &cli->err) == MR_OK ? CLI_OK : access_failed(cli);
}

/* The process that holds the lock of the data directory: only then does the number in the file mean it. */
static pid_t holder(const char *data, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT, text = MR_BUF_INIT;
    int64_t pid = 0;
    mr_buf_printf(&path, "%s/lock", data);
    mr_buf_char(&path, '\0');
    int fd = mr_buf_ok(&path) ? open(path.ptr, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        mr_error_set(err, MR_EIO, "%s is no data directory of a server", data);
    } else if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        mr_error_set(err, MR_ENOENT, "no server runs on %s", data);
    } else if (mr_io_read_file(&mr_io_posix, path.ptr, 64, &text, err) == MR_OK &&
               (!mr_str_to_i64(mr_str_slice(mr_buf_view(&text), 0, text.len > 0 ? text.len - 1 : 0), &pid) ||
                pid <= 1 || pid > INT32_MAX)) {
        mr_error_set(err, MR_EINVAL, "%s/lock does not say which process holds it", data);
        pid = 0;
    }
    if (fd >= 0)
        close(fd);
    mr_buf_release(&path);
    mr_buf_release(&text);
    return (pid_t)pid;
}

int access_save(struct access_cli *cli)
{
    if (policy_edit_save(&cli->edit, &cli->err) != MR_OK)
        return access_failed(cli);
    cli->written = true;
    if (cli->data == NULL) {
        fputs("millrace: a running server reads the file again at kill -HUP (or with --data DIR here)\n",
              stderr);
        return CLI_OK;
    }
    pid_t pid = holder(cli->data, &cli->err);
    if (pid == 0)
        return access_failed(cli);
    if (kill(pid, SIGHUP) != 0) {
        mr_error_set(&cli->err, MR_EIO, "the file is written, but process %d cannot be told: %s", (int)pid,
                     strerror(errno));
        return access_failed(cli);
    }
    fprintf(stderr,
            "millrace: told the server (process %d) to read the file again; its log says whether it did\n",
            (int)pid);
    return CLI_OK;
}
