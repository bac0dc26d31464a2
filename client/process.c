#include "client/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- words ---- */

struct splitter {
    struct mr_str line;
    size_t at;
};

/* The next word into the buffer. MR_OK, MR_ENOENT at the end, MR_EINVAL. */
static int next_word(struct splitter *s, struct mr_buf *word)
{
    char quote = 0;
    while (s->at < s->line.len && strchr(" \t", s->line.ptr[s->at]) != NULL)
        s->at++;
    if (s->at == s->line.len)
        return MR_ENOENT;
    for (; s->at < s->line.len; s->at++) {
        char c = s->line.ptr[s->at];
        if (quote == 0 && (c == ' ' || c == '\t'))
            break;
        if (c == quote)
            quote = 0;
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == '\\' && quote != '\'' && s->at + 1 < s->line.len)
            mr_buf_char(word, s->line.ptr[++s->at]);
        else
            mr_buf_char(word, c);
    }
    return quote == 0 ? MR_OK : MR_EINVAL;
}

int client_process_words(struct mr_str line, struct mr_arena *arena, const char ***words)
{
    struct splitter s = {line, 0};
    struct mr_buf word = MR_BUF_INIT;
    size_t n = 0;
    int rc = MR_OK;
    *words = MR_ARENA_ARRAY(arena, line.len / 2 + 2, const char *);
    while (*words != NULL && (rc = next_word(&s, &word)) == MR_OK) {
        (*words)[n++] = mr_arena_dup(arena, mr_buf_view(&word)).ptr;
        word.len = 0;
    }
    bool good = mr_buf_ok(&word) && !arena->failed;
    mr_buf_release(&word);
    if (!good)
        return MR_ENOMEM;
    return rc == MR_ENOENT && n > 0 ? MR_OK : MR_EINVAL;
}

/* ---- running ---- */

static int start(const char *const *argv, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Until the other side is closed. false: too much, too late, or the pipe broke. */
static bool read_all(int fd, struct mr_buf *out)
{
    int64_t end = mr_clock_mono(&mr_clock_system) + PROCESS_SECONDS * MR_NS_PER_S;
    for (;;) {
        int64_t left = end - mr_clock_mono(&mr_clock_system);
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int n = left > 0 ? poll(&ready, 1, (int)(left / 1000000) + 1) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        char *to = n > 0 ? mr_buf_reserve(out, 4096) : NULL;
        ssize_t got = to != NULL ? read(fd, to, 4096) : -1;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        out->len += (size_t)got;
        if (out->len > PROCESS_BYTES)
            return false;
    }
}

/* The exit status, or -1. */
static int finish(pid_t pid, bool good)
{
    int status;
    if (!good)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return good ? 0 : -1; /* the program's own SIGCHLD handler took it: judge by what was printed */
    return good && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int client_process_run(const char *const *argv, struct mr_buf *out, struct mr_error *err)
{
    int ends[2];
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return mr_error_set(err, MR_EIO, "%s: %s", argv[0], strerror(errno));
    int failed = start(argv, ends[1], &pid);
    close(ends[1]);
    if (failed != 0) {
        close(ends[0]);
        return mr_error_set(err, MR_EIO, "%s: %s", argv[0], strerror(failed));
    }
    bool good = read_all(ends[0], out);
    close(ends[0]);
    int status = finish(pid, good);
    if (out->failed)
        return MR_ENOMEM;
    if (!good)
        return mr_error_set(err, MR_EIO, "%s printed too much or took longer than %d s.", argv[0],
                            PROCESS_SECONDS);
    return status == 0 ? MR_OK : mr_error_set(err, MR_EIO, "%s ended with status %d.", argv[0], status);
}
