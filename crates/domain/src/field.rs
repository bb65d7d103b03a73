//! Describes the settings fields of monitor kinds, for forms, API and documentation.

use serde::{Deserialize, Serialize};

/// Type of a field. Forms choose the input control by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text.
    Text,
    /// Several lines of text.
    Multiline,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// One of the field's options.
    Choice,
    /// Any of the field's options.
    Choices,
    /// An absolute http or https URL.
    Url,
    /// A host name or an IP address.
    Host,
    /// A port number.
    Port,
    /// A duration in seconds.
    Seconds,
    /// A secret, which is stored sealed and never returned.
    Secret,
    /// A list of texts.
    List,
    /// The ids of components of a vendor's page, which are chosen after the page was read.
    Components,
}

impl FieldType {
    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Multiline => "multiline",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Choices => "choices",
            Self::Url => "url",
            Self::Host => "host",
            Self::Port => "port",
            Self::Seconds => "seconds",
            Self::Secret => "secret",
            Self::List => "list",
            Self::Components => "components",
        }
    }

    /// Returns whether the value is a list of strings.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(self, Self::Choices | Self::List | Self::Components)
    }
}

/// One field of the settings of a monitor kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// The name in the API and in the stored settings.
    pub name: &'static str,
    /// The label in forms.
    pub label: &'static str,
    /// One sentence that explains what to enter.
    pub help: Option<&'static str>,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether it must be given.
    pub required: bool,
    /// Default value, as text.
    pub default: Option<&'static str>,
    /// The options to choose from.
    pub options: &'static [&'static str],
}

impl FieldInfo {
    /// Creates an optional field without a default.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, field_type: FieldType) -> Self {
        Self {
            name,
            label,
            help: None,
            field_type,
            required: false,
            default: None,
            options: &[],
        }
    }

    /// Sets the help text.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// Makes the field required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the default value.
    #[must_use]
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Sets the options.
    #[must_use]
    pub const fn options(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    /// Returns whether the value is stored sealed and never returned.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.field_type, FieldType::Secret)
    }
}
