//! Parses the command line, runs it, prints the chain of errors, and gives the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match moiso::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("moiso: {error:#}");
            ExitCode::from(moiso::cli::exit_code(&error))
        }
    }
}
