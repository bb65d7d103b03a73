//! Classifies database errors as transient, which a retry may fix, or permanent.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Whether the database refuses the data itself, so that a retry is useless.
pub(crate) fn is_refusal(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return matches!(error, DbErr::Type(_));
    };
    match error.as_ref() {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error
                .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
                .is_some()
            {
                // A row on its way into the default partition while its day's own one was made; a
                // retry puts it there.
                let moved = code == "23514" && error.constraint().is_none();
                // Data exceptions and violated constraints.
                return !moved && (code.starts_with("22") || code.starts_with("23"));
            }
            // SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH, in the lowest byte of the extended codes.
            code.parse::<i32>()
                .is_ok_and(|code| matches!(code & 0xff, 18..=20))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}
