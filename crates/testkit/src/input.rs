//! Inputs of the API from flat objects, so that tests write `{ "name": ..., "url": ... }`.

use serde_json::{Map, Value, json};

/// Fields of the settings of each kind, with the kind's field in `MonitorInput`.
const KINDS: [(&str, &[&str]); 2] = [
    (
        "vendorPage",
        &["apiUrls", "userDefinedUrls", "componentIds"],
    ),
    ("http", &["url", "expectedStatus"]),
];

/// A `CreateServiceInput` of an object that has the settings of its monitor beside everything else;
/// HTTP when there are none.
#[must_use]
pub fn new_service(flat: Value) -> Value {
    let mut input = service_change(flat);
    if input.is_object() && input.get("monitor").is_none() {
        input["monitor"] = json!({ "http": {} });
    }
    input
}

/// An `UpdateServiceInput`, as [`new_service`]; without settings it leaves them alone.
#[must_use]
pub fn service_change(flat: Value) -> Value {
    let Value::Object(mut input) = flat else {
        return flat;
    };
    for (kind, fields) in KINDS {
        let given: Map<_, _> = fields
            .iter()
            .filter_map(|field| input.remove_entry(*field))
            .collect();
        if !given.is_empty() && !input.contains_key("monitor") {
            input.insert("monitor".into(), json!({ kind: given }));
        }
    }
    input.into()
}
