//! The step between the compiler and the bundler: reads the module that the compiler wrote and emits it again
//! together with the JavaScript that connects it to the browser.
//!
//! It is a program of the workspace, not an installed tool, so that its version is the one in `Cargo.lock`.
//! It knows nothing of file names, compression or pages: `assemble.mjs` beside it does the rest.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use wasm_bindgen_cli_support::{Bindgen, Output};

/// Parts of the names of functions that print backtraces. Only a variable of the environment has one taken, and in a
/// browser there are none: these never run, but the compiler cannot know, and they are long.
const NEVER_RUN: [&str; 2] = ["rustc_demangle", "BacktraceFrameFmt"];

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), Some(out_dir), None) = (args.next(), args.next(), args.next()) else {
        anyhow::bail!("usage: ui-bundle <module.wasm> <output directory>");
    };
    let mut output = Bindgen::new()
        .input_path(&module)
        .out_name("ui")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The page names the module by its hashed name: no default that would point at the unhashed one.
        .omit_default_module_path(true)
        .generate_output()
        .with_context(|| format!("cannot read {}", module.display()))?;
    empty_what_never_runs(&mut output)?;
    let names = shorten_imports(&mut output);
    output
        .emit(&out_dir)
        .with_context(|| format!("cannot write {}", out_dir.display()))?;
    rename_in_script(&out_dir.join("ui.js"), names)
}

/// Leaves a trap of each function that never runs.
fn empty_what_never_runs(output: &mut Output) -> anyhow::Result<()> {
    for part in NEVER_RUN {
        let mut found = false;
        for function in output.wasm_mut().funcs.iter_mut() {
            if function
                .name
                .as_ref()
                .is_some_and(|name| name.contains(part))
            {
                let mut body = function.kind.unwrap_local_mut().builder_mut().func_body();
                body.instrs_mut().clear();
                body.unreachable();
                found = true;
            }
        }
        ensure!(
            found,
            "no function is called {part}: it must not be listed any more"
        );
    }
    Ok(())
}

/// Gives what the module imports short names, and returns them by the long ones. Those end with hashes, which no
/// compression makes shorter and which a browser would load twice.
fn shorten_imports(output: &mut Output) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for import in output.wasm_mut().imports.iter_mut() {
        // What is imported with two types stands there twice.
        let short = format!("i{}", names.len());
        import.name = names.entry(import.name.clone()).or_insert(short).clone();
    }
    names
}

/// Lets the script that connects the module to the browser call what it offers by the same short names.
fn rename_in_script(path: &Path, names: HashMap<String, String>) -> anyhow::Result<()> {
    let mut script =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    for (long, short) in names {
        let member = format!(" {long}: ");
        ensure!(
            script.matches(&member).count() == 1,
            "the script does not define {long} once"
        );
        script = script.replace(&member, &format!(" {short}: "));
    }
    fs::write(path, script).with_context(|| format!("cannot write {}", path.display()))
}
