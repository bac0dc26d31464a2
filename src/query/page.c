/* A page: rows pulled from the run's cursor until MaxRows, the megabyte or the end. One row more is fetched
 * and kept, so that a page that ends with the last row says so, and no needlessly empty page follows
 * (users-want row 5). */
#include "query/run.h"

/* Next row's JSON appended to out: MR_OK, MR_ENOENT at the end. */
static int fetch(struct query_run *run, struct mr_buf *out, struct mr_error *err)
{
    if (!run->use_fixed)
        return engine_run_row(run->engine, out, err);
    if (run->fixed.next == run->fixed.len)
        return MR_ENOENT;
    mr_buf_str(out, run->fixed.at[run->fixed.next++]);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

static int ensure_pending(struct query_run *run, struct mr_error *err)
{
    if (run->has_pending || run->ended)
        return MR_OK;
    run->pending.len = 0;
    int status = fetch(run, &run->pending, err);
    if (status == MR_ENOENT) {
        run->ended = true;
        return MR_OK;
    }
    if (status != MR_OK)
        return status;
    if (run->pending.len > QUERY_PAGE_BYTES)
        return mr_error_set(
            err, MR_EINVAL,
            "Query aborted as max page response size has been exceeded by the output result row");
    run->has_pending = true;
    return MR_OK;
}

int query_page_make(struct query_run *run, uint64_t max_rows, struct query_page *page, struct mr_error *err)
{
    page->rows.len = 0;
    page->count = 0;
    for (;;) {
        int status = ensure_pending(run, err);
        if (status != MR_OK)
            return status;
        if (run->ended || page->count == max_rows || page->rows.len + run->pending.len + 1 > QUERY_PAGE_BYTES)
            break;
        if (page->count != 0)
            mr_buf_char(&page->rows, ',');
        mr_buf_str(&page->rows, mr_buf_view(&run->pending));
        run->has_pending = false;
        page->count++;
    }
    page->last = run->ended;
    return mr_buf_ok(&page->rows) ? MR_OK : MR_ENOMEM;
}
