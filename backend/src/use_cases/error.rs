//! Why an operation was refused or failed.

use domain::service::FieldError;
use sea_orm::DbErr;
use std::sync::Arc;

/// The result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation was refused or failed. All but [`Error::Internal`] are sentences for the person who asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// Somebody is, but must not do this.
    #[error("{0}")]
    Forbidden(String),
    /// It does not exist, or is another user's: nobody can tell which.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Fields that are wrong, one or more.
    #[error("{}", sentence(.0))]
    BadInput(Vec<FieldError>),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// Too often; may be tried again after so many seconds.
    #[error("that was asked for too often: try again in {0} s")]
    RateLimited(u64),
    /// Something that PulseCheck leans on does not answer at the moment.
    #[error("{0}")]
    Upstream(String),
    /// PulseCheck itself broke. The cause is for the log, not for the one who asked.
    #[error("{0}")]
    Internal(Arc<DbErr>),
}

impl Error {
    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadInput(vec![FieldError::new(field, message)])
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Internal(Arc::new(error))
    }
}

impl From<Vec<FieldError>> for Error {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::BadInput(errors)
    }
}

fn sentence(errors: &[FieldError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
