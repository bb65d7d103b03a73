//! GraphQL operations: the document that is sent, its variables and the type of its result.
//!
//! The documents are files, because building them in the browser takes more code than they are
//! long. A test compares each file with the types, and the compiler compares the types with the
//! server's schema.

use super::json::FromJson;
use serde::Serialize;

/// An operation, implemented by the type of its result.
pub trait Operation: FromJson + 'static {
    type Variables: Serialize;
    /// The operation's name, which is also the name of its file in `ui/documents`.
    const NAME: &'static str;
    const DOCUMENT: &'static str;
}

/// Declares the operations of a module: `query GetService(ById);` makes the type `GetService` an
/// [`Operation`] whose document is `ui/documents/GetService.graphql`.
macro_rules! operations {
    ($($kind:ident $result:ident($variables:ty);)*) => {
        $(impl $crate::api::Operation for $result {
            type Variables = $variables;
            const NAME: &'static str = stringify!($result);
            const DOCUMENT: &'static str = include_str!(
                concat!(env!("CARGO_MANIFEST_DIR"), "/documents/", stringify!($result), ".graphql")
            );
        })*

        #[cfg(test)]
        pub(in crate::api) fn documents() -> Vec<$crate::api::operation::tests::Declared> {
            vec![$($crate::api::operation::tests::$kind::<$result>()),*]
        }
    };
}

pub(crate) use operations;

#[cfg(test)]
pub(in crate::api) mod tests {
    use super::*;
    use crate::api::{account, incident, service, system, vendor};
    use cynic::queries::{OperationType, build_executable_document};
    use cynic::schema::{MutationRoot, QueryRoot, SubscriptionRoot};
    use cynic::{QueryFragment, QueryVariables};
    use std::collections::HashSet;

    /// A declared operation with the document in its file and the one that its types describe.
    pub(in crate::api) struct Declared {
        name: &'static str,
        file: &'static str,
        expected: String,
    }

    fn declared<D, Root>(kind: OperationType) -> Declared
    where
        D: Operation + QueryFragment<SchemaType = Root>,
        D::Variables: QueryVariables<Fields = D::VariablesFields>,
    {
        Declared {
            name: D::NAME,
            file: D::DOCUMENT,
            expected: build_executable_document::<D, D::Variables>(
                kind,
                Some(D::NAME),
                HashSet::new(),
                None,
            ),
        }
    }

    pub(in crate::api) fn query<D>() -> Declared
    where
        D: Operation + QueryFragment<SchemaType: QueryRoot>,
        D::Variables: QueryVariables<Fields = D::VariablesFields>,
    {
        declared::<D, D::SchemaType>(OperationType::Query)
    }

    pub(in crate::api) fn mutation<D>() -> Declared
    where
        D: Operation + QueryFragment<SchemaType: MutationRoot>,
        D::Variables: QueryVariables<Fields = D::VariablesFields>,
    {
        declared::<D, D::SchemaType>(OperationType::Mutation)
    }

    pub(in crate::api) fn subscription<D>() -> Declared
    where
        D: Operation + QueryFragment<SchemaType: SubscriptionRoot>,
        D::Variables: QueryVariables<Fields = D::VariablesFields>,
    {
        declared::<D, D::SchemaType>(OperationType::Subscription)
    }

    fn all() -> Vec<Declared> {
        let modules = [
            account::documents,
            incident::documents,
            service::documents,
            system::documents,
            vendor::documents,
        ];
        modules.into_iter().flat_map(|module| module()).collect()
    }

    /// With `WRITE_DOCUMENTS=1` it writes the files.
    #[test]
    fn each_document_matches_its_types() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
        let write = std::env::var_os("WRITE_DOCUMENTS").is_some();
        for Declared {
            name,
            file,
            expected,
        } in all()
        {
            if write {
                std::fs::write(dir.join(name).with_extension("graphql"), expected).unwrap();
            } else {
                assert_eq!(
                    file, expected,
                    "{name}: run `WRITE_DOCUMENTS=1 cargo test -p ui each_document` and review the change"
                );
            }
        }
        assert!(
            !write,
            "written: run the tests once more without WRITE_DOCUMENTS"
        );
        let files = std::fs::read_dir(dir).unwrap().count();
        assert_eq!(
            files,
            all().len(),
            "ui/documents has files that no operation uses"
        );
    }
}
