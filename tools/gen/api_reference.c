/* tools/gen/api_reference.c - prints docs/api.md from the tables of src/model; with --json, the tables
 * themselves.
 *
 *   ninja mr_api_reference && src/model/mr_api_reference > docs/api.md
 */
#include <stdio.h>

#include "model/model.h"

int main(int argc, char **argv)
{
    struct mr_buf page = MR_BUF_INIT;
    if (argc > 1 && strcmp(argv[1], "--json") == 0)
        model_reference_json(&page);
    else
        model_reference_markdown(&page);
    int failed =
        !mr_buf_ok(&page) || fwrite(page.ptr, 1, page.len, stdout) != page.len || fflush(stdout) != 0;
    mr_buf_release(&page);
    return failed;
}
