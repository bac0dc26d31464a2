/* tests/unit/sql/parse.c - the shape of trees: precedence, chains, what may be an alias, where nodes point.
 */
#include "sql/parse.h"

#include <stdlib.h>

#include "fixture.h"
#include "lib/check.h"

static void print(struct mr_buf *out, const struct ast_expr *e);

static void print_items(struct mr_buf *out, const struct ast_expr *e, const char *name)
{
    mr_buf_printf(out, "%s(", name);
    for (size_t i = 0; i < e->nitems; i++) {
        if (i > 0)
            mr_buf_char(out, ' ');
        print(out, e->items[i]);
    }
    mr_buf_char(out, ')');
}

static void print_pair(struct mr_buf *out, const char *op, const struct ast_expr *a, const struct ast_expr *b)
{
    mr_buf_printf(out, "(%s ", op);
    print(out, a);
    if (b != NULL) {
        mr_buf_char(out, ' ');
        print(out, b);
    }
    mr_buf_char(out, ')');
}

static void print(struct mr_buf *out, const struct ast_expr *e)
{
    static const char *const compares[] = {"=", "<>", "<", "<=", ">", ">="};
    char op[2] = {(char)e->op, '\0'};
    switch ((enum ast_kind)e->kind) {
    case AST_INTEGER:
        mr_buf_printf(out, "%d", (int)e->i64);
        break;
    case AST_NAME:
        mr_buf_str(out, e->text);
        break;
    case AST_FIELD:
        print(out, e->a);
        mr_buf_printf(out, "." MR_STR_FMT, MR_STR_ARG(e->text));
        break;
    case AST_NEGATE:
        print_pair(out, e->op == '-' ? "neg" : "pos", e->a, NULL);
        break;
    case AST_ARITH:
        print_pair(out, op, e->a, e->b);
        break;
    case AST_COMPARE:
        print_pair(out, compares[e->op], e->a, e->b);
        break;
    case AST_NOT:
        print_pair(out, "not", e->a, NULL);
        break;
    case AST_IS_NULL:
        print_pair(out, e->negated ? "notnull" : "isnull", e->a, NULL);
        break;
    case AST_SUBSCRIPT:
        print_pair(out, "at", e->a, e->b);
        break;
    case AST_AND:
        print_items(out, e, "and");
        break;
    case AST_OR:
        print_items(out, e, "or");
        break;
    case AST_CONCAT:
        print_items(out, e, "concat");
        break;
    case AST_ROW:
        print_items(out, e, "row");
        break;
    case AST_ARRAY:
        print_items(out, e, "array");
        break;
    case AST_LAMBDA:
        mr_buf_printf(out, "lambda%zu", e->nnames);
        print(out, e->a);
        break;
    default:
        mr_buf_printf(out, "?%d", e->kind);
    }
}

static bool parse(struct mr_arena *arena, const char *text, struct ast_statement *out,
                  struct sql_error *error)
{
    static struct sql_context cx;
    cx = (struct sql_context){.text = mr_str_of(text), .env = &fixture_env, .arena = arena, .error = error};
    return sql_parse(&cx, out);
}

/* The first select item of "SELECT <text>". */
static void check_shape(const char *text, const char *want)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf out = MR_BUF_INIT;
    struct ast_statement s;
    struct sql_error error = {0, 0, MR_STR("")};
    struct mr_str full = mr_arena_printf(&arena, "SELECT %s", text);
    if (!parse(&arena, full.ptr, &s, &error))
        fail_msg("%s: " MR_STR_FMT, text, MR_STR_ARG(error.message));
    print(&out, s.query->body->select->items[0]->expr);
    check_str(mr_buf_view(&out), want);
    mr_buf_release(&out);
    mr_arena_release(&arena);
}

static void operators_bind_as_documented(void **state)
{
    MR_UNUSED(state);
    check_shape("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)");
    check_shape("-1 * -a", "(* (neg 1) (neg a))");
    check_shape("a - b - c", "(- (- a b) c)");
    check_shape("a || b + 1 || c", "concat(a (+ b 1) c)");
    check_shape("a + 1 = b || c", "(= (+ a 1) concat(b c))");
    check_shape("NOT a = b AND c OR d", "or(and((not (= a b)) c) d)");
    check_shape("NOT NOT a", "(not (not a))");
    check_shape("a OR b AND c OR d", "or(a and(b c) d)");
    check_shape("(a OR b) AND c", "and(or(a b) c)");
    check_shape("a IS NOT NULL AND b IS NULL", "and((notnull a) (isnull b))");
    check_shape("a.b.c[1].d", "(at a.b.c 1).d");
    check_shape("-a[1]", "(neg (at a 1))");
    check_shape("+a", "(pos a)");
}

