//! Statements that insert any number of rows, made of a few texts only, so that each is prepared once.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// Rows in one statement. Any number of rows is a sum of these; the greatest stays below the databases' limits on
/// parameters (32,766 in SQLite) for up to 120 columns.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// `INSERT INTO ... VALUES (...), (...)` of a fixed shape.
#[derive(Debug)]
pub(crate) struct MultiRow {
    backend: DbBackend,
    columns: usize,
    texts: [String; SIZES.len()],
}

impl MultiRow {
    /// An insert of `columns` into `table`; `tail` says what to do on conflict.
    pub(crate) fn new(backend: DbBackend, table: &str, columns: &[&str], tail: &str) -> Self {
        let head = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        let texts = SIZES.map(|rows| {
            let rows: Vec<_> = (0..rows)
                .map(|row| placeholders(backend, row, columns.len()))
                .collect();
            format!("{head}{} {tail}", rows.join(", "))
        });
        Self {
            backend,
            columns: columns.len(),
            texts,
        }
    }

    /// Inserts rows, whose values follow one another.
    pub(crate) async fn write(
        &self,
        db: &impl ConnectionTrait,
        values: Vec<Value>,
    ) -> Result<(), DbErr> {
        debug_assert!(
            values.len().is_multiple_of(self.columns),
            "rows are complete"
        );
        let mut values = values.into_iter();
        for (rows, text) in SIZES.into_iter().zip(&self.texts) {
            while values.len() >= rows * self.columns {
                let some = values.by_ref().take(rows * self.columns);
                db.execute_raw(Statement::from_sql_and_values(self.backend, text, some))
                    .await?;
            }
        }
        Ok(())
    }
}

/// The `row`th row's parameters, such as `(?, ?)` or `($3, $4)`.
fn placeholders(backend: DbBackend, row: usize, columns: usize) -> String {
    let of = |i: usize| match backend {
        DbBackend::Postgres => format!("${}", row * columns + i + 1),
        _ => "?".to_owned(),
    };
    let all: Vec<_> = (0..columns).map(of).collect();
    format!("({})", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_hold_a_row_of_parameters_for_each_row() {
        let postgres = MultiRow::new(
            DbBackend::Postgres,
            "t",
            &["a", "b"],
            "ON CONFLICT DO NOTHING",
        );
        let expected = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8) ON CONFLICT DO NOTHING";
        assert_eq!(postgres.texts[3], expected);
        let sqlite = MultiRow::new(DbBackend::Sqlite, "t", &["a", "b"], "");
        assert_eq!(sqlite.texts[4], "INSERT INTO t (a, b) VALUES (?, ?) ");
        assert!(sqlite.texts[0].matches('?').count() == 512);
    }
}
