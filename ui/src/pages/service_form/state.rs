//! The state of the form: errors, the result of a test, and sending.

use super::draft::Draft;
use crate::{
    Route,
    api::{
        self, CreateService, CreateServiceVariables, Problem, ProblemKind, TestResult, TestService,
        UpdateService, UpdateServiceVariables,
    },
    store::{Store, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

/// The state of the form. Copies share it.
#[derive(Clone, Copy)]
pub(super) struct FormState {
    store: Store,
    /// The service, unless it is new.
    pub(super) id: Option<Uuid>,
    draft: Signal<Draft>,
    /// The server's error.
    pub(super) problem: Signal<Option<Problem>>,
    /// Errors that were found before sending, as field and message.
    invalid: Signal<Vec<(String, String)>>,
    /// Whether a request is in flight.
    pub(super) busy: Signal<bool>,
    /// The result of the last test.
    pub(super) tested: Signal<Option<TestResult>>,
}

pub(super) fn use_form(draft: Signal<Draft>, id: Option<Uuid>) -> FormState {
    FormState {
        store: use_store(),
        id,
        draft,
        problem: use_signal(|| None),
        invalid: use_signal(Vec::new),
        busy: use_signal(|| false),
        tested: use_signal(|| None),
    }
}

impl FormState {
    /// Returns the error of a field.
    pub(super) fn error(&self, name: &str) -> Option<String> {
        let invalid = self.invalid.read();
        let found = invalid.iter().find(|(field, _)| *field == name);
        found.map(|(_, message)| message.clone()).or_else(|| {
            let problem = self.problem.read();
            problem.as_ref()?.field(name).map(str::to_owned)
        })
    }

    pub(super) fn categories(&self) -> Vec<String> {
        self.store.services.categories()
    }

    /// Changes the draft, which outdates the result of a test.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Draft)) {
        change(&mut self.draft.write());
        self.tested.set(None);
    }

    /// Chooses the kind at `index`, and clears all errors.
    pub(super) fn choose_kind(&mut self, index: usize) {
        if self.draft.peek().kind != index {
            self.draft.write().choose_kind(index);
        }
        self.problem.set(None);
        self.invalid.set(Vec::new());
    }

    /// Sends the draft, and opens the service.
    pub(super) async fn save(mut self) {
        if !self.validate() {
            return;
        }
        let typed = self.draft.peek().clone();
        let saved = match self.id {
            Some(id) => {
                let variables = UpdateServiceVariables {
                    id,
                    input: typed.to_update(),
                };
                api::request::<UpdateService>(variables)
                    .await
                    .map(|response| response.update_service)
            }
            None => {
                let variables = CreateServiceVariables {
                    input: typed.to_create(),
                };
                api::request::<CreateService>(variables)
                    .await
                    .map(|response| response.create_service)
            }
        };
        match saved {
            Ok(service) => {
                let id = service.id;
                self.store.upsert(service);
                Route::service(id).open();
            }
            Err(problem) => self.fail(problem),
        }
    }

    /// Has the server check the target once, without saving.
    pub(super) async fn test(mut self) {
        if !self.validate() {
            return;
        }
        self.tested.set(None);
        let variables = CreateServiceVariables {
            input: self.draft.peek().to_test(),
        };
        match api::request::<TestService>(variables).await {
            Ok(response) => {
                if let Some(target) = &response.test_service.target {
                    self.draft.write().adopt_target(target);
                }
                self.tested.set(Some(response.test_service));
                self.busy.set(false);
            }
            Err(problem) => self.fail(problem),
        }
    }

    /// Returns whether the draft can be sent.
    fn validate(&mut self) -> bool {
        let invalid = self.draft.peek().validate();
        let valid = invalid.is_empty();
        self.invalid.set(invalid);
        self.problem.set(None);
        self.busy.set(valid);
        valid
    }

    fn fail(&mut self, problem: Problem) {
        if problem.kind == ProblemKind::SignedOut {
            self.store.session.end();
        } else {
            self.problem.set(Some(problem));
        }
        self.busy.set(false);
    }
}
