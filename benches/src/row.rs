//! Rows of the result table, printed and stored as JSON.

use crate::machine;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One row of the result table.
pub(crate) struct Row {
    /// Self-contained description of the measurement.
    pub(crate) measure: String,
    /// Storage that was used.
    pub(crate) layout: &'static str,
    /// Result, for people.
    pub(crate) result: String,
    /// Target value; empty if there is none.
    pub(crate) aim: &'static str,
    /// Result for programs, with units in the names.
    pub(crate) figures: Value,
}

impl Row {
    /// Prints the row as progress output.
    pub(crate) fn say(self) -> Self {
        eprintln!("{} ({}): {}", self.measure, self.layout, self.result);
        self
    }
}

/// Renders rows as a table.
pub(crate) fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        [
            row.measure.clone(),
            row.layout.to_owned(),
            row.result.clone(),
            row.aim.to_owned(),
        ]
    });
    aligned(&cells.collect::<Vec<_>>())
}

/// Stores the results of a group.
pub(crate) fn keep(group: &str, rows: &[Row]) {
    let rows = rows.iter().map(|row| {
        let Row { measure, layout, result, aim, figures } = row;
        json!({ "measure": measure, "layout": layout, "result": result, "aim": aim, "figures": figures })
    });
    let kept = json!({ "machine": machine::describe(), "at": chrono::Utc::now(), "rows": rows.collect::<Vec<_>>() });
    std::fs::create_dir_all(directory()).unwrap();
    std::fs::write(
        directory().join(format!("{group}.json")),
        serde_json::to_vec_pretty(&kept).unwrap(),
    )
    .unwrap();
}

/// Writes the table of all stored results of these groups.
pub(crate) fn write_table(groups: &[&str]) -> PathBuf {
    let (mut machines, mut cells) = (Vec::new(), Vec::new());
    for group in groups {
        let Ok(kept) = std::fs::read(directory().join(format!("{group}.json"))) else {
            continue;
        };
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        machines.push(format!(
            "{group}: {}, {}",
            text(&kept["at"]),
            text(&kept["machine"])
        ));
        for row in kept["rows"].as_array().unwrap() {
            cells.push(["measure", "layout", "result", "aim"].map(|field| text(&row[field])));
        }
    }
    let file = directory().join("results.md");
    std::fs::write(
        &file,
        format!("{}\n{}\n", aligned(&cells), machines.join("\n")),
    )
    .unwrap();
    file
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn aligned(rows: &[[String; 4]]) -> String {
    let heads = ["measure", "layout", "result", "aim"].map(str::to_owned);
    let width = |i: usize| {
        rows.iter()
            .chain([&heads])
            .map(|cells| cells[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let mut table = String::new();
    let mut line = |cells: &[String; 4]| {
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(table, "| {cell:<width$} ");
        }
        table.push_str("|\n");
    };
    line(&heads);
    line(&widths.map(|width| "-".repeat(width)));
    rows.iter().for_each(line);
    table
}

fn directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
        .join("bench")
}
