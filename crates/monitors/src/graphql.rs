//! GraphQL types that are generated from the list of kinds: the enum of kinds and the `@oneOf`
//! input. Registered by hand, because their fields come from [`KindInfo::fields`].

use crate::{KindInfo, MonitorKind, SettingsMap};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{
    Deprecation, MetaEnumValue, MetaInputValue, MetaType, MetaTypeId, Registry,
};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType,
    Positioned, ServerResult, Value,
};
use domain::field::{FieldInfo, FieldType};
use std::borrow::Cow;

impl MonitorKind {
    /// Returns the name in GraphQL: `VENDOR_PAGE`.
    #[must_use]
    pub fn graphql_name(self) -> String {
        self.id().to_ascii_uppercase()
    }

    /// Returns the name of its field in `MonitorInput`: `vendorPage`.
    #[must_use]
    pub fn input_name(self) -> String {
        let mut words = self.id().split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| {
            let (initial, rest) = word.split_at(1);
            name + &initial.to_ascii_uppercase() + rest
        })
    }

    fn register(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| MetaType::Enum {
            name: "MonitorKind".into(),
            description: Some("How a service is monitored.".into()),
            enum_values: Self::ALL
                .iter()
                .map(|kind| (kind.graphql_name(), enum_value(*kind)))
                .collect(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }
}

fn enum_value(kind: MonitorKind) -> MetaEnumValue {
    MetaEnumValue {
        name: kind.graphql_name(),
        description: Some(kind.info().description.into()),
        deprecation: Deprecation::NoDeprecated,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        directive_invocations: Vec::new(),
    }
}

impl InputType for MonitorKind {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "MonitorKind".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Self::register(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        let name = match &value {
            Value::Enum(name) => name.as_str(),
            Value::String(name) => name.as_str(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        let mut kinds = Self::ALL.iter().copied();
        kinds
            .find(|kind| kind.graphql_name() == name)
            .ok_or_else(|| InputValueError::custom(format!("there is no kind {name:?}")))
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(self.graphql_name()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl OutputType for MonitorKind {
    fn type_name() -> Cow<'static, str> {
        "MonitorKind".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Self::register(registry)
    }

    async fn resolve(
        &self,
        _ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(self.to_value())
    }
}

/// The input of a monitor: exactly one kind, and some of its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorInput {
    /// The kind.
    pub kind: MonitorKind,
    /// The fields in the input; null resets a field to its default.
    pub settings: SettingsMap,
}

impl InputType for MonitorInput {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        "MonitorInput".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let kinds = MonitorKind::ALL.iter().map(|kind| {
                let info = kind.info();
                register_input(registry, info);
                let field = input_value(&kind.input_name(), info.description, info.input_type);
                (kind.input_name(), field)
            });
            input_object(
                "MonitorInput",
                "What is monitored, and how: the settings of exactly one kind.",
                kinds.collect(),
                true,
            )
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        let Value::Object(mut kinds) = value else {
            return Err(InputValueError::expected_type(value));
        };
        let (Some((name, given)), true) = (kinds.pop(), kinds.is_empty()) else {
            return Err(InputValueError::custom(
                "give the settings of exactly one kind",
            ));
        };
        let kind = MonitorKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.input_name() == name)
            .ok_or_else(|| InputValueError::custom(format!("there is no kind {name:?}")))?;
        let Value::Object(given) = given else {
            return Err(InputValueError::custom(format!("{name} must be an object")));
        };
        let settings = given
            .into_iter()
            .map(|(name, value)| parse_field(kind.info().fields, &name, value));
        Ok(Self {
            kind,
            settings: settings.collect::<Result<_, _>>()?,
        })
    }

    fn to_value(&self) -> Value {
        let settings = Value::from_json(self.settings.clone().into()).unwrap_or_default();
        Value::Object(IndexMap::from([(
            Name::new(self.kind.input_name()),
            settings,
        )]))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl async_graphql::InputObjectType for MonitorInput {}
impl async_graphql::OneofObjectType for MonitorInput {}

/// Converts the value of a field to what is stored. Validates it again, because not every path
/// through the library compares values with the schema.
fn parse_field(
    fields: &[FieldInfo],
    name: &Name,
    value: Value,
) -> Result<(String, serde_json::Value), InputValueError<MonitorInput>> {
    let wrong = |what: &str| InputValueError::custom(format!("{name}: {what}"));
    let field = fields
        .iter()
        .find(|field| field.name == name.as_str())
        .ok_or_else(|| wrong("there is no such field"))?;
    let mut json = value.into_json().map_err(|_| wrong("cannot be read"))?;
    if field.field_type.is_list() && !json.is_array() && !json.is_null() {
        // GraphQL takes one value for a list of one.
        json = serde_json::Value::Array(vec![json]);
    }
    let fits = match scalar(field.field_type) {
        _ if json.is_null() => true,
        "Int" => json.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        "Float" => json.is_number(),
        "Boolean" => json.is_boolean(),
        _ if field.field_type.is_list() => json
            .as_array()
            .is_some_and(|list| list.iter().all(serde_json::Value::is_string)),
        _ => json.is_string(),
    };
    if fits {
        Ok((name.to_string(), json))
    } else {
        Err(wrong("has the wrong type"))
    }
}

/// Registers the input object with the settings of one kind.
fn register_input(registry: &mut Registry, info: &KindInfo) {
    let fields = info.fields.iter().map(|field| {
        let scalar = scalar(field.field_type);
        let list = || format!("[{scalar}!]");
        let type_name = if field.field_type.is_list() {
            list()
        } else {
            scalar.to_owned()
        };
        let input = MetaInputValue {
            is_secret: field.is_secret(),
            ..input_value(field.name, &describe(field), &type_name)
        };
        (field.name.to_owned(), input)
    });
    let input = input_object(info.input_type, info.description, fields.collect(), false);
    registry.types.insert(info.input_type.to_owned(), input);
}

fn describe(field: &FieldInfo) -> String {
    let mut text = field.help.unwrap_or(field.label).to_owned();
    if !text.ends_with('.') {
        text.push('.');
    }
    if let Some(default) = field.default {
        text.push_str(&format!(" `{default}` by default."));
    }
    text
}

/// Returns the scalar of a field, or of the items of its list.
const fn scalar(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Integer | FieldType::Port | FieldType::Seconds => "Int",
        FieldType::Number => "Float",
        FieldType::Boolean => "Boolean",
        _ => "String",
    }
}

fn input_value(name: &str, description: &str, type_name: &str) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ty: type_name.to_owned(),
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

fn input_object(
    name: &str,
    description: &str,
    input_fields: IndexMap<String, MetaInputValue>,
    oneof: bool,
) -> MetaType {
    MetaType::InputObject {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_fields,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        oneof,
        directive_invocations: Vec::new(),
    }
}
