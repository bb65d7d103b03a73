//! Rows that tests start from, each with sensible values where a test does not care.

use chrono::{DateTime, SubsecRound, Utc};
use entity::column::{Role, Status};
use entity::{check, membership, service, service_state, user, workspace};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, NotSet, Set};
use serde_json::json;
use uuid::Uuid;

/// Somebody new, with a name and an address of their own, and a personal workspace.
///
/// # Panics
/// When the database refuses.
pub async fn a_user(db: &impl ConnectionTrait) -> user::Model {
    let (id, now) = (Uuid::now_v7(), now());
    let user = user::Model {
        id,
        email: format!("{}@example.test", id.simple()),
        email_verified: true,
        name: "Ada".into(),
        avatar_url: None,
        created_at: now,
        updated_at: now,
    };
    let user = user
        .into_active_model()
        .insert(db)
        .await
        .expect("a user can be added");
    membership::create_personal_workspace(db, &user)
        .await
        .expect("a personal workspace can be added");
    user
}

/// A workspace that is nobody's personal one, without members.
///
/// # Panics
/// When the database refuses.
pub async fn a_workspace(db: &impl ConnectionTrait) -> workspace::Model {
    let workspace = workspace::Model {
        id: Uuid::now_v7(),
        name: "Team".into(),
        personal: false,
        created_at: now(),
    };
    workspace
        .into_active_model()
        .insert(db)
        .await
        .expect("a workspace can be added")
}

/// Makes `user` a member of `workspace`.
///
/// # Panics
/// When the database refuses.
pub async fn join(
    db: &impl ConnectionTrait,
    workspace: &workspace::Model,
    user: &user::Model,
    role: Role,
) {
    let membership = membership::Model {
        workspace_id: workspace.id,
        user_id: user.id,
        role,
    };
    membership
        .into_active_model()
        .insert(db)
        .await
        .expect("a member can be added");
}

/// A service in the personal workspace of `user` that was never checked: an HTTP service with the defaults, until the setters say otherwise.
pub fn a_service<'a, C: ConnectionTrait>(db: &'a C, user: &user::Model) -> ServiceBuilder<'a, C> {
    let (id, now) = (Uuid::now_v7(), now());
    let service = service::ActiveModel {
        id: Set(id),
        seq: NotSet,
        workspace_id: Set(user.id),
        name: Set("Example".into()),
        category: Set(None),
        description: Set(None),
        kind: Set("http".into()),
        settings: Set(json!({ "url": "https://example.test/", "expectedStatus": "200-299" })),
        secrets: Set(None),
        paused: Set(false),
        vendor_page_url: Set(None),
        vendor_page_id: Set(None),
        check_interval_seconds: Set(30),
        timeout_ms: Set(5000),
        degraded_threshold_ms: Set(1000),
        confirmations: Set(2),
        recoveries: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    ServiceBuilder { db, service }
}

/// A service on its way into the database; [`ServiceBuilder::create`] puts it there.
#[derive(Debug)]
#[must_use = "nothing is added before `create`"]
pub struct ServiceBuilder<'a, C> {
    db: &'a C,
    service: service::ActiveModel,
}

impl<C: ConnectionTrait> ServiceBuilder<'_, C> {
    /// Decides when its slots are.
    pub fn id(mut self, id: Uuid) -> Self {
        self.service.id = Set(id);
        self
    }

    /// The workspace it belongs to; the user's personal one by default.
    pub fn in_workspace(mut self, id: Uuid) -> Self {
        self.service.workspace_id = Set(id);
        self
    }

    /// What its owner calls it.
    pub fn name(mut self, name: &str) -> Self {
        self.service.name = Set(name.into());
        self
    }

    /// What is requested.
    pub fn url(self, url: impl Into<String>) -> Self {
        self.setting("url", &url.into())
    }

    /// Seconds between two checks.
    pub fn interval(mut self, seconds: i32) -> Self {
        self.service.check_interval_seconds = Set(seconds);
        self
    }

    /// Milliseconds for one whole exchange.
    pub fn timeout(mut self, ms: i32) -> Self {
        self.service.timeout_ms = Set(ms);
        self
    }

    /// Milliseconds above which an answer is slow.
    pub fn threshold(mut self, ms: i32) -> Self {
        self.service.degraded_threshold_ms = Set(ms);
        self
    }

    /// Failures in a row that make it down.
    pub fn confirmations(mut self, failures: i32) -> Self {
        self.service.confirmations = Set(failures);
        self
    }

    /// Status codes that count as an answer.
    pub fn expected_status(self, codes: &str) -> Self {
        self.setting("expectedStatus", codes)
    }

    fn setting(mut self, name: &str, value: &str) -> Self {
        let mut settings = self.service.settings.take().unwrap_or_default();
        settings[name] = value.into();
        self.service.settings = Set(settings);
        self
    }

    /// Good checks in a row that end an incident.
    pub fn recoveries(mut self, checks: i32) -> Self {
        self.service.recoveries = Set(checks);
        self
    }

    /// A service that follows `page` instead of being requested.
    pub fn follows(mut self, page: Uuid) -> Self {
        self.service.kind = Set("vendor_page".into());
        self.service.settings = Set(json!({}));
        self.service.vendor_page_id = Set(Some(page));
        self
    }

    /// Checking is off.
    pub fn paused(mut self) -> Self {
        self.service.paused = Set(true);
        self
    }

    /// Its owner's own grouping.
    pub fn category(mut self, category: &str) -> Self {
        self.service.category = Set(Some(category.into()));
        self
    }

    /// When it was added; now by default.
    pub fn created_at(mut self, at: DateTime<Utc>) -> Self {
        self.service.created_at = Set(at);
        self.service.updated_at = Set(at);
        self
    }

    /// Adds the service and its state.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn create(self) -> service::Model {
        let service = self
            .service
            .insert(self.db)
            .await
            .expect("a service can be added");
        let state = service_state::ActiveModel {
            service_id: Set(service.id),
            status: Set(Status::Unknown),
            status_since: Set(service.created_at),
            failing_checks: Set(0),
            down_checks: Set(0),
            recovering_checks: Set(0),
            ..Default::default()
        };
        state
            .insert(self.db)
            .await
            .expect("a service's state can be added");
        service
    }
}

/// A check of `service` for the slot `slot`, found up in 100 ms at the service's interval. A plain row: change its
/// fields and hand it to [`insert_checks`].
#[must_use]
pub fn a_check(service: &service::Model, slot: DateTime<Utc>) -> check::Model {
    check::Model {
        service_seq: service.seq,
        slot: slot.timestamp_millis(),
        lateness_ms: 0,
        interval_seconds: service.check_interval_seconds,
        response_time_ms: Some(100),
        status: Status::Up,
        status_code: Some(200),
        message: None,
    }
}

/// Adds checks as they are, many in one statement. No state and no incident follows from them.
///
/// # Panics
/// When the database refuses.
pub async fn insert_checks(db: &impl ConnectionTrait, checks: &[check::Model]) {
    for some in checks.chunks(1000) {
        let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
        check::Entity::insert_many(rows)
            .exec_without_returning(db)
            .await
            .expect("checks can be added");
    }
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
