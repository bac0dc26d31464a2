#include "lib/dir.h"

#include "lib/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *dir_make(void)
{
    const char *base = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/millrace-test-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    char *copy = mr_strndup(path, strlen(path));
    assert_non_null(copy);
    return copy;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    MR_UNUSED(st);
    MR_UNUSED(type);
    MR_UNUSED(ftw);
    return remove(path);
}

void dir_remove(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    mr_free(path);
}
