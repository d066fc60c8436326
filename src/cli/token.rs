//! `moiso token`: makes, lists and revokes the tokens of operators. It works on the token file; the running daemon
//! sees a change within seconds.

use std::str::FromStr;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::output::Output;
use crate::config::Config;
use crate::control::auth::file::{Record, TokenFile};
use crate::control::auth::{Role, tokens_path};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Makes a token and prints it, this one time
    Add {
        /// What it allows: viewer (look), operator (notices and calls), technician (also commands)
        #[arg(long, value_enum)]
        role: Role,
        /// Who uses it; stands beside the notices they write
        #[arg(long)]
        name: String,
    },
    /// Shows all tokens, without their secrets
    List,
    /// Takes a token away; whoever uses it is signed out
    Revoke {
        /// Its id, as `list` prints it
        id: String,
    },
}

/// # Errors
/// When the token file cannot be used, or has no such token.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let file = TokenFile::at(tokens_path(config));
    match &args.what {
        What::Add { role, name } => {
            let (record, token) = file.add(*role, name, Timestamp::now())?;
            eprintln!("token {} for {} ({}), shown only now:", record.id, record.name, record.role.as_str());
            let mut told = value(&record);
            told["token"] = token.as_str().into();
            args.output.tell(token, &told);
        }
        What::List if args.output.json => {
            println!("{:#}", file.load()?.iter().map(value).collect::<Value>());
        }
        What::List => {
            let zone = TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC);
            let records = file.load()?;
            if records.is_empty() {
                eprintln!("no tokens in {}", file.path().display());
            }
            for record in records {
                println!(
                    "{}\t{}\t{}\t{}",
                    record.id,
                    record.role.as_str(),
                    created(&record, &zone),
                    record.name
                );
            }
        }
        What::Revoke { id } => {
            let record = file.revoke(id)?;
            eprintln!("revoked {} of {}", record.id, record.name);
            if args.output.json {
                println!("{}", value(&record));
            }
        }
    }
    Ok(())
}

/// All but the secret.
fn value(record: &Record) -> Value {
    json!({ "id": record.id, "role": record.role.as_str(), "name": record.name, "created": record.created })
}

fn created(record: &Record, zone: &TimeZone) -> String {
    Timestamp::from_str(&record.created)
        .map_or_else(|_| "?".to_owned(), |at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string())
}
