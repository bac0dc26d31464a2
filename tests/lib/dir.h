/* tests/lib/dir.h - a scratch directory under $TMPDIR or /tmp, removed with all it holds. */
#ifndef MR_TESTS_DIR_H
#define MR_TESTS_DIR_H

/* Makes one and returns its path (owned by the caller, free with dir_remove). Fails the test when it cannot.
 */
char *dir_make(void);
/* Removes the tree and frees the path. */
void dir_remove(char *path);

#endif
