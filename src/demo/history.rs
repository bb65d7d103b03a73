//! Generates a history for the demo's services: three months of rollups, a day of raw checks, and
//! incidents. Only the outcomes of the checks are made up; incidents follow the production rules.

mod outcome_generator;

pub(crate) use outcome_generator::Profile;

use chrono::{DateTime, TimeDelta, Utc};
use domain::rollup::{Fold, Sum};
use domain::transition::{Effect, Failing, State};
use domain::uptime::Sample;
use domain::{Details, Observation, Outcome, Policy, advance, slot};
use entity::column::{self, RollupPeriod};
use entity::{
    check_rollup, incident, incident_acknowledgement, incident_note, rollup_progress, service,
    service_state,
};
use incidents::{Evidence, IncidentChanges, IncidentOwner, IncidentProgress, IncidentWriter};
use outcome_generator::OutcomeGenerator;
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction,
    DbBackend, EntityTrait as _, IntoActiveModel, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};
use uuid::Uuid;

/// How far back raw checks are written.
const RAW_CHECKS_SPAN: TimeDelta = TimeDelta::hours(25);

/// Interval of older checks, in seconds. Longer, because only their rollups are stored.
const EARLIER_INTERVAL: i32 = 60;

/// Writes the history up to `now` of a service that was never checked. SQLite only.
///
/// # Errors
/// Returns database errors.
pub(crate) async fn write(
    db: &DatabaseConnection,
    service: &service::Model,
    profile: Profile,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut past = Past::of(service);
    let mut generator = OutcomeGenerator::of(service, profile, now);
    let recent = now - RAW_CHECKS_SPAN;
    let earlier = service.check_interval_seconds.max(EARLIER_INTERVAL);
    past.live(
        &mut generator,
        earlier,
        (now - outcome_generator::HISTORY_LENGTH, recent),
        false,
    );
    past.live(
        &mut generator,
        service.check_interval_seconds,
        (recent, now),
        true,
    );
    if service.paused {
        let (state, effects) = past.state.paused(now);
        past.state = state;
        if let Some(last) = past.last.clone() {
            past.apply_effects(&effects, &last, now);
        }
    }
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions {
        sqlite_transaction_mode,
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    past.write(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// The rows that the generated checks of one service produce.
#[derive(Debug)]
struct Past<'a> {
    service: &'a service::Model,
    state: State,
    fold: Fold,
    /// Outcome of the last check.
    last: Option<Outcome>,
    /// Rows of `checks` as JSON arrays.
    checks: Vec<serde_json::Value>,
    incidents: IncidentChanges,
    open_incident: Option<incident::Model>,
    progress: IncidentProgress,
}

impl<'a> Past<'a> {
    fn of(service: &'a service::Model) -> Self {
        Self {
            service,
            state: State::new(service.created_at),
            fold: Fold::after(None),
            last: None,
            checks: Vec::new(),
            incidents: IncidentChanges::default(),
            open_incident: None,
            progress: IncidentProgress::default(),
        }
    }

    /// Generates a check for each slot between two times.
    fn live(
        &mut self,
        generator: &mut OutcomeGenerator,
        interval_seconds: i32,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        keep: bool,
    ) {
        let interval = TimeDelta::seconds(interval_seconds.into());
        let confirmations = u32::try_from(self.service.confirmations).unwrap_or(1);
        let policy = Policy {
            confirmations,
            recoveries: 1,
            coverage_window: slot::coverage_window(interval),
        };
        let mut slot = slot::next_slot(self.service.id, interval, from);
        while slot <= to {
            if let Some(outcome) = generator.at(slot) {
                self.record(slot, interval, outcome, &policy);
                if keep {
                    self.keep(slot, interval_seconds);
                }
            }
            slot += interval;
        }
    }

    fn record(
        &mut self,
        slot: DateTime<Utc>,
        interval: TimeDelta,
        outcome: Outcome,
        policy: &Policy,
    ) {
        let seen = Observation {
            slot,
            at: slot,
            status: outcome.status,
        };
        let Some(transition) = advance(&self.state, &seen, policy) else {
            return;
        };
        self.state = transition.state;
        self.fold.push(
            Sample {
                slot,
                interval,
                status: outcome.status,
            },
            outcome.response_time_ms,
        );
        self.apply_effects(&transition.effects, &outcome, slot);
        self.last = Some(outcome);
    }

    /// Adds the last check as a raw row.
    fn keep(&mut self, slot: DateTime<Utc>, interval_seconds: i32) {
        let Some(outcome) = &self.last else { return };
        let status = column::Status::from(outcome.status) as i16;
        let row = (
            slot.timestamp_millis(),
            interval_seconds,
            outcome.response_time_ms,
            status,
            outcome.status_code,
        );
        self.checks.push(serde_json::json!([
            row.0,
            row.1,
            row.2,
            row.3,
            row.4,
            outcome.message()
        ]));
    }

    fn apply_effects(&mut self, effects: &[Effect], outcome: &Outcome, at: DateTime<Utc>) {
        let owner = IncidentOwner {
            service_id: self.service.id,
            workspace_id: self.service.workspace_id,
        };
        let evidence = Evidence {
            checked_at: at,
            outcome,
            is_confirmed: true,
            has_renames: false,
            vendor_incidents: &[],
        };
        for effect in effects {
            let (open, progress) = (&mut self.open_incident, &mut self.progress);
            self.incidents
                .apply_effect(owner, open, progress, effect, &evidence);
        }
    }

    async fn write(self, db: &DatabaseTransaction) -> anyhow::Result<()> {
        let number = self.service.seq;
        let days = self.fold.days();
        let row = |period| {
            move |(start, sum): (&DateTime<Utc>, &Sum)| {
                check_rollup::Model::of(number, period, *start, sum)
            }
        };
        let hours = self.fold.hours().iter().map(row(RollupPeriod::Hour));
        let rollups: Vec<_> = hours
            .chain(days.iter().map(row(RollupPeriod::Day)))
            .collect();
        for some in rollups.chunks(1000) {
            let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
            check_rollup::Entity::insert_many(some)
                .exec_without_returning(db)
                .await?;
        }
        if let Some(last) = self.fold.last() {
            let progress = rollup_progress::Model {
                service_seq: number,
                slot: last.slot.timestamp_millis(),
                interval_seconds: last.interval.num_seconds().try_into()?,
                status: last.status.into(),
            };
            rollup_progress::Entity::insert(progress.into_active_model())
                .exec_without_returning(db)
                .await?;
        }
        let checks = serde_json::to_string(&self.checks)?;
        let sql = "INSERT INTO checks (service_seq, slot, lateness_ms, interval_seconds, response_time_ms, status,
                status_code, message)
            SELECT ?, value ->> 0, 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Sqlite,
            sql,
            [number.into(), checks.into()],
        ))
        .await?;

        let state = self.final_state().into_active_model().reset_all();
        IncidentWriter::new(DbBackend::Sqlite)
            .write(db, &self.incidents)
            .await?;
        if let Some(open) = self.open_incident {
            acknowledge_and_note(db, &open).await?;
        }
        service_state::Entity::update(state).exec(db).await?;
        Ok(())
    }

    fn final_state(&self) -> service_state::Model {
        let State {
            status,
            since,
            last_slot,
            failing,
            ..
        } = self.state;
        let open = self.open_incident.as_ref();
        let last = self.last.as_ref();
        let ms = |of: fn(&Outcome) -> Option<u32>| last.and_then(of).map(count);
        service_state::Model {
            service_id: self.service.id,
            status: status.into(),
            status_since: since,
            last_slot,
            checked_at: last_slot,
            status_code: last.and_then(|last| last.status_code).map(Into::into),
            response_time_ms: ms(|last| last.response_time_ms),
            details: serde_json::to_value(last.map(Details::from).unwrap_or_default())
                .expect("details are a struct of numbers and times"),
            message: last.and_then(Outcome::message),
            failing_checks: failing.map_or(0, |failing| count(failing.checks)),
            failing_since: failing.map(|Failing { since, .. }| since),
            down_checks: failing.map_or(0, |failing| count(failing.down_checks)),
            down_since: failing
                .filter(|failing| failing.down_checks > 0)
                .map(|failing| failing.down_since),
            recovering_checks: 0,
            recovering_since: None,
            open_incident_id: open.map(|incident| incident.id),
            open_incident_type: open.map(|incident| incident.incident_type),
        }
    }
}

/// Adds an acknowledgement and a note to an open incident.
async fn acknowledge_and_note(
    db: &DatabaseTransaction,
    incident: &incident::Model,
) -> anyhow::Result<()> {
    let incident_id = incident.id;
    // A personal workspace has the id of its user.
    let user_id = incident.workspace_id;
    let at = incident.started_at + TimeDelta::minutes(9);
    let seen = incident_acknowledgement::Model {
        incident_id,
        user_id,
        at,
    };
    incident_acknowledgement::Entity::insert(seen.into_active_model())
        .exec_without_returning(db)
        .await?;
    let text =
        "Known to those who run it.\nNothing to be done on our side before they are back.".into();
    let note = incident_note::Model {
        id: Uuid::now_v7(),
        incident_id,
        user_id,
        at: at + TimeDelta::minutes(4),
        text,
    };
    incident_note::Entity::insert(note.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

fn count(n: u32) -> i32 {
    n.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
