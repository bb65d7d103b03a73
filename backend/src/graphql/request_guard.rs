//! Guards every execution: checks the document's cost, who sent it and how often, provides the
//! loaders, bounds the response, and gives errors their codes.
//!
//! An extension, so that no path through the library can leave it out. Nothing is executed that
//! `permission` does not allow.

use super::batch_queue::BatchQueue;
use super::error::{self, RequestId, code_of};
use super::limits;
use super::permission;
use super::request_context::RequestContext;
use super::response_budget::{ResponseBudget, json_size};
use crate::auth::Viewer;
use crate::metrics;
use crate::rates::{ExpensiveOperation, Rates, RetryAfter};
use crate::use_cases::{Error, UseCases};
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextRequest,
    NextResolve, NextSubscribe, ResolveInfo,
};
use async_graphql::futures_util::stream::{BoxStream, StreamExt};
use async_graphql::parser::types::OperationType;
use async_graphql::{Data, QueryPathSegment, Request, Response, ServerResult, Value, Variables};
use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tracing::{Instrument as _, Span, field};

/// Maximum number of characters of an operation's name that a trace shows.
const MAX_TRACED_NAME: usize = 100;

/// Creates a [`RequestGuard`] for each request.
pub(super) struct RequestGuardFactory {
    pub(super) use_cases: Arc<UseCases>,
}

impl ExtensionFactory for RequestGuardFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(RequestGuard {
            use_cases: self.use_cases.clone(),
            request: Arc::default(),
            budget: Mutex::default(),
            answered_once: AtomicBool::new(false),
        })
    }
}

struct RequestGuard {
    use_cases: Arc<UseCases>,
    /// Set once the request is prepared.
    request: Arc<OnceLock<GuardedRequest>>,
    /// The budget of the execution under way.
    budget: Mutex<ResponseBudget>,
    /// Whether this is a request for one response, whose metrics are recorded when it is complete.
    answered_once: AtomicBool,
}

/// Facts about the request that later stages need.
struct GuardedRequest {
    viewer: Option<Viewer>,
    id: Option<RequestId>,
    /// `None` until the document has been read.
    kind: Option<OperationType>,
    /// Shared by all requests of a batch; each event of a subscription has its own.
    budget: Option<ResponseBudget>,
}

impl GuardedRequest {
    /// Reads what the server put into the request's data.
    fn new(data: &Data) -> Self {
        Self {
            viewer: find_data::<Option<Viewer>>(data).copied().flatten(),
            id: find_data(data).cloned(),
            kind: None,
            budget: find_data(data).cloned(),
        }
    }
}

fn find_data<T: Any + Send + Sync>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>())?.downcast_ref()
}

/// Expensive fields at the root of an operation, each with the number of its occurrences.
type ExpensiveFields = Vec<(ExpensiveOperation, u32)>;

/// Checks a request against all limits and counts its expensive operations.
fn authorize(request: &mut Request, guarded: &mut GuardedRequest) -> Result<(), Error> {
    limits::check_text(&request.query)?;
    limits::check_variables(&request.variables)?;
    // Taken out meanwhile, because the request borrows its own parsed document.
    let variables = std::mem::take(&mut request.variables);
    let expensive = check_operation(request, &variables, guarded);
    request.variables = variables;
    take_quota(&expensive?, guarded.viewer, &request.data)
}

fn check_operation(
    request: &mut Request,
    variables: &Variables,
    guarded: &mut GuardedRequest,
) -> Result<ExpensiveFields, Error> {
    let name = request.operation_name.clone();
    // A document that does not parse is refused when the library parses it next.
    let Ok(document) = request.parsed_query() else {
        return Ok(ExpensiveFields::new());
    };
    // An operation that does not exist is refused by the library too.
    let Some(operation) = limits::check_document(document, name.as_deref())? else {
        return Ok(ExpensiveFields::new());
    };
    guarded.kind = Some(operation.kind);
    let fields = operation.roots.keys().copied();
    permission::authorize(guarded.viewer.as_ref(), operation.kind, fields)?;
    limits::check_numbers(document, variables)?;
    Ok(operation
        .roots
        .iter()
        .filter_map(|(name, count)| Some((ExpensiveOperation::from_field(name)?, *count)))
        .collect())
}

