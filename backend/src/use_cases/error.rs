//! The errors of use cases.

use domain::service::FieldError;
use sea_orm::DbErr;
use std::sync::Arc;

pub type Result<T> = std::result::Result<T, Error>;

/// Why a use case was refused or failed. All but [`Error::Internal`] are sentences for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The user is not signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The user must not do this.
    #[error("{0}")]
    Forbidden(String),
    /// It does not exist, or belongs to somebody else: both look the same.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// One or more fields are invalid.
    #[error("{}", sentence(.0))]
    BadInput(Vec<FieldError>),
    /// It conflicts with the present state.
    #[error("{0}")]
    Conflict(String),
    /// Too many requests; try again after so many seconds.
    #[error("too many requests: try again in {0} s")]
    RateLimited(u64),
    /// A service that PulseCheck depends on does not answer at the moment.
    #[error("{0}")]
    Upstream(String),
    /// PulseCheck itself failed. The cause is for the log, not for the user.
    #[error("{0}")]
    Internal(Arc<DbErr>),
}

impl Error {
    /// Returns an error about one field.
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
