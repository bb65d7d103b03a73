//! The published schema: `schema.graphql` is current, compatible with what clients use, and
//! documented.
//!
//! After a change of the schema: `UPDATE_SCHEMA=1 cargo test -p backend schema`.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeDefinition,
    TypeKind, TypeSystemDefinition,
};
use std::collections::BTreeMap;
use std::path::Path;

/// The names that clients outside of this repository use. Names are added, never removed.
const CONTRACT: &str = include_str!("contract.graphql");

#[test]
fn the_snapshot_of_the_schema_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let sdl = backend::graphql::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &sdl).unwrap();
    }
    let snapshot = std::fs::read_to_string(&file).unwrap();
    assert!(
        snapshot == sdl,
        "schema.graphql is not current: run `UPDATE_SCHEMA=1 cargo test -p backend schema`"
    );
}

#[test]
fn every_name_that_clients_rely_on_is_there_with_its_type() {
    let (promised, given) = (types(CONTRACT), types(&backend::graphql::sdl()));
    let mut missing = Vec::new();
    for (name, promised) in &promised {
        let Some(given) = given.get(name) else {
            missing.push(format!("type {name}"));
            continue;
        };
        match (&promised.kind, &given.kind) {
            (TypeKind::Scalar, TypeKind::Scalar) => {}
            (TypeKind::Object(promised), TypeKind::Object(given)) => {
                for field in &promised.fields {
                    let field = &field.node;
                    let same = given
                        .fields
                        .iter()
                        .find(|given| given.node.name.node == field.name.node);
                    match same {
                        Some(same) => compare(name, field, &same.node, &mut missing),
                        None => missing.push(format!("{name}.{}", field.name.node)),
                    }
                }
            }
            (TypeKind::InputObject(promised), TypeKind::InputObject(given)) => {
                for field in &promised.fields {
                    let same = given
                        .fields
                        .iter()
                        .find(|given| given.node.name.node == field.node.name.node);
                    let place = format!("{name}.{}", field.node.name.node);
                    argument(
                        &place,
                        &field.node,
                        same.map(|same| &same.node),
                        &mut missing,
                    );
                }
            }
            (TypeKind::Enum(promised), TypeKind::Enum(given)) => {
                for value in &promised.values {
                    if !given
                        .values
                        .iter()
                        .any(|given| given.node.value.node == value.node.value.node)
                    {
                        missing.push(format!("{name}.{}", value.node.value.node));
                    }
                }
            }
            (TypeKind::Union(promised), TypeKind::Union(given)) => {
                for member in &promised.members {
                    if !given.members.iter().any(|given| given.node == member.node) {
                        missing.push(format!("{name} of {}", member.node));
                    }
                }
            }
            _ => missing.push(format!("{name} is of another kind")),
        }
    }
    assert!(missing.is_empty(), "clients miss: {missing:#?}");
}

fn compare(
    parent: &str,
    promised: &FieldDefinition,
    given: &FieldDefinition,
    missing: &mut Vec<String>,
) {
    let place = format!("{parent}.{}", promised.name.node);
    if promised.ty.node.to_string() != given.ty.node.to_string() {
        missing.push(format!(
            "{place}: {} (is {})",
            promised.ty.node, given.ty.node
        ));
    }
    for promised in &promised.arguments {
        let same = given
            .arguments
            .iter()
            .find(|given| given.node.name.node == promised.node.name.node);
        argument(
            &format!("{place}({})", promised.node.name.node),
            &promised.node,
            same.map(|s| &s.node),
            missing,
        );
    }
    for added in &given.arguments {
        let known = promised
            .arguments
            .iter()
            .any(|promised| promised.node.name.node == added.node.name.node);
        if !known && is_required(&added.node) {
            missing.push(format!(
                "{place} without the argument {}",
                added.node.name.node
            ));
        }
    }
}

