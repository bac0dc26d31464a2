/* engine_open, engine_close. */
#include "engine/crew.h"
#include "engine/duck.h"

#include <unistd.h>

static void settle_options(struct engine_options *options)
{
    if (options->memory_limit == 0)
        options->memory_limit = (size_t)1 << 30;
    if (options->threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        options->threads = cores < 1 ? 1 : (unsigned)cores;
    }
    if (options->help_from == 0) /* for fewer, waking a thread costs more than it does */
        options->help_from = 200000;
    if (options->clock == NULL)
        options->clock = &mr_clock_system;
}

int engine_open(const struct engine_options *options, struct engine **out, struct mr_error *err)
{
    struct engine *engine = mr_calloc(1, sizeof(*engine));
    if (engine == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    engine->options = *options;
    settle_options(&engine->options);
    engine->agg.limit = engine->options.memory_limit;
    engine->vector_bytes = engine->options.memory_limit / 8;
    if (engine->vector_bytes > ENGINE_VECTOR_BYTES_MAX)
        engine->vector_bytes = ENGINE_VECTOR_BYTES_MAX;
    if (engine->vector_bytes < ENGINE_VECTOR_BYTES_MIN)
        engine->vector_bytes = ENGINE_VECTOR_BYTES_MIN;
    engine->wake = engine->statm = -1;
    pthread_mutex_init(&engine->lock, NULL);

    int status = duck_open(engine, &engine->duck, err);
    if (status == MR_OK)
        status = crew_open(engine->options.threads - 1, &engine->crew, err);
    if (status == MR_OK)
        status = watch_start(engine, err);
    if (status != MR_OK) {
        engine_close(engine);
        return status;
    }
    *out = engine;
    return MR_OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    MR_ASSERT(engine->nruns == 0);
    watch_stop(engine);
    crew_close(engine->crew);
    while (engine->idle != NULL) {
        struct conn *conn = engine->idle;
        engine->idle = conn->next;
        duckdb_disconnect(&conn->con);
        duck_unref(conn->duck);
        mr_free(conn);
    }
    if (engine->duck != NULL)
        duck_unref(engine->duck);
    pthread_mutex_destroy(&engine->lock);
    mr_free(engine);
}
