//! What happens around every execution: the document is judged, then who asks for it, and how often they have; then
//! loaders are made; and errors get their codes. Nothing is executed that `permission` does not allow.
//!
//! To a subscription it comes as an extension, because every event is an execution of its own. Requests for one answer
//! pass it beside the library, which looks up the type of each field where there is any extension.

use super::error::{self, RequestId, code_of};
use super::loader::Queue;
use super::scope::{Scope, viewer_in};
use super::{Root, limits, permission};
use crate::auth::Viewer;
use crate::metrics;
use crate::rates::{Costly, Rates, Wait};
use crate::use_cases::{Error, Ops};
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextRequest,
    NextSubscribe,
};
use async_graphql::futures_util::stream::{BoxStream, StreamExt};
use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Request, Response, ServerResult, Variables};
use std::any::TypeId;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tracing::{Instrument as _, Span, field};

/// Makes a gate for each subscription.
pub(super) struct Gates {
    pub(super) ops: Arc<Ops>,
}

impl ExtensionFactory for Gates {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Gate {
            ops: self.ops.clone(),
            request: Arc::default(),
        })
    }
}

struct Gate {
    ops: Arc<Ops>,
    /// Known once the request is prepared.
    request: Arc<OnceLock<Known>>,
}

/// What the server put into the request.
struct Known {
    viewer: Option<Viewer>,
    id: Option<RequestId>,
    /// What is asked for, once that was read.
    kind: Option<OperationType>,
}

impl Known {
    /// Looks through data, the nearest first.
    fn of(data: &[&Data]) -> Self {
        let id = |data: &&Data| {
            data.get(&TypeId::of::<RequestId>())?
                .downcast_ref::<RequestId>()
                .cloned()
        };
        Self {
            viewer: data.iter().find_map(|data| viewer_in(data)),
            id: data.iter().find_map(id),
            kind: None,
        }
    }
}

/// Executes a request for one answer.
pub(super) async fn execute(root: &Root, ops: &Arc<Ops>, mut request: Request) -> Response {
    let begun = Instant::now();
    let mut known = Known::of(&[&request.data]);
    let mut response = match admit(&mut request, &mut known) {
        Ok(()) => {
            let queue = Queue::default();
            let span = span(known.kind, request.operation_name.as_deref());
            let request = request.data(Scope::new(ops, known.viewer, &queue));
            queue.drive(root.execute(request)).instrument(span).await
        }
        Err(refused) => Response::from_errors(vec![error::refused(refused)]),
    };
    error::present(&mut response.errors, known.id.as_ref());
    metrics::operated(known.kind, &response, begun.elapsed());
    response
}

/// The part of a trace that an operation is.
fn span(kind: Option<OperationType>, name: Option<&str>) -> Span {
    let span = tracing::debug_span!(target: "traces", "graphql", kind = metrics::word(kind), operation = field::Empty);
    if let Some(name) = name.filter(|_| !span.is_disabled()) {
        span.record("operation", name.chars().take(MAX_NAME).collect::<String>());
    }
    span
}

/// Judges a request and counts what it asks for.
fn admit(request: &mut Request, known: &mut Known) -> Result<(), Error> {
    let costs = judge(request, known)?;
    count(&costs, known.viewer, &request.data)
}

/// As much of an operation's name as traces show, in characters.
const MAX_NAME: usize = 100;

/// Costly fields that an operation begins with, each with how often.
type Costs = Vec<(Costly, u32)>;

fn judge(request: &mut Request, known: &mut Known) -> Result<Costs, Error> {
    limits::check_text(&request.query)?;
    limits::check_variables(&request.variables)?;
    // Taken out meanwhile, because the request keeps its document once it is parsed.
    let variables = std::mem::take(&mut request.variables);
    let judged = judge_document(request, &variables, known);
    request.variables = variables;
    judged
}

fn judge_document(
    request: &mut Request,
    variables: &Variables,
    known: &mut Known,
) -> Result<Costs, Error> {
    let name = request.operation_name.clone();
    // A document that does not parse is refused where async-graphql parses it again.
    let Ok(document) = request.parsed_query() else {
        return Ok(Costs::new());
    };
    let Some(operation) = limits::check_document(document, name.as_deref())? else {
        return Ok(Costs::new());
    };
    known.kind = Some(operation.kind);
    let fields = operation.roots.keys().copied();
    let authorized = permission::authorize(known.viewer.as_ref(), operation.kind, fields);
    // Who may not ask at all is told so first.
    authorized.and_then(|()| limits::check_numbers(document, variables))?;
    Ok(operation
        .roots
        .iter()
        .filter_map(|(name, count)| Some((Costly::of_field(name)?, *count)))
        .collect())
}

/// Counts what an operation asks of others than this server. However it is spelled: by aliases, fragments or batches.
fn count(costs: &Costs, viewer: Option<Viewer>, data: &Data) -> Result<(), Error> {
    let rates = data
        .get(&TypeId::of::<Arc<Rates>>())
        .and_then(|rates| rates.downcast_ref::<Arc<Rates>>());
    let Some((rates, viewer)) = rates.zip(viewer) else {
        return Ok(());
    };
    for (what, times) in costs {
        rates
            .costly(*what, viewer.user_id, *times)
            .map_err(|Wait(seconds)| Error::RateLimited(seconds))?;
    }
    Ok(())
}

#[async_graphql::async_trait::async_trait]
impl Extension for Gate {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(ctx).await;
        error::present(
            &mut response.errors,
            self.request.get().and_then(|known| known.id.as_ref()),
        );
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
                error::present(
                    &mut response.errors,
                    request.get().and_then(|known| known.id.as_ref()),
                );
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
        let mut known = Known::of(&[&request.data, ctx.session_data]);
        let admitted = admit(&mut request, &mut known).map_err(error::refused);
        if known.kind == Some(OperationType::Subscription) {
            metrics::subscribed(admitted.as_ref().err().map_or("ok", code_of));
        }
        // A request is prepared once.
        let _ = self.request.set(known);
        admitted?;
        next.run(ctx, request).await
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let begun = Instant::now();
        let queue = Queue::default();
        let (viewer, kind) = self
            .request
            .get()
            .map_or((None, None), |known| (known.viewer, known.kind));
        let mut data = Data::default();
        data.insert(Scope::new(&self.ops, viewer, &queue));
        let response = queue
            .drive(next.run_with_data(ctx, operation, data))
            .instrument(span(kind, operation))
            .await;
        match kind {
            Some(OperationType::Subscription) => metrics::updated(begun.elapsed()),
            _ => metrics::operated(kind, &response, begun.elapsed()),
        }
        response
    }
}
