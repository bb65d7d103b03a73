//! The step between the compiler and the bundler: reads the module that the compiler wrote and emits it again
//! together with the JavaScript that connects it to the browser.
//!
//! It is a program of the workspace, not an installed tool, so that its version is the one in `Cargo.lock`.
//! It knows nothing of file names, compression or pages: `assemble.mjs` beside it does the rest.

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
        // The page names the module by its hashed name: no default that would point at the unhashed one.
        .omit_default_module_path(true)
        .generate(&out_dir)
        .with_context(|| format!("cannot turn {} into {}", module.display(), out_dir.display()))
}
