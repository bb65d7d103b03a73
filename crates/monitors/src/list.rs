//! The macros that generate the enum of kinds and the enum of their settings from one list.

/// Declares the modules of the kinds, and generates [`MonitorKind`](crate::MonitorKind) and
/// [`Monitor`](crate::Monitor). The name of the module is the kind's id in the database.
macro_rules! monitors {
    ($($module:ident: $Kind:ident),+ $(,)?) => {
        $(mod $module;)+
        $(pub use $module::$Kind;)+

        crate::list::enums![$($module: $Kind),+];
    };
}

macro_rules! enums {
    ($($module:ident: $Kind:ident),+ $(,)?) => {
        /// How a service is monitored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each kind's module describes it")]
        pub enum MonitorKind {
            $($Kind),+
        }

        impl MonitorKind {
            /// All kinds, in the order in which forms offer them.
            pub const ALL: &[Self] = &[$(Self::$Kind),+];

            /// Returns the id in the database.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$Kind => stringify!($module)),+
                }
            }

            /// Returns name, fields and defaults.
            #[must_use]
            pub const fn info(self) -> &'static $crate::KindInfo {
                match self {
                    $(Self::$Kind => &<$Kind as $crate::Kind>::INFO),+
                }
            }

            /// Finds the kind with this id.
            ///
            /// # Errors
            /// [`SettingsError::UnknownKind`](crate::SettingsError::UnknownKind).
            pub fn from_id(id: &str) -> Result<Self, $crate::SettingsError> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|kind| kind.id() == id)
                    .ok_or_else(|| $crate::SettingsError::UnknownKind(id.to_owned()))
            }

            /// Returns the ids of the kinds with this schedule.
            pub fn ids_with(schedule: $crate::Schedule) -> impl Iterator<Item = &'static str> {
                let kinds = Self::ALL.iter();
                kinds
                    .filter(move |kind| kind.info().schedule == schedule)
                    .map(|kind| kind.id())
            }

            /// Returns a monitor of this kind with default settings, which need not be valid.
            #[must_use]
            pub fn empty(self) -> Monitor {
                match self {
                    $(Self::$Kind => Monitor::$Kind($Kind::default())),+
                }
            }
        }

        /// A kind with its settings: what a service monitors.
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "graphql", derive(async_graphql::Union))]
        #[allow(missing_docs, reason = "each kind's module describes it")]
        #[allow(clippy::large_enum_variant, reason = "there is one for each service")]
        pub enum Monitor {
            $($Kind($Kind)),+
        }

        impl Monitor {
            /// Returns the kind.
            #[must_use]
            pub const fn kind(&self) -> MonitorKind {
                match self {
                    $(Self::$Kind(_) => MonitorKind::$Kind),+
                }
            }

            /// Converts settings of `kind`, secrets included. Absent fields take their defaults.
            ///
            /// # Errors
            /// [`SettingsError::Unreadable`](crate::SettingsError::Unreadable).
            pub fn from_settings(
                kind: MonitorKind,
                settings: $crate::SettingsMap,
            ) -> Result<Self, $crate::SettingsError> {
                let settings = serde_json::Value::Object(settings);
                Ok(match kind {
                    $(MonitorKind::$Kind => Self::$Kind(serde_json::from_value(settings)?)),+
                })
            }

            /// Returns the settings, secrets included.
            #[must_use]
            pub fn settings(&self) -> $crate::SettingsMap {
                let settings = match self {
                    $(Self::$Kind(settings) => serde_json::to_value(settings)),+
                };
                match settings {
                    Ok(serde_json::Value::Object(settings)) => settings,
                    _ => unreachable!("settings are a struct, which is written as an object"),
                }
            }

            /// Validates and normalizes the settings.
            ///
            /// # Errors
            /// Returns an error for each invalid field.
            pub fn validate(
                mut self,
            ) -> Result<Self, Vec<domain::service::FieldError>> {
                let errors = match &mut self {
                    $(Self::$Kind(settings) => $crate::Kind::normalize(settings)),+
                };
                if errors.is_empty() { Ok(self) } else { Err(errors) }
            }

            /// Returns what the settings may mean if they can be read in several ways, the preferred
            /// one first; none otherwise.
            #[must_use]
            pub fn candidates(&self) -> Vec<Self> {
                match self {
                    $(Self::$Kind(settings) => $crate::Kind::candidates(settings)
                        .into_iter()
                        .map(Self::$Kind)
                        .collect()),+
                }
            }

            /// Returns the target in one line for people.
            #[must_use]
            pub fn target(&self) -> Option<String> {
                match self {
                    $(Self::$Kind(settings) => $crate::Kind::target(settings)),+
                }
            }

            /// Returns the host for the limit of concurrent checks per host.
            #[must_use]
            pub fn host(&self) -> String {
                match self {
                    $(Self::$Kind(settings) => $crate::Kind::host(settings)),+
                }
            }

            /// Returns the vendor page that is read once for all its followers.
            #[must_use]
            pub fn shared_page(&self) -> Option<&$crate::SharedPage> {
                match self {
                    $(Self::$Kind(settings) => $crate::Kind::shared_page(settings)),+
                }
            }

            /// Checks the target once, until `deadline`.
            pub async fn check(
                &self,
                net: &$crate::Net,
                deadline: $crate::Deadline,
            ) -> domain::Outcome {
                match self {
                    $(Self::$Kind(settings) => $crate::Kind::check(settings, net, deadline).await),+
                }
            }
        }

        impl Monitor {
            /// Applies a change: absent fields keep their value, null resets a field to its default.
            ///
            /// # Errors
            /// [`SettingsError::Unreadable`](crate::SettingsError::Unreadable).
            pub fn merge(
                &self,
                change: $crate::SettingsMap,
            ) -> Result<Self, $crate::SettingsError> {
                Self::from_settings(self.kind(), $crate::settings::merge(self.settings(), change))
            }

            /// Converts the settings of the service `id` to what its row stores. Settings that
            /// services share are rows of their own and left out.
            #[must_use]
            pub fn seal(&self, id: uuid::Uuid, sealer: &secrets::Sealer) -> $crate::StoredSettings {
                let settings = match self.shared_page() {
                    Some(_) => $crate::SettingsMap::new(),
                    None => self.settings(),
                };
                $crate::settings::seal(self.kind().info().fields, settings, id, sealer)
            }

            /// Reads the settings of the service `id` from what its row stores.
            ///
            /// # Errors
            /// [`SettingsError`](crate::SettingsError), when this version or this key cannot use it.
            pub fn open(
                kind: &str,
                id: uuid::Uuid,
                stored: $crate::StoredSettings,
                sealer: &secrets::Sealer,
            ) -> Result<Self, $crate::SettingsError> {
                let kind = MonitorKind::from_id(kind)?;
                Self::from_settings(kind, $crate::settings::open(stored, id, sealer)?)
            }

            /// Splits the settings into public ones, and secret ones, which the API never returns.
            #[must_use]
            pub fn split(&self) -> ($crate::SettingsMap, $crate::SettingsMap) {
                $crate::settings::split(self.kind().info().fields, self.settings())
            }
        }

        // With GraphQL the union's derive makes them.
        $(
            #[cfg(not(feature = "graphql"))]
            impl From<$Kind> for Monitor {
                fn from(settings: $Kind) -> Self {
                    Self::$Kind(settings)
                }
            }
        )+
    };
}

pub(crate) use {enums, monitors};
