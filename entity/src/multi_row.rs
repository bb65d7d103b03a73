//! Inserts of any number of rows with few statement texts, so that each is prepared once.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

/// Numbers of rows for which there is a statement. Any number of rows is a sum of these; the largest
/// stays below the limit on parameters (32,766 in SQLite) for up to 120 columns.
const SIZES: [usize; 12] = [256, 64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1];

/// `INSERT INTO ... VALUES (...), (...)` of a fixed shape.
#[derive(Debug)]
pub struct MultiRowInsert {
    backend: DbBackend,
    columns: usize,
    texts: [String; SIZES.len()],
}

impl MultiRowInsert {
    /// An insert of `columns` into `table`, followed by `tail`, such as an `ON CONFLICT` clause.
    #[must_use]
    pub fn new(backend: DbBackend, table: &str, columns: &[&str], tail: &str) -> Self {
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

    /// Inserts rows. `values` are the values of all rows one after another.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub async fn write(&self, db: &impl ConnectionTrait, values: Vec<Value>) -> Result<(), DbErr> {
        debug_assert!(
            values.len().is_multiple_of(self.columns),
            "rows are complete"
        );
        let mut values = values.into_iter();
        for (rows, text) in SIZES.into_iter().zip(&self.texts) {
            while values.len() >= rows * self.columns {
                let chunk = values.by_ref().take(rows * self.columns);
                db.execute_raw(Statement::from_sql_and_values(self.backend, text, chunk))
                    .await?;
            }
        }
        Ok(())
    }
}

/// Returns the `ON CONFLICT` clause that overwrites `columns` of the row with the same `key`.
#[must_use]
pub fn on_conflict_update(key: &[&str], columns: &[&str]) -> String {
    let set: Vec<_> = columns
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "ON CONFLICT ({}) DO UPDATE SET {}",
        key.join(", "),
        set.join(", ")
    )
}

/// Returns the parameters of the `row`th row, such as `(?, ?)` or `($3, $4)`.
fn placeholders(backend: DbBackend, row: usize, columns: usize) -> String {
    let parameter = |i: usize| match backend {
        DbBackend::Postgres => format!("${}", row * columns + i + 1),
        _ => "?".to_owned(),
    };
    let all: Vec<_> = (0..columns).map(parameter).collect();
    format!("({})", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_hold_a_row_of_parameters_for_each_row() {
        let postgres = MultiRowInsert::new(
            DbBackend::Postgres,
            "t",
            &["a", "b"],
            "ON CONFLICT DO NOTHING",
        );
        let expected = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8) ON CONFLICT DO NOTHING";
        assert_eq!(postgres.texts[8], expected);
        let sqlite = MultiRowInsert::new(DbBackend::Sqlite, "t", &["a", "b"], "");
        assert_eq!(sqlite.texts[11], "INSERT INTO t (a, b) VALUES (?, ?) ");
        assert!(sqlite.texts[0].matches('?').count() == 512);
    }
}
