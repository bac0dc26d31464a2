#include "magstore/skip.h"

#include "magstore/locate.h"

enum { BLOCKS_LOOKED_AT = 64 };

static bool passes_f64(const struct magstore_filter *f, double min, double max)
{
    switch (f->op) {
    case MAGSTORE_FILTER_EQ:
        return min <= f->f64 && f->f64 <= max;
    case MAGSTORE_FILTER_NE:
        return min != f->f64 || max != f->f64;
    case MAGSTORE_FILTER_LT:
        return min < f->f64;
    case MAGSTORE_FILTER_LE:
        return min <= f->f64;
    case MAGSTORE_FILTER_GT:
        return max > f->f64;
    case MAGSTORE_FILTER_GE:
        return max >= f->f64;
    default:
        return true;
    }
}

static bool passes_i64(const struct magstore_filter *f, int64_t min, int64_t max)
{
    switch (f->op) {
    case MAGSTORE_FILTER_EQ:
        return min <= f->i64 && f->i64 <= max;
    case MAGSTORE_FILTER_NE:
        return min != f->i64 || max != f->i64;
    case MAGSTORE_FILTER_LT:
        return min < f->i64;
    case MAGSTORE_FILTER_LE:
        return min <= f->i64;
    case MAGSTORE_FILTER_GT:
        return max > f->i64;
    case MAGSTORE_FILTER_GE:
        return max >= f->i64;
    default:
        return true;
    }
}

/* Some row of the block may pass. */
static bool may_pass(const struct magstore_filter *f, const struct magstore_page *page, uint32_t rows)
{
    struct magstore_stats stats;
    magstore_page_stats(page, f->column, &stats);
    if (f->op == MAGSTORE_FILTER_IS_NULL)
        return stats.count < rows;
    if (stats.count == 0)
        return false;
    if (f->op == MAGSTORE_FILTER_NOT_NULL || !stats.numbers || stats.type != f->type)
        return true;
    return f->type == MAGSTORE_DOUBLE ? passes_f64(f, stats.f64.min, stats.f64.max)
                                      : passes_i64(f, stats.i64.min, stats.i64.max);
}

/* The reader may have a row of the same series and time as one of the block. */
static bool overlaps(const struct magstore_reader *reader, const struct magstore_block *b)
{
    const struct magstore_info *info = magstore_reader_info(reader);
    if (info->last_series < b->first_series || info->first_series > b->last_series ||
        info->time_max < b->time_min || info->time_min > b->time_max)
        return false;
    uint32_t at = magstore_locate_from(reader, 0, b->first_series, b->time_min);
    for (uint32_t looked = 0; at < info->blocks; at++, looked++) {
        const struct magstore_block *other = magstore_reader_block(reader, at);
        if (other->first_series > b->last_series)
            return false;
        if (looked == BLOCKS_LOOKED_AT || (other->time_min <= b->time_max && other->time_max >= b->time_min))
            return true;
    }
    return false;
}

bool magstore_skip(const struct magstore_filters *filters, const struct magstore_source *source)
{
    const struct magstore_block *b = magstore_reader_block(source->reader, source->block);
    bool passes = true;
    for (size_t i = 0; i < filters->count && passes; i++)
        passes = may_pass(&filters->list[i], source->page, b->rows);
    if (passes)
        return false;
    for (size_t i = 0; i < filters->nsources; i++)
        if (&filters->sources[i] != source && overlaps(filters->sources[i].reader, b))
            return false;
    return true;
}
