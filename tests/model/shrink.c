/* tests/model/shrink.c - a failing history with as few operations as possible (delta debugging: leave out
 * halves, quarters, ... and keep what still fails). Every attempt is a child process, so aborts and hangs
 * count as failures like any other. */
#include "model/history.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

bool history_try(const struct history_plan *plan, unsigned seconds, bool quiet)
{
    int status;
    plan->notes->text[0] = '\0';
    fflush(NULL);
    pid_t child = fork();
    MR_ASSERT(child >= 0);
    if (child == 0) {
        int null = quiet ? open("/dev/null", O_WRONLY) : -1;
        if (null >= 0)
            dup2(null, STDERR_FILENO);
        alarm(seconds);
        history_play(plan);
        exit(0); /* with what a sanitizer has to say about leaks */
    }
    while (waitpid(child, &status, 0) != child)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(plan->notes->text, sizeof plan->notes->text, "hangs: not done after %u s", seconds);
    else if (plan->notes->text[0] == '\0')
        snprintf(plan->notes->text, sizeof plan->notes->text, "the process ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

struct search {
    struct history_plan plan;
    bool *keep, *attempt;
    time_t until;
    unsigned attempts;
};

static bool fails(struct search *s, const bool *keep)
{
    s->plan.keep = keep;
    s->attempts++;
    return !history_try(&s->plan, 30, true);
}

static size_t kept(const struct search *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->plan.nops; i++)
        n += s->keep[i];
    return n;
}

/* Leaves out the kept operations numbered [from, to) among the kept ones; true when it still fails. */
static bool without(struct search *s, size_t from, size_t to)
{
    size_t number = 0;
    for (size_t i = 0; i < s->plan.nops; i++) {
        s->attempt[i] = s->keep[i] && !(number >= from && number < to);
        number += s->keep[i];
    }
    if (!fails(s, s->attempt))
        return false;
    memcpy(s->keep, s->attempt, s->plan.nops * sizeof *s->keep);
    return true;
}

static void reduce(struct search *s)
{
    for (size_t parts = 2; kept(s) > 1;) {
        size_t total = kept(s), size = (total + parts - 1) / parts;
        bool smaller = false;
        for (size_t from = 0; from < kept(s) && time(NULL) < s->until;) {
            if (without(s, from, from + size))
                smaller = true;
            else
                from += size;
        }
        if (time(NULL) >= s->until || (size <= 1 && !smaller))
            return;
        if (size > 1)
            parts = parts * 2 < total ? parts * 2 : total;
    }
}

static void print(struct search *s)
{
    s->plan.keep = s->keep;
    s->plan.verbose = true;
    printf("smallest history found (%u attempts), %zu operations:\n", s->attempts, kept(s));
    bool passed = history_try(&s->plan, 30, true);
    printf("  fails at operation %zu: %s\n", s->plan.notes->operation,
           passed ? "(this time it passed: threads race, try again)" : s->plan.notes->text);
    printf("run it again: model_store --seed %llu --ops %zu --keep ", (unsigned long long)s->plan.seed,
           s->plan.nops);
    const char *comma = "";
    for (size_t i = 0; i < s->plan.nops; i++) {
        if (s->keep[i]) {
            printf("%s%zu", comma, i);
            comma = ",";
        }
    }
    printf("\n");
}

void history_shrink(const struct history_plan *plan, size_t failed)
{
    struct search s = {.plan = *plan, .until = time(NULL) + 180};
    s.keep = malloc(plan->nops * sizeof *s.keep);
    s.attempt = malloc(plan->nops * sizeof *s.attempt);
    MR_ASSERT(s.keep != NULL && s.attempt != NULL);
    for (size_t i = 0; i < plan->nops; i++)
        s.keep[i] = (plan->keep == NULL || plan->keep[i]) && i <= failed;
    bool again = false;
    for (int i = 0; i < 3 && !again; i++)
        again = fails(&s, s.keep);
    if (again)
        reduce(&s);
    else
        printf("it does not fail again by itself: threads race, or it takes longer than 30 s\n");
    print(&s);
    free(s.keep);
    free(s.attempt);
}
