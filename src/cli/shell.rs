//! `moiso completions` and `moiso man`: what a shell and `man` know of the command line, made from the parser itself.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    pub shell: Shell,
}

/// Prints a script that the shell reads.
///
/// # Errors
/// When nobody takes it.
pub fn completions(args: &CompletionsArgs, mut program: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    std::io::stdout().write_all(&script).context("cannot write the script")
}

/// Prints moiso(1), with every subcommand in it.
///
/// # Errors
/// When nobody takes it.
pub fn man(mut program: Command) -> anyhow::Result<()> {
    // Gives every subcommand its whole name.
    program.build();
    let mut page = Vec::new();
    let made = Man::new(program.clone()).date("").manual("moiso").render(&mut page);
    made.and_then(|()| sections(&program, "", &mut page)).context("cannot make the page")?;
    std::io::stdout().write_all(&page).context("cannot write the page")
}

/// The subcommands, each with those below it.
fn sections(command: &Command, above: &str, page: &mut Vec<u8>) -> std::io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let name = format!("{above} {}", inner.get_name());
        writeln!(page, ".SH \"MOISO{}\"", name.to_uppercase())?;
        let man = Man::new(inner.clone());
        man.render_description_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_options_section(page)?;
        sections(inner, &name, page)?;
    }
    Ok(())
}
