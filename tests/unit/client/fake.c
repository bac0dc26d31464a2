#include "fake.h"

#include "client/process.h"

#include <stdio.h>

static const char *get_env(void *ctx, const char *name)
{
    const struct fake *f = ctx;
    for (size_t i = 0; i < MR_ARRAY_LEN(f->env) && f->env[i][0] != NULL; i++)
        if (strcmp(f->env[i][0], name) == 0)
            return f->env[i][1];
    return NULL;
}

static void count_sleep(void *ctx, int64_t ns)
{
    struct fake *f = ctx;
    pthread_mutex_lock(&f->lock);
    f->slept_ns += ns;
    f->sleeps++;
    pthread_mutex_unlock(&f->lock);
}

static void note(struct fake *f, const struct client_request *q)
{
    if (f->nrequests >= MR_ARRAY_LEN(f->requests))
        return;
    struct fake_request *r = &f->requests[f->nrequests];
    size_t used = 0;
    snprintf(r->method, sizeof r->method, "%s", q->method);
    snprintf(r->url, sizeof r->url, "%s", q->url);
    snprintf(r->body, sizeof r->body, MR_STR_FMT, MR_STR_ARG(q->body));
    for (size_t i = 0; i < q->nheaders && used < sizeof r->headers; i++)
        used += (size_t)snprintf(r->headers + used, sizeof r->headers - used, MR_STR_FMT ": " MR_STR_FMT "\n",
                                 MR_STR_ARG(q->headers[i].name), MR_STR_ARG(q->headers[i].value));
}

static int send_scripted(void *ctx, const struct client_request *q, struct client_response *r)
{
    struct fake *f = ctx;
    pthread_mutex_lock(&f->lock);
    note(f, q);
    struct fake_answer a = {.error = MR_ERR_NETWORK};
    if (f->nanswers > 0)
        a = f->answers[f->nrequests < f->nanswers ? f->nrequests : f->nanswers - 1];
    f->nrequests++;
    pthread_mutex_unlock(&f->lock);
    r->status = a.status;
    r->date_s = a.date_s;
    r->framed = true;
    snprintf(r->request_id, sizeof r->request_id, "%s", "REQUEST7");
    if (a.error != 0)
        snprintf(r->problem, sizeof r->problem, "scripted");
    else
        mr_buf_str(&r->body, mr_str_of(a.body != NULL ? a.body : ""));
    return mr_buf_ok(&r->body) ? a.error : MR_ERR_MEMORY; /* as http.c does */
}

void fake_init(struct fake *f)
{
    memset(f, 0, sizeof *f);
    mr_clock_manual_init(&f->clock, INT64_C(1767323045) * MR_NS_PER_S);
    pthread_mutex_init(&f->lock, NULL);
    f->world = (struct client_world){.clock = &f->clock,
                                     .io = &mr_io_posix,
                                     .env = get_env,
                                     .sleep = count_sleep,
                                     .send = send_scripted,
                                     .run = client_process_run,
                                     .ctx = f};
    fake_env(f, "HOME", "/nonexistent");
    fake_env(f, "AWS_REGION", "us-east-1");
    fake_env(f, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    fake_env(f, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    fake_env(f, "AWS_ENDPOINT_URL", "http://localhost:8443");
}

void fake_env(struct fake *f, const char *name, const char *value)
{
    size_t i = 0;
    while (f->env[i][0] != NULL && strcmp(f->env[i][0], name) != 0)
        i++;
    assert_true(i < MR_ARRAY_LEN(f->env));
    f->env[i][0] = name;
    f->env[i][1] = value;
}

void fake_answer(struct fake *f, int error, int status, const char *body)
{
    assert_true(f->nanswers < MR_ARRAY_LEN(f->answers));
    f->answers[f->nanswers++] = (struct fake_answer){.error = error, .status = status, .body = body};
}

struct mr_client *fake_open(struct fake *f, const struct mr_options *options)
{
    struct mr_client *client = NULL;
    struct mr_fault fault = MR_FAULT_INIT;
    if (client_open_in(&f->world, options, &client, &fault) != 0)
        fail_msg("client_open_in: %s", fault.message);
    mr_fault_clear(&fault);
    return client;
}

const char *fake_header(const struct fake *f, size_t request, const char *name)
{
    static char value[2048];
    char key[128];
    snprintf(key, sizeof key, "%s: ", name);
    const char *at = strstr(f->requests[request].headers, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
    return value;
}
