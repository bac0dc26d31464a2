"""Every function name of the query language reference, section 6, is known to the front end.

That a name is known says nothing of its values: those are checked by unit/engine (tests/sql/values and the suites by
family). A name that is no function gives the answer that the others must not give.
"""

import unittest

from base import Case

NAMES = """
abs acos ago approx_distinct approx_percentile arbitrary array_agg array_distinct array_except array_intersect
array_join array_max array_min array_position array_remove array_sort array_union arrays_overlap asin atan atan2
avg bin bit_count bitwise_and bitwise_and_agg bitwise_not bitwise_or bitwise_or_agg bitwise_xor bool_and bool_or
cardinality cast cbrt ceil ceiling chr coalesce codepoint concat corr correlate_pearson correlate_spearman cos
cosh count count_if covar_pop covar_samp create_time_series cume_dist current_date current_time
current_timestamp current_timezone date date_add date_diff date_format date_parse date_trunc day day_of_month
day_of_week day_of_year degrees dense_rank derivative_linear dow doy e element_at every exp extract filter
first_value floor format_datetime from_base from_iso8601_date from_iso8601_timestamp from_milliseconds
from_nanoseconds from_unixtime geometric_mean greatest hamming_distance hour if infinity integral_trapezoidal
interpolate_fill interpolate_linear interpolate_locf interpolate_spline_cubic is_finite is_infinite is_nan lag
last_day_of_month last_value lead least length levenshtein_distance ln localtime localtimestamp log10 log2 lower
lpad ltrim max max_by millisecond min min_by minute mod month nan nanosecond non_negative_derivative_linear now
nth_value ntile nullif parse_datetime parse_duration percent_rank pi position pow power quarter radians rand
random rank reduce regexp_extract regexp_extract_all regexp_like regexp_replace regexp_split regr_intercept
regr_slope repeat replace reverse round row_number rpad rtrim second sequence shuffle sign sin skewness slice
split split_part sqrt stddev stddev_pop stddev_samp strpos strrpos substr sum tan tanh to_base to_iso8601
to_milliseconds to_nanoseconds to_unixtime trim truncate try try_cast typeof unnest upper var_pop var_samp
variance week week_of_year year year_of_week yow zip
""".split()


class Functions(Case):
    def answer(self, name):
        try:
            self.query.query(QueryString=f"SELECT {name}()")
            return ""
        except self.query.exceptions.ValidationException as e:
            return str(e)

    def test_names(self):
        self.assertIn("not registered", self.answer("no_such_function"))
        unknown = [name for name in NAMES if "not registered" in self.answer(name)]
        self.assertEqual(unknown, [])
        self.assertEqual(len(set(NAMES)), 197)


if __name__ == "__main__":
    unittest.main()
