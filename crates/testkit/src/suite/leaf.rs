//! Compiles the program that tests run in.

use std::path::Path;
use std::process::{Command, Stdio};

const SOURCE: &str = include_str!("leaf.c");

/// Compiles the leaf to `path` with the C compiler that `CC` names, `cc` without: static, so that it also runs where there
/// are no libraries.
///
/// # Errors
/// When there is no compiler, or it fails.
pub fn compile(path: &Path) -> Result<(), String> {
    let source = path.with_extension("c");
    std::fs::write(&source, SOURCE).map_err(|error| format!("{}: {error}", source.display()))?;
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(&compiler)
        .args(["-static", "-O1", "-o"])
        .arg(path)
        .arg(&source)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("the C compiler `{compiler}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "the C compiler `{compiler}` cannot make the program that tests run in (it needs a static C library):\n{}",
        String::from_utf8_lossy(&output.stderr)
    ))
}
