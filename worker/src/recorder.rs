//! Makes checks durable. `record` evaluates and writes the checks of probes and vendor pages alike;
//! `queue` batches the results of probes; `batch` is the pure evaluation and `store` the statements.

mod batch;
mod queue;
mod record;
mod refusal;
mod store;

pub(crate) use batch::RecordOutcome;
pub(crate) use queue::{CheckResult, RecordQueue, RecordReply, RecordSender};
pub(crate) use record::Recorder;
pub(crate) use refusal::is_refusal;
