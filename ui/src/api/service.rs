//! Services: what a row and a page show of one, and the mutations.

mod detail;
mod kinds;
mod list;
mod mutations;

pub use detail::*;
pub use kinds::*;
pub use list::*;
pub use mutations::*;

#[cfg(test)]
pub(in crate::api) fn documents() -> Vec<super::operation::tests::Declared> {
    [
        list::documents(),
        detail::documents(),
        kinds::documents(),
        mutations::documents(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
