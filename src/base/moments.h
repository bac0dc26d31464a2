/* base/moments.h - count, mean and sum of squared distances from it, of sets of values that are put together.
 *
 * The update for two sets is that of Chan, Golub and LeVeque (1979); it keeps the digits that sums of squares
 * lose. Pure.
 */
#ifndef MR_BASE_MOMENTS_H
#define MR_BASE_MOMENTS_H

struct mr_moments {
    double n, mean, m2; /* all 0: of no value */
};

static inline void mr_moments_join(struct mr_moments *into, const struct mr_moments *from)
{
    double n = into->n + from->n, delta = from->mean - into->mean;
    if (into->n == 0 || from->n == 0) {
        *into = into->n == 0 ? *from : *into;
        return;
    }
    into->m2 += from->m2 + delta * delta * (into->n * from->n) / n;
    into->mean += delta * from->n / n;
    into->n = n;
}

#endif
