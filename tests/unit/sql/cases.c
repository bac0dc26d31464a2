/* tests/unit/sql/cases.c - two levels of directories, read once. */
#include "cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"

#define MAX_CASES 2000

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    *len = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

static void add_area(struct sql_case *cases, size_t *n, const char *area)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", MR_SQL_CASES, area);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 4, ".sql") != 0)
            continue;
        assert_true(*n < MAX_CASES);
        struct sql_case *c = &cases[(*n)++];
        snprintf(c->path, sizeof c->path, "%.100s/%.*s", area, (int)(len - 4 < 140 ? len - 4 : 140),
                 e->d_name);
        c->text = case_read(c, "sql");
        assert_non_null(c->text);
        c->len = strlen(c->text);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct sql_case *)a)->path, ((const struct sql_case *)b)->path);
}

struct sql_case *cases_load(size_t *n)
{
    struct sql_case *cases = calloc(MAX_CASES, sizeof *cases);
    DIR *dir = opendir(MR_SQL_CASES);
    assert_non_null(cases);
    assert_non_null(dir);
    *n = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] != '.')
            add_area(cases, n, e->d_name);
    }
    closedir(dir);
    assert_true(*n > 0);
    qsort(cases, *n, sizeof *cases, by_path);
    return cases;
}

void cases_free(struct sql_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(cases[i].text);
    free(cases);
}

char *case_read(const struct sql_case *c, const char *extension)
{
    char path[1024];
    size_t len;
    snprintf(path, sizeof path, "%s/%s.%s", MR_SQL_CASES, c->path, extension);
    return read_file(path, &len);
}

void case_write(const struct sql_case *c, const char *extension, struct mr_str text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%s", MR_SQL_CASES, c->path, extension);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.ptr, 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
}
