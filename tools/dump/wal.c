/* tools/dump/wal.c - mr_dump_wal [-e] --keys DIR DIR: prints a log directory; -e with its entries. Reads
 * only.
 *
 * The keys are those of the store, in "keys" beside "wal". Exit 0: the log is healthy (a torn tail is). 1: it
 * is damaged. 2: it could not be read. */
#include "wal/read.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static int usage(void)
{
    fputs("usage: mr_dump_wal [-e] --keys DIR DIR\n", stderr);
    return 2;
}

/* Opening a keyring makes one where there is none, and this program only reads. */
static bool has_keyring(const char *dir)
{
    char path[WAL_PATH_BYTES];
    snprintf(path, sizeof path, "%s/keyring", dir);
    return access(path, F_OK) == 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
    const char *keys = NULL;
    bool entries = false;
    for (int c; (c = getopt_long(argc, argv, "e", options, NULL)) != -1;) {
        if (c == 'k')
            keys = optarg;
        else if (c == 'e')
            entries = true;
        else
            return usage();
    }
    if (keys == NULL || optind + 1 != argc)
        return usage();
    if (!has_keyring(keys)) {
        fprintf(stderr, "%s: no keyring there\n", keys);
        return 2;
    }
    struct mr_error err = MR_ERROR_INIT;
    struct seal_keyring *keyring;
    int status = seal_keyring_open(&mr_io_posix, keys, &keyring, &err);
    bool opened = status == MR_OK;
    if (opened)
        status = wal_dump(&mr_io_posix, argv[optind], keyring, entries, stdout, &err);
    seal_keyring_close(keyring);
    if (status == MR_OK)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return opened && status == MR_ECORRUPT ? 1 : 2;
}