fn argument(
    place: &str,
    promised: &InputValueDefinition,
    given: Option<&InputValueDefinition>,
    missing: &mut Vec<String>,
) {
    let Some(given) = given else {
        missing.push(place.to_owned());
        return;
    };
    let default = |value: &InputValueDefinition| {
        value
            .default_value
            .as_ref()
            .map(|value| value.node.to_string())
    };
    if promised.ty.node.to_string() != given.ty.node.to_string()
        || default(promised) != default(given)
    {
        let (type_, default) = (&given.ty.node, default(given));
        missing.push(format!(
            "{place}: {} (is {type_} = {default:?})",
            promised.ty.node
        ));
    }
}

fn is_required(value: &InputValueDefinition) -> bool {
    !value.ty.node.nullable && value.default_value.is_none()
}

#[test]
fn everything_in_the_schema_is_described() {
    let mut bare = Vec::new();
    for (name, definition) in types(&backend::graphql::sdl()) {
        let mut check = |place: String, described: bool| {
            if !described {
                bare.push(place);
            }
        };
        check(name.clone(), definition.description.is_some());
        match &definition.kind {
            TypeKind::Object(object) => {
                for field in &object.fields {
                    let place = format!("{name}.{}", field.node.name.node);
                    for argument in &field.node.arguments {
                        let place = format!("{place}({})", argument.node.name.node);
                        check(place, argument.node.description.is_some());
                    }
                    check(place, field.node.description.is_some());
                }
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    check(
                        format!("{name}.{}", field.node.name.node),
                        field.node.description.is_some(),
                    );
                }
            }
            TypeKind::Enum(options) => {
                for value in &options.values {
                    check(
                        format!("{name}.{}", value.node.value.node),
                        value.node.description.is_some(),
                    );
                }
            }
            _ => {}
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

/// The root fields that take an id, as `(root, field, argument)`.
pub(crate) fn what_takes_an_id() -> Vec<(String, String, String)> {
    let all = types(&backend::graphql::sdl());
    let mut found = Vec::new();
    for root in ["Query", "Mutation", "Subscription"] {
        let TypeKind::Object(object) = &all[root].kind else {
            panic!("{root} is an object")
        };
        for field in &object.fields {
            for argument in &field.node.arguments {
                for path in ids_in(&all, &argument.node) {
                    found.push((root.to_owned(), field.node.name.node.to_string(), path));
                }
            }
        }
    }
    // A field of another object that takes an id would bypass the checks of the roots.
    for (name, definition) in &all {
        if let TypeKind::Object(object) = &definition.kind
            && !["Query", "Mutation", "Subscription"].contains(&name.as_str())
        {
            for field in &object.fields {
                for argument in &field.node.arguments {
                    assert!(
                        ids_in(&all, &argument.node).is_empty(),
                        "{name}.{} takes an id",
                        field.node.name.node
                    );
                }
            }
        }
    }
    found
}

fn ids_in(all: &BTreeMap<String, TypeDefinition>, value: &InputValueDefinition) -> Vec<String> {
    let name = value.name.node.to_string();
    let type_ = named(&value.ty.node);
    if type_ == "UUID" || type_ == "ID" {
        return vec![name];
    }
    match all.get(&type_).map(|definition| &definition.kind) {
        Some(TypeKind::InputObject(input)) => {
            let inner = input
                .fields
                .iter()
                .flat_map(|field| ids_in(all, &field.node));
            inner.map(|inner| format!("{name}.{inner}")).collect()
        }
        _ => Vec::new(),
    }
}

fn named(type_: &Type) -> String {
    match &type_.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => named(inner),
    }
}

fn types(sdl: &str) -> BTreeMap<String, TypeDefinition> {
    let ServiceDocument { definitions } = parse_schema(sdl).unwrap();
    let types = definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => {
                Some((definition.node.name.node.to_string(), definition.node))
            }
            _ => None,
        });
    types
        .filter(|(name, _)| !["Int", "Float", "String", "Boolean", "ID"].contains(&name.as_str()))
        .collect()
}

/// Returns the names of an object's fields.
pub(crate) fn fields_of(object: &str) -> Vec<String> {
    let all = types(&backend::graphql::sdl());
    let TypeKind::Object(object) = &all[object].kind else {
        panic!("{object} is an object")
    };
    object
        .fields
        .iter()
        .map(|field| field.node.name.node.to_string())
        .collect()
}
