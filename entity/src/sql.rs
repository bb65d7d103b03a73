//! Statements that no query builder can say, for both databases: text and values, put together in the order in which they
//! stand. What the statements mean is the business of those who write them.

use sea_orm::sea_query::Expr;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, RuntimeErr, Statement, Value};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use uuid::Uuid;

/// Whether a statement was ended because it ran for longer than it may: SQLSTATE 57014 of PostgreSQL, `SQLITE_INTERRUPT`.
#[must_use]
pub fn was_stopped(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code == "57014" || code == "9")
}

/// What the database calls an error that comes from it: the SQLSTATE of PostgreSQL, the extended result code of SQLite.
#[must_use]
pub fn code(error: &DbErr) -> Option<Cow<'_, str>> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    error.as_database_error().and_then(DatabaseError::code)
}

/// Whether a column of ids holds one of `ids`, for statements of the query builder; as [`Sql::among`].
#[must_use]
pub fn among(
    db: &impl ConnectionTrait,
    column: impl ColumnTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Expr {
    let backend = db.get_database_backend();
    let ([before, behind], ids) = one_of(backend, ids);
    let [first, second] = if backend == DbBackend::Postgres {
        ["$1", "$2"]
    } else {
        ["?", "?"]
    };
    Expr::cust_with_exprs(
        format!("{first}{before}{second}{behind}"),
        [Expr::col(column.as_column_ref()), Expr::Value(ids)],
    )
}

/// What stands before and behind the one parameter that holds `ids`, and the parameter. SQLite gets one pair of parentheses:
/// another one around it makes older versions take the first row for all of them.
fn one_of(backend: DbBackend, ids: impl IntoIterator<Item = Uuid>) -> ([&'static str; 2], Value) {
    if backend == DbBackend::Postgres {
        return (
            [" = ANY(", ")"],
            ids.into_iter().collect::<Vec<Uuid>>().into(),
        );
    }
    let ids = ids.into_iter().map(|id| format!("\"{}\"", id.simple()));
    (
        [" IN (SELECT unhex(value) FROM json_each(", "))"],
        json(ids).into(),
    )
}

/// A list as JSON, of what is JSON already.
fn json(items: impl Iterator<Item = impl Display>) -> String {
    let mut json = String::from("[");
    for (place, item) in items.enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(json, "{comma}{item}").expect("writing to memory does not fail");
    }
    json.push(']');
    json
}

/// A statement on its way. Values are bound, never printed into the text, so one text serves all values and is prepared
/// once.
#[derive(Debug)]
pub struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// An empty one.
    #[must_use]
    pub const fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            text: String::new(),
            values: Vec::new(),
        }
    }

    /// For which database it is.
    #[must_use]
    pub const fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Goes on with text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with text that differs between the two databases.
    #[must_use]
    pub fn by_backend(self, postgres: &str, sqlite: &str) -> Self {
        let text = if self.backend == DbBackend::Postgres {
            postgres
        } else {
            sqlite
        };
        self.text(text)
    }

    /// Goes on with a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        match self.backend {
            DbBackend::Postgres => self.text.push_str(&format!("${}", self.values.len())),
            _ => self.text.push('?'),
        }
        self
    }

    /// Goes on with a table of whole numbers, called `name`, with the columns `columns`: however many rows, few
    /// parameters.
    #[must_use]
    pub fn rows<const N: usize>(
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
        let rows = json(rows.iter().map(|row| json(row.iter())));
        let columns: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| format!("value ->> {i} AS {column}"))
            .collect();
        self.text(&format!("(SELECT {} FROM json_each(", columns.join(", ")))
            .value(rows)
            .text(&format!(")) AS {name}"))
    }

    /// Goes on, behind a column of ids, with whether it holds one of `ids`: however many there are, they are one parameter
    /// and the statement is the same, so that it is prepared once and no database's limit of parameters is met.
    #[must_use]
    pub fn among(self, ids: impl IntoIterator<Item = Uuid>) -> Self {
        let ([before, behind], ids) = one_of(self.backend, ids);
        self.text(before).value(ids).text(behind)
    }

    /// The finished statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_parameter_in_both_ways_of_saying_it() {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        for (backend, text) in [
            (DbBackend::Postgres, "id = ANY($1)"),
            (
                DbBackend::Sqlite,
                "id IN (SELECT unhex(value) FROM json_each(?))",
            ),
        ] {
            let statement = Sql::new(backend).text("id").among(ids).finish();
            assert_eq!(statement.sql, text);
            assert_eq!(statement.values.map(|values| values.0.len()), Some(1));
        }
    }

    fn joined(backend: DbBackend) -> Statement {
        let sql =
            Sql::new(backend)
                .text("SELECT * FROM ")
                .rows("given", ["a", "b"], &[[1, 2], [3, 4]]);
        sql.text(" WHERE a > ").value(7i64).finish()
    }

    #[test]
    fn values_stand_where_they_were_put_in_both_dialects() {
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
