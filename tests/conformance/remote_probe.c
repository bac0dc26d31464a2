/* One call of src/remote from the command line, for test_remote.py.
 *
 *   mr_remote_probe ENDPOINT SERVICE METHOD PATH [query=NAME=VALUE] [header=NAME=VALUE] [body=TEXT] [ca=FILE]
 *                   [most=BYTES]
 *
 * Credentials from the environment. Prints the status, HTTP's status, ETag and a line break; then the body.
 */
#include "remote/remote.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_pair pair_of(struct mr_str text)
{
    size_t eq = mr_str_find(text, '=', 0);
    return (struct mr_pair){mr_str_slice(text, 0, eq), mr_str_slice(text, eq + 1, text.len)};
}

int main(int argc, char **argv)
{
    struct mr_pair query[16], headers[16];
    struct mr_error err = MR_ERROR_INIT;
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    struct remote *remote;
    if (argc < 5)
        return 2;
    struct remote_options options = {.endpoint = argv[1], .region = "us-east-1", .service = argv[2]};
    struct remote_request q = {.method = argv[3],
                               .path = mr_str_of(argv[4]),
                               .query = query,
                               .headers = headers,
                               .body = MR_STR("")};
    for (int i = 5; i < argc; i++) {
        struct mr_pair option = pair_of(mr_str_of(argv[i]));
        if (mr_str_eq(option.name, MR_STR("query")) && q.nquery < MR_ARRAY_LEN(query))
            query[q.nquery++] = pair_of(option.value);
        else if (mr_str_eq(option.name, MR_STR("header")) && q.nheaders < MR_ARRAY_LEN(headers))
            headers[q.nheaders++] = pair_of(option.value);
        else if (mr_str_eq(option.name, MR_STR("body")))
            q.body = option.value;
        else if (mr_str_eq(option.name, MR_STR("ca")))
            options.ca_file = option.value.ptr;
        else if (mr_str_eq(option.name, MR_STR("most")))
            q.max_answer = strtoul(option.value.ptr, NULL, 10);
        else
            return 2;
    }
    int status = remote_open(&options, &remote, &err);
    if (status == MR_OK)
        status = remote_call(remote, &q, &answer, &err);
    printf("%s %d " MR_STR_FMT "\n", mr_status_name((enum mr_status)status), answer.status,
           MR_STR_ARG(remote_answer_header(&answer, MR_STR("etag"))));
    if (status == MR_OK)
        fwrite(mr_buf_view(&answer.body).ptr, 1, answer.body.len, stdout);
    else
        printf("%s", err.text);
    remote_answer_release(&answer);
    remote_close(remote);
    return 0;
}
