/* Random histories, engine against model.
 *
 *     model_store [--total N] [--ops M] [--seed S] [--jobs J]   histories of M operations until N are played,
 *                                                               seeds S, S + 1, ...
 *     model_store --seed S --ops M --keep i,j,k                 one history, these operations of it
 *
 * The first history that fails is shrunk and printed with the command that plays it again.
 */
#include "model/history.h"

#include "base/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    uint64_t total, ops, seed, jobs;
    bool *keep, verbose;
} options = {.total = 4000, .ops = 2000, .seed = 20241125, .jobs = 1};

static void *shared(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MR_ASSERT(p != MAP_FAILED);
    return p;
}

static void read_keep(char *list)
{
    options.keep = calloc(options.ops, sizeof *options.keep);
    MR_ASSERT(options.keep != NULL);
    for (char *save = NULL, *word = strtok_r(list, ",", &save); word != NULL;
         word = strtok_r(NULL, ",", &save)) {
        size_t i = strtoul(word, NULL, 10);
        if (i < options.ops)
            options.keep[i] = true;
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option names[] = {{"total", 1, NULL, 't'}, {"ops", 1, NULL, 'o'},
                                          {"seed", 1, NULL, 's'},  {"jobs", 1, NULL, 'j'},
                                          {"keep", 1, NULL, 'k'},  {NULL, 0, NULL, 0}};
    char *keep = NULL;
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 't')
            options.total = strtoull(optarg, NULL, 10);
        else if (c == 'o')
            options.ops = strtoull(optarg, NULL, 10);
        else if (c == 's')
            options.seed = strtoull(optarg, NULL, 10);
        else if (c == 'j')
            options.jobs = strtoull(optarg, NULL, 10);
        else if (c == 'k')
            keep = optarg;
        else
            exit(2);
    }
    if (options.ops == 0 || options.jobs == 0)
        exit(2);
    if (keep != NULL) {
        read_keep(keep);
        options.verbose = true;
        options.total = options.ops;
        options.jobs = 1;
    }
}

/* Each worker plays its share one after the other and ends with 1 at the first that fails. */
static int work(uint64_t worker, uint64_t histories, struct history_notes *notes, int *stop)
{
    for (uint64_t i = worker; i < histories && !__atomic_load_n(stop, __ATOMIC_RELAXED); i += options.jobs) {
        struct history_plan plan = {.seed = options.seed + i,
                                    .nops = options.ops,
                                    .keep = options.keep,
                                    .verbose = options.verbose,
                                    .notes = notes};
        if (history_try(&plan, 600, false))
            continue;
        __atomic_store_n(stop, 1, __ATOMIC_RELAXED);
        printf("FAILED: seed %llu, operation %zu: %s\n", (unsigned long long)plan.seed, notes->operation,
               notes->text);
        plan.notes = shared(sizeof *notes); /* the counts are those of what was played */
        plan.verbose = false;
        if (options.keep == NULL)
            history_shrink(&plan, notes->operation);
        fflush(NULL);
        return 1;
    }
    return 0;
}

static void print_counts(const struct history_notes *notes)
{
    uint64_t sum[HISTORY_COUNTS] = {0};
    for (uint64_t j = 0; j < options.jobs; j++)
        for (int i = 0; i < HISTORY_COUNTS; i++)
            sum[i] += notes[j].counts[i];
    printf("seeds from %llu, histories of %llu:", (unsigned long long)options.seed,
           (unsigned long long)options.ops);
    for (int i = 0; i < HISTORY_COUNTS; i++)
        printf("%s %llu %s", i != 0 ? "," : "", (unsigned long long)sum[i],
               history_count_name((enum history_count)i));
    printf("\n");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    mr_log_set_level(MR_LOG_ERROR); /* torn tails are the normal case here */
    uint64_t histories = (options.total + options.ops - 1) / options.ops;
    struct history_notes *notes = shared(options.jobs * sizeof *notes);
    int *stop = shared(sizeof *stop), failures = 0;
    for (uint64_t j = 0; j < options.jobs; j++) {
        fflush(NULL);
        pid_t child = fork();
        MR_ASSERT(child >= 0);
        if (child == 0)
            exit(work(j, histories, &notes[j], stop));
    }
    for (int status; wait(&status) > 0;)
        failures += status != 0;
    print_counts(notes);
    return failures != 0;
}
