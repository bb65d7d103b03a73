//! The documents that are sent. Their texts are files, because what puts one together from the types is larger than all of
//! them, and every browser would have to load it; a test holds them against the types, which the compiler holds against
//! the server's schema.

use super::{
    AcknowledgeIncident, AddIncidentNote, AddNoteVariables, ById, ByIds, CheckNow, CreateApiToken,
    CreateApiTokenVariables, CreateCalendarFeed, CreateService, CreateServiceVariables,
    DeleteAccount, DeleteAccountVariables, DeleteIncidentNote, DeleteServices, DiscoverVariables,
    DiscoverVendorPage, EndOtherSessions, EndSession, GetAccount, GetDefinition, GetIncident,
    GetLatency, GetMe, GetService, GetServiceForm, GetSignInOptions, GetSystem, GetVendor,
    IncidentUpdates, LatencyVariables, ListChecks, ListChecksVariables, ListHistories,
    ListIncidents, ListIncidentsVariables, ListNotices, ListServices, ListUptimes, OfServices,
    PauseServices, RecategoriseServices, RecategoriseVariables, ResumeServices, RevokeApiToken,
    RevokeCalendarFeed, SearchCatalogue, SearchVariables, ServiceChanges, StatusUpdates,
    TestService, UnacknowledgeIncident, UpdateService, UpdateServiceVariables, ValidateVariables,
    ValidateVendorPageUrls,
};
use serde::Serialize;

/// What can be asked for, by the type of the data that comes back.
pub trait Document: 'static {
    /// What is sent beside the text.
    type Variables: Serialize;
    /// The operation's name.
    const NAME: &'static str;
    /// The operation.
    const TEXT: &'static str;
}

macro_rules! documents {
    ($($kind:ident $data:ident($variables:ty);)*) => {
        $(impl Document for $data {
            type Variables = $variables;
            const NAME: &'static str = stringify!($data);
            const TEXT: &'static str = include_str!(concat!("../../documents/", stringify!($data), ".graphql"));
        })*

        /// Each with its text as its types say it.
        #[cfg(test)]
        fn all() -> Vec<(&'static str, &'static str, String)> {
            vec![$(($data::NAME, $data::TEXT, tests::$kind::<$data, $variables>($data::NAME))),*]
        }
    };
}

documents! {
    query GetAccount(());
    query GetDefinition(ById);
    query GetIncident(ById);
    query GetLatency(LatencyVariables);
    query GetServiceForm(());
    query GetMe(());
    query GetService(ById);
    query GetSignInOptions(());
    query GetSystem(());
    query GetVendor(ById);
    query ListChecks(ListChecksVariables);
    query ListHistories(OfServices);
    query ListIncidents(ListIncidentsVariables);
    query ListNotices(());
    query ListServices(());
    query ListUptimes(());
    query SearchCatalogue(SearchVariables);
    mutation AcknowledgeIncident(ById);
    mutation AddIncidentNote(AddNoteVariables);
    mutation CheckNow(ById);
    mutation CreateApiToken(CreateApiTokenVariables);
    mutation CreateCalendarFeed(());
    mutation CreateService(CreateServiceVariables);
    mutation DeleteAccount(DeleteAccountVariables);
    mutation DeleteIncidentNote(ById);
    mutation DeleteServices(ByIds);
    mutation DiscoverVendorPage(DiscoverVariables);
    mutation EndOtherSessions(());
    mutation EndSession(ById);
    mutation PauseServices(ByIds);
    mutation RecategoriseServices(RecategoriseVariables);
    mutation ResumeServices(ByIds);
    mutation RevokeApiToken(ById);
    mutation RevokeCalendarFeed(());
    mutation TestService(CreateServiceVariables);
    mutation UnacknowledgeIncident(ById);
    mutation UpdateService(UpdateServiceVariables);
    mutation ValidateVendorPageUrls(ValidateVariables);
    subscription IncidentUpdates(());
    subscription ServiceChanges(());
    subscription StatusUpdates(());
}

#[cfg(test)]
mod tests {
    use super::*;
    use cynic::queries::{OperationType, build_executable_document};
    use cynic::schema::{MutationRoot, QueryRoot, SubscriptionRoot};
    use cynic::{QueryFragment, QueryVariables};
    use std::collections::HashSet;

    pub(super) fn query<Data, Variables>(name: &str) -> String
    where
        Data: QueryFragment<VariablesFields = Variables::Fields, SchemaType: QueryRoot>,
        Variables: QueryVariables,
    {
        build_executable_document::<Data, Variables>(
            OperationType::Query,
            Some(name),
            HashSet::new(),
            None,
        )
    }

    pub(super) fn mutation<Data, Variables>(name: &str) -> String
    where
        Data: QueryFragment<VariablesFields = Variables::Fields, SchemaType: MutationRoot>,
        Variables: QueryVariables,
    {
        build_executable_document::<Data, Variables>(
            OperationType::Mutation,
            Some(name),
            HashSet::new(),
            None,
        )
    }

    pub(super) fn subscription<Data, Variables>(name: &str) -> String
    where
        Data: QueryFragment<VariablesFields = Variables::Fields, SchemaType: SubscriptionRoot>,
        Variables: QueryVariables,
    {
        build_executable_document::<Data, Variables>(
            OperationType::Subscription,
            Some(name),
            HashSet::new(),
            None,
        )
    }

    /// With `WRITE_DOCUMENTS=1` it writes them anew.
    #[test]
    fn each_text_is_what_its_types_say() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
        let write = std::env::var_os("WRITE_DOCUMENTS").is_some();
        for (name, text, expected) in all() {
            if write {
                std::fs::write(dir.join(name).with_extension("graphql"), expected).unwrap();
            } else {
                assert_eq!(
                    text, expected,
                    "{name}: run `WRITE_DOCUMENTS=1 cargo test --workspace --lib documents` and look at what changed"
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
            "ui/documents has files that nobody sends"
        );
    }
}
