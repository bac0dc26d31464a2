/* Any bytes as a manifest: refused, or a state that encodes to the same state again; and then as the files
 * that merges are planned for. Checksums are not believed under MR_FUZZING. */
#include "magstore/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void encodes_to_the_same(const struct magstore_manifest *m)
{
    struct magstore_manifest back = MAGSTORE_MANIFEST_INIT;
    struct mr_buf bytes = MR_BUF_INIT, again = MR_BUF_INIT;
    require(magstore_manifest_check(m) == MR_OK);
    require(magstore_manifest_encode(m, &bytes) == MR_OK);
    require(magstore_manifest_decode(mr_buf_view(&bytes), &back, NULL) == MR_OK);
    require(magstore_manifest_encode(&back, &again) == MR_OK);
    require(mr_str_eq(mr_buf_view(&bytes), mr_buf_view(&again)));
    for (size_t i = 0; i < m->nfiles; i++)
        require(magstore_manifest_remove(&back, m->files[i].kind, m->files[i].number));
    require(back.nfiles == 0);
    for (size_t i = m->nfiles; i-- > 0;)
        require(magstore_manifest_add(&back, &m->files[i]) == MR_OK);
    require(magstore_manifest_check(&back) == MR_OK);
    magstore_manifest_release(&back);
    mr_buf_release(&bytes);
    mr_buf_release(&again);
}

static void plans_something_sound(const struct magstore_manifest *m)
{
    static const struct magstore_policy policies[] = {
        {0, 0, 0}, {1, 1000, 10}, {3600, UINT64_MAX, UINT64_MAX}};
    for (size_t p = 0; p < MR_ARRAY_LEN(policies); p++) {
        struct magstore_job job;
        int64_t cutoff = m->nfiles != 0 ? m->files[0].time_min : 0;
        magstore_plan_merge(&policies[p], m->files, m->nfiles, NULL, cutoff, &job);
        require(job.nfiles <= MAGSTORE_MAX_FANIN);
        for (size_t i = 0; i < job.nfiles; i++)
            require(job.files[i] < m->nfiles && (i == 0 || job.files[i - 1] < job.files[i]) &&
                    m->files[job.files[i]].time_max >= cutoff);
        for (size_t i = 0; i < m->nfiles; i++) {
            int64_t start[MAGSTORE_MAX_CUTS];
            size_t cuts = magstore_plan_cuts(&policies[p], m->files[i].time_min, m->files[i].time_max, start);
            require((cuts == 0) == (m->files[i].time_min > m->files[i].time_max));
            for (size_t c = 1; c < cuts; c++)
                require(start[c - 1] < start[c]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    if (magstore_manifest_decode((struct mr_str){(const char *)data, size}, &m, &err) == MR_OK) {
        encodes_to_the_same(&m);
        plans_something_sound(&m);
    } else {
        require(err.status != MR_OK && err.text[0] != '\0' && m.files == NULL);
    }
    magstore_manifest_release(&m);
    return 0;
}
