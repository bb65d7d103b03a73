//! Runs wasm-bindgen on the compiled module. It is a program of the workspace, not an installed
//! tool, so that `Cargo.lock` keeps its version equal to that of the library; `assemble.mjs` does
//! the rest.

use std::path::PathBuf;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(out_dir), None) = (args.next(), args.next(), args.next()) else {
        anyhow::bail!("usage: ui-bundle <module.wasm> <output directory>");
    };
    Bindgen::new()
        .input_path(&module)
        .out_name("ui")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The page passes the module's hashed address, so the script needs no default one.
        .omit_default_module_path(true)
        .generate(&out_dir)
        .with_context(|| format!("cannot bind {}", module.display()))
}
