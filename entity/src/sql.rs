//! The SQL dialect module: builds raw statements that SeaORM's query builder cannot express, for
//! PostgreSQL and SQLite. Knows the differences between the two, not what a statement is for.

use sea_orm::sea_query::Expr;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use uuid::Uuid;

/// Returns whether the statement was cancelled by the statement timeout: SQLSTATE 57014 in
/// PostgreSQL, `SQLITE_INTERRUPT` in SQLite.
#[must_use]
pub fn is_statement_timeout(error: &DbErr) -> bool {
    error_code(error).is_some_and(|code| code == "57014" || code == "9")
}

/// Returns the database's code for an error that it reported: the SQLSTATE of PostgreSQL, the
/// extended result code of SQLite.
#[must_use]
pub fn error_code(error: &DbErr) -> Option<Cow<'_, str>> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error().and_then(DatabaseError::code)
}

/// Begins a transaction that will write. SQLite takes its write lock at once: a transaction that
/// begins with a read fails when it writes later and another one has written in between.
///
/// # Errors
/// Returns the database's error.
pub async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let is_sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let options = TransactionOptions {
        sqlite_transaction_mode: is_sqlite.then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}

/// Query builder condition: `column` is one of `ids`. All ids are one parameter, see
/// [`Sql::in_ids`].
#[must_use]
pub fn in_ids(
    db: &impl ConnectionTrait,
    column: impl ColumnTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Expr {
    let backend = db.get_database_backend();
    let ([before, after], ids) = ids_parameter(backend, ids);
    let [first, second] = if backend == DbBackend::Postgres {
        ["$1", "$2"]
    } else {
        ["?", "?"]
    };
    Expr::cust_with_exprs(
        format!("{first}{before}{second}{after}"),
        [Expr::col(column.as_column_ref()), Expr::Value(ids)],
    )
}

/// Returns the text before and after the parameter that holds `ids`, and the parameter. SQLite gets
/// one pair of parentheses: with a second pair, older versions compare with the first row only.
fn ids_parameter(
    backend: DbBackend,
    ids: impl IntoIterator<Item = Uuid>,
) -> ([&'static str; 2], Value) {
    if backend == DbBackend::Postgres {
        return (
            [" = ANY(", ")"],
            ids.into_iter().collect::<Vec<Uuid>>().into(),
        );
    }
    let ids = ids.into_iter().map(|id| format!("\"{}\"", id.simple()));
    (
        [" IN (SELECT unhex(value) FROM json_each(", "))"],
        json_array(ids).into(),
    )
}

/// Query builder expression: the UTC calendar day of a timestamp column, as `YYYY-MM-DD`.
#[must_use]
pub fn utc_day(backend: DbBackend, column: &str) -> Expr {
    if backend == DbBackend::Postgres {
        Expr::cust(format!(
            "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        ))
    } else {
        Expr::cust(format!("substr({column}, 1, 10)"))
    }
}

/// Query builder expression: a timestamp column in epoch milliseconds.
#[must_use]
pub fn epoch_ms(backend: DbBackend, column: &str) -> Expr {
    if backend == DbBackend::Postgres {
        Expr::cust(format!("extract(epoch FROM {column}) * 1000"))
    } else {
        Expr::cust(format!(
            "CAST(unixepoch({column}, 'subsec') * 1000 + 0.5 AS integer)"
        ))
    }
}

/// Renders items that are JSON already as a JSON array.
fn json_array(items: impl Iterator<Item = impl Display>) -> String {
    let mut json = String::from("[");
    for (index, item) in items.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(json, "{comma}{item}").expect("writing to memory does not fail");
    }
    json.push(']');
    json
}

/// Builds a raw statement from text and values, in the order of the calls. Values are bound, never
/// printed into the text, so that the database prepares each statement once.
#[derive(Debug)]
pub struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Returns an empty statement.
    #[must_use]
    pub const fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            text: String::new(),
            values: Vec::new(),
        }
    }

    /// Returns the database that the statement is for.
    #[must_use]
    pub const fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Appends text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends text that differs between the two databases.
    #[must_use]
    pub fn by_backend(self, postgres: &str, sqlite: &str) -> Self {
        let text = if self.backend == DbBackend::Postgres {
            postgres
        } else {
            sqlite
        };
        self.text(text)
    }

    /// Appends a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        match self.backend {
            DbBackend::Postgres => self.text.push_str(&format!("${}", self.values.len())),
            _ => self.text.push('?'),
        }
        self
    }

    /// Appends a table of integers named `name` with the columns `columns`: one parameter a column
    /// in PostgreSQL (`unnest`), one in SQLite (JSON), however many rows there are.
    #[must_use]
    pub fn values_table<const N: usize>(
        mut self,
        name: &str,
        columns: [&str; N],
        rows: &[[i64; N]],
    ) -> Self {
        if self.backend == DbBackend::Postgres {
            self = self.text("unnest(");
            for i in 0..N {
                let column: Vec<i64> = rows.iter().map(|row| row[i]).collect();
                self = self.text(if i > 0 { ", " } else { "" }).value(column);
            }
            return self.text(&format!(") AS {name} ({})", columns.join(", ")));
        }
        let rows = json_array(rows.iter().map(|row| json_array(row.iter())));
        let columns: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| format!("value ->> {i} AS {column}"))
            .collect();
        self.text(&format!("(SELECT {} FROM json_each(", columns.join(", ")))
            .value(rows)
            .text(&format!(")) AS {name}"))
    }

    /// Appends, after the name of a column, the condition that it is one of `ids`. All ids are one
    /// parameter: the statement is prepared once, and no limit of parameters is reached.
    #[must_use]
    pub fn in_ids(self, ids: impl IntoIterator<Item = Uuid>) -> Self {
        let ([before, after], ids) = ids_parameter(self.backend, ids);
        self.text(before).value(ids).text(after)
    }

    /// Appends a join that reads, for each row so far, the rows of `table` (named `alias`) that meet
    /// `condition`. PostgreSQL gets a subquery with a fence (`OFFSET 0`): left to itself it
    /// underestimates the table and reads all of it.
    #[must_use]
    pub fn join_each(self, table: &str, alias: &str, condition: impl FnOnce(Self) -> Self) -> Self {
        let head = match self.backend {
            DbBackend::Postgres => {
                format!(" CROSS JOIN LATERAL (SELECT {alias}.* FROM {table} {alias} WHERE ")
            }
            _ => format!(" CROSS JOIN {table} {alias} ON "),
        };
        let tail = format!(" OFFSET 0) {alias}");
        condition(self.text(&head)).by_backend(&tail, "")
    }

    /// Returns the finished statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_parameter_in_both_dialects() {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        for (backend, text) in [
            (DbBackend::Postgres, "id = ANY($1)"),
            (
                DbBackend::Sqlite,
                "id IN (SELECT unhex(value) FROM json_each(?))",
            ),
        ] {
            let statement = Sql::new(backend).text("id").in_ids(ids).finish();
            assert_eq!(statement.sql, text);
            assert_eq!(statement.values.map(|values| values.0.len()), Some(1));
        }
    }

    #[test]
    fn a_join_for_each_row_is_fenced_in_postgresql_only() {
        let join = |backend| {
            Sql::new(backend)
                .text("SELECT * FROM given")
                .join_each("checks", "c", |sql| sql.text("c.seq = given.seq"))
                .finish()
                .sql
        };
        assert_eq!(
            join(DbBackend::Postgres),
            "SELECT * FROM given CROSS JOIN LATERAL (SELECT c.* FROM checks c WHERE c.seq = given.seq OFFSET 0) c"
        );
        assert_eq!(
            join(DbBackend::Sqlite),
            "SELECT * FROM given CROSS JOIN checks c ON c.seq = given.seq"
        );
    }

    fn joined(backend: DbBackend) -> Statement {
        let sql = Sql::new(backend).text("SELECT * FROM ").values_table(
            "given",
            ["a", "b"],
            &[[1, 2], [3, 4]],
        );
        sql.text(" WHERE a > ").value(7i64).finish()
    }

    #[test]
    fn values_are_bound_where_they_were_appended() {
        let postgres = joined(DbBackend::Postgres);
        assert_eq!(
            postgres.sql,
            "SELECT * FROM unnest($1, $2) AS given (a, b) WHERE a > $3"
        );
        assert_eq!(
            postgres.values.map(|values| values.0),
            Some(vec![
                vec![1i64, 3].into(),
                vec![2i64, 4].into(),
                7i64.into()
            ])
        );
        let sqlite = joined(DbBackend::Sqlite);
        let table = "(SELECT value ->> 0 AS a, value ->> 1 AS b FROM json_each(?)) AS given";
        assert_eq!(sqlite.sql, format!("SELECT * FROM {table} WHERE a > ?"));
        assert_eq!(
            sqlite.values.map(|values| values.0),
            Some(vec!["[[1,2],[3,4]]".into(), 7i64.into()])
        );
    }
}