static void parentheses_make_rows_only_with_commas(void **state)
{
    MR_UNUSED(state);
    check_shape("((a))", "a");
    check_shape("(a, (b, c))", "row(a row(b c))");
    check_shape("ROW(a)", "row(a)");
    check_shape("ARRAY[a, ARRAY[]]", "array(a array())");
}

static void lambdas_are_told_from_rows(void **state)
{
    MR_UNUSED(state);
    check_shape("x -> x + 1", "lambda1(+ x 1)");
    check_shape("(x) -> x", "lambda1x");
    check_shape("(x, y) -> (x, y)", "lambda2row(x y)");
    check_shape("() -> 1", "lambda01");
}

static const struct ast_select *select_of(struct mr_arena *arena, const char *text, struct ast_statement *s)
{
    struct sql_error error = {0, 0, MR_STR("")};
    if (!parse(arena, text, s, &error))
        fail_msg("%s: " MR_STR_FMT, text, MR_STR_ARG(error.message));
    return s->query->body->select;
}

static void clause_words_may_be_aliases(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct ast_statement s;
    const struct ast_select *q = select_of(&arena, "SELECT a limit, b offset FROM t limit LIMIT 5", &s);
    check_str(q->items[0]->alias, "limit");
    check_str(q->items[1]->alias, "offset");
    check_str(q->from->alias, "limit");
    assert_int_equal(s.query->limit, 5);
    q = select_of(&arena, "SELECT 1 LIMIT 5", &s);
    assert_null(q->items[0]->alias.ptr);
    assert_int_equal(s.query->limit, 5);
    q = select_of(&arena, "SELECT 1 FROM t DESC LIMIT ALL", &s);
    check_str(q->from->alias, "DESC");
    assert_int_equal(s.query->limit, -1);
    q = select_of(&arena, "SELECT a date, time, timestamp value FROM t index (x, y)", &s);
    check_str(q->items[0]->alias, "date");
    check_str(q->items[2]->alias, "value");
    assert_int_equal(q->from->ncolumns, 2);
    mr_arena_release(&arena);
}

static void joins_nest_to_the_left(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct ast_statement s;
    const struct ast_relation *r =
        select_of(&arena, "SELECT 1 FROM a JOIN b ON x LEFT JOIN c ON y, d", &s)->from;
    assert_int_equal(r->join, AST_CROSS);
    assert_int_equal(r->left->join, AST_LEFT);
    assert_int_equal(r->left->left->join, AST_INNER);
    r = select_of(&arena, "SELECT 1 FROM a JOIN b JOIN c ON x ON y", &s)->from;
    assert_int_equal(r->left->kind, AST_TABLE);
    assert_int_equal(r->right->kind, AST_JOIN);
    mr_arena_release(&arena);
}

static void intersect_binds_tighter(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct ast_statement s;
    select_of(&arena, "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4", &s);
    const struct ast_body *b = s.query->body;
    assert_int_equal(b->op, AST_EXCEPT);
    assert_true(b->all);
    assert_int_equal(b->left->op, AST_UNION);
    assert_int_equal(b->left->right->op, AST_INTERSECT);
    mr_arena_release(&arena);
}

static void nodes_point_into_the_text(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct ast_statement s;
    const struct ast_expr *e = select_of(&arena, "SELECT aa + f(1)", &s)->items[0]->expr;
    assert_int_equal(e->pos, 10);
    assert_int_equal(e->start, 7);
    assert_int_equal(e->end, 16);
    assert_int_equal(e->b->start, 12);
    mr_arena_release(&arena);
}

static void unload_has_its_options(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct ast_statement s;
    select_of(&arena,
              "UNLOAD (SELECT a FROM t) TO 's3://b/p' WITH (format = 'CSV', partitioned_by = ARRAY['a'])",
              &s);
    assert_int_equal(s.kind, SQL_UNLOAD);
    check_str(s.to, "s3://b/p");
    assert_int_equal(s.noptions, 2);
    check_str(s.options[1]->name, "partitioned_by");
    mr_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_documented),
        cmocka_unit_test(parentheses_make_rows_only_with_commas),
        cmocka_unit_test(lambdas_are_told_from_rows),
        cmocka_unit_test(clause_words_may_be_aliases),
        cmocka_unit_test(joins_nest_to_the_left),
        cmocka_unit_test(intersect_binds_tighter),
        cmocka_unit_test(nodes_point_into_the_text),
        cmocka_unit_test(unload_has_its_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
