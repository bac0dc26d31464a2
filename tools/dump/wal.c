/* tools/dump/wal.c - mr_dump_wal [-e] DIR: prints a log directory; -e with its entries. Reads only.
 *
 * Exit 0: the log is healthy (a torn tail is). 1: it is damaged. 2: it could not be read. */
#include "wal/read.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    bool entries = argc == 3 && strcmp(argv[1], "-e") == 0;
    if (argc != 2 && !entries) {
        fputs("usage: mr_dump_wal [-e] DIR\n", stderr);
        return 2;
    }
    struct mr_error err = MR_ERROR_INIT;
    int status = wal_dump(&mr_io_posix, argv[argc - 1], entries, stdout, &err);
    if (status == MR_OK)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return status == MR_ECORRUPT ? 1 : 2;
}