/// Counts expensive operations against the viewer's quota, whether they come by aliases, fragments
/// or batches.
fn take_quota(
    expensive: &ExpensiveFields,
    viewer: Option<Viewer>,
    data: &Data,
) -> Result<(), Error> {
    let rates = find_data::<Arc<Rates>>(data);
    let Some((rates, viewer)) = rates.zip(viewer) else {
        return Ok(());
    };
    for (operation, times) in expensive {
        rates
            .expensive(*operation, viewer.user_id, *times)
            .map_err(|RetryAfter(seconds)| Error::RateLimited(seconds))?;
    }
    Ok(())
}

/// The span of an operation in a trace.
fn operation_span(kind: Option<OperationType>, name: Option<&str>) -> Span {
    let span = tracing::debug_span!(target: "traces", "graphql", kind = metrics::kind_label(kind), operation = field::Empty);
    if let Some(name) = name.filter(|_| !span.is_disabled()) {
        let name: String = name.chars().take(MAX_TRACED_NAME).collect();
        span.record("operation", name);
    }
    span
}

impl RequestGuard {
    fn kind(&self) -> Option<OperationType> {
        self.request.get().and_then(|request| request.kind)
    }

    fn budget(&self) -> MutexGuard<'_, ResponseBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present_errors(&self, response: &mut Response) {
        let id = self.request.get().and_then(|request| request.id.as_ref());
        error::present(&mut response.errors, id);
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for RequestGuard {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let started = Instant::now();
        self.answered_once.store(true, Ordering::Relaxed);
        let mut response = next.run(ctx).await;
        self.present_errors(&mut response);
        metrics::record_operation(self.kind(), response_code(&response), started.elapsed());
        response
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let request = self.request.clone();
        next.run(ctx, stream)
            .map(move |mut response| {
                let id = request.get().and_then(|request| request.id.as_ref());
                error::present(&mut response.errors, id);
                response
            })
            .boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut guarded = GuardedRequest::new(&request.data);
        let authorized = authorize(&mut request, &mut guarded).map_err(error::refused);
        if guarded.kind == Some(OperationType::Subscription) {
            let code = authorized.as_ref().err().map_or("ok", code_of);
            metrics::record_subscription(code);
        }
        // A request is prepared once, so the cell is empty.
        let _ = self.request.set(guarded);
        authorized?;
        next.run(ctx, request).await
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let started = Instant::now();
        let request = self.request.get();
        let kind = self.kind();
        let budget = request
            .and_then(|request| request.budget.clone())
            .filter(|_| kind != Some(OperationType::Subscription))
            .unwrap_or_default();
        *self.budget() = budget.clone();
        let viewer = request.and_then(|request| request.viewer);
        let queue = BatchQueue::default();
        let mut data = Data::default();
        data.insert(RequestContext::new(&self.use_cases, viewer, &queue));
        let execution = queue.run(next.run_with_data(ctx, operation, data));
        let response = async {
            tokio::select! {
                biased;
                response = execution => response,
                () = budget.exhausted() => {
                    Response::from_errors(vec![error::refused(ResponseBudget::error())])
                }
            }
        };
        let response = response.instrument(operation_span(kind, operation)).await;
        if kind == Some(OperationType::Subscription) {
            metrics::record_subscription_event(started.elapsed());
        } else if !self.answered_once.load(Ordering::Relaxed) {
            metrics::record_operation(kind, response_code(&response), started.elapsed());
        }
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        // Items of a list are part of their field, but for the comma between them.
        let name = match info.path_node.segment {
            QueryPathSegment::Name(name) => Some(name.len()),
            QueryPathSegment::Index(_) => None,
        };
        let is_leaf = info.field.selection_set.node.items.is_empty();
        if self.budget().is_exhausted() {
            // `execute` ends the whole execution; until then nothing more is built.
            return std::future::pending().await;
        }
        let value = next.run(ctx, info).await?;
        let bytes = match (name, &value) {
            (None, _) => 1,
            (Some(name), Some(value)) if is_leaf => name + 4 + json_size(value),
            (Some(name), _) => name + 6,
        };
        if !self.budget().charge(bytes) {
            return std::future::pending().await;
        }
        Ok(value)
    }
}

/// The code of the first error, or `ok`.
fn response_code(response: &Response) -> &'static str {
    response.errors.first().map_or("ok", code_of)
}
