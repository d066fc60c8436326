//! The command line against a running console.

#![allow(clippy::unwrap_used)]

use clap::Parser as _;
use moiso::board::call::Kind;
use moiso::board::input::Input;
use moiso::cli::client::exit_code;
use moiso::cli::{call, notice, token};
use moiso::config::Config;
use moiso::control::auth::file::TokenFile;
use moiso::control::auth::token::new_id;
use moiso::control::auth::{Auth, Role};

#[path = "support/console.rs"]
mod console;

use console::{Console, now};

#[derive(clap::Parser)]
enum Line {
    Call(call::Args),
    Notice(notice::Args),
    Token(token::Args),
}

/// Runs a command as the program would; the exit code on failure.
async fn moiso(console: &Console, token: &str, words: &[&str]) -> Result<(), (u8, String)> {
    let (url, token) = (console.url(), token.to_owned());
    let mut given = vec!["moiso".to_owned()];
    given.extend(words.iter().map(|w| (*w).to_owned()));
    given.extend(["--url".to_owned(), url, "--token".to_owned(), token]);
    run(given, Config::default()).await
}

async fn run(given: Vec<String>, config: Config) -> Result<(), (u8, String)> {
    let line = Line::try_parse_from(given).map_err(|e| (2, e.to_string()))?;
    let work = move || match &line {
        Line::Call(args) => call::run(args, &config),
        Line::Notice(args) => notice::run(args, &config),
        Line::Token(args) => token::run(args, &config),
    };
    let done = tokio::task::spawn_blocking(work).await.unwrap();
    done.map_err(|error| (exit_code(&error), format!("{error:#}")))
}

#[tokio::test]
async fn notices_are_put_listed_and_ended_and_tickets_are_called() {
    let file = TokenFile::at(std::env::temp_dir().join(format!("moiso-cli-{}/tokens.toml", new_id())));
    let (_, token) = file.add(Role::Operator, "Quầy hướng dẫn", now()).unwrap();
    let console = Console::with(Auth::with_file(file.clone()), Vec::new()).await;
    let put = [
        "notice",
        "put",
        "Hết số hôm nay",
        "--level",
        "important",
        "--for",
        "30m",
        "--id",
        "het-so",
        "--speak",
    ];
    moiso(&console, &token, &put).await.unwrap();
    {
        let given = console.given.lock().unwrap();
        let notice = &given.notices[0];
        assert_eq!((notice.id.as_str(), notice.speak), ("het-so", true));
        assert_eq!(notice.until.unwrap().to_string(), "2026-11-24T02:30:00Z");
        assert_eq!(notice.author.as_deref(), Some("Quầy hướng dẫn"));
    }
    moiso(&console, &token, &["notice", "list", "--json"]).await.unwrap();
    moiso(&console, &token, &["notice", "delete", "het-so"]).await.unwrap();
    let again = moiso(&console, &token, &["notice", "delete", "het-so"]).await.unwrap_err();
    assert_eq!(again.0, 1);
    assert!(again.1.contains("not-found"), "{}", again.1);
    moiso(&console, &token, &["call", "A012", "--counter", "5", "--lane", "elderly", "--recall"])
        .await
        .unwrap();
    {
        let given = console.given.lock().unwrap();
        let Some(Input::CallReceived(call)) = given.inputs.last() else { panic!("{:?}", given.inputs) };
        assert_eq!((call.ticket.as_str(), call.counter.as_str(), call.kind), ("A012", "5", Kind::Recall));
    }
    std::fs::remove_dir_all(file.path().parent().unwrap()).unwrap();
}

#[tokio::test]
async fn a_sound_file_is_sent_and_heard_with_its_notice() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::at(folder.path().join("tokens.toml"));
    let (_, token) = file.add(Role::Operator, "Quầy hướng dẫn", now()).unwrap();
    let (_, viewer) = file.add(Role::Viewer, "Người xem", now()).unwrap();
    let console = Console::with(Auth::with_file(file.clone()), Vec::new()).await;
    let voice = |n: usize| (n as f32 * 0.03).sin() * 0.3 * (n as f32 / 9000.0).sin().max(0.0);
    let samples: Vec<f32> = (0..3 * 48_000).map(voice).collect();
    let wav = folder.path().join("loi-nhan.wav");
    moiso::audio::wav::write(&mut std::fs::File::create(&wav).unwrap(), &samples, 48_000).unwrap();
    let put = |sound: &std::path::Path| {
        ["notice", "put", "Mời đến quầy 3", "--speak", "--sound", sound.to_str().unwrap()].map(str::to_owned)
    };
    let words = put(&wav);
    moiso(&console, &token, &words.each_ref().map(String::as_str)).await.unwrap();
    {
        let given = console.given.lock().unwrap();
        let recording = given.notices[0].recording.as_ref().expect("the notice names its sound");
        assert!(console.shelf.has(recording) && given.notices[0].speak);
    }
    let refused = moiso(&console, &viewer, &words.each_ref().map(String::as_str)).await.unwrap_err();
    assert_eq!(refused.0, 4, "{}", refused.1);
    let junk = folder.path().join("junk.mp3");
    std::fs::write(&junk, [7; 5000]).unwrap();
    let words = put(&junk);
    let refused = moiso(&console, &token, &words.each_ref().map(String::as_str)).await.unwrap_err();
    assert_eq!(refused.0, 2, "{}", refused.1);
    assert!(refused.1.contains("Không đọc được tệp này"), "{}", refused.1);
    let words = put(&folder.path().join("nothing.wav"));
    let missing = moiso(&console, &token, &words.each_ref().map(String::as_str)).await.unwrap_err();
    assert!(missing.1.contains("nothing.wav"), "{}", missing.1);
    assert_eq!(console.given.lock().unwrap().notices.len(), 1, "nothing else was put");
}

#[tokio::test]
async fn what_went_wrong_is_told_by_words_and_exit_code() {
    let console = Console::start().await;
    let viewer = console.auth.one_time(Role::Viewer, "Người xem");
    let forbidden = moiso(&console, &viewer, &["call", "A012", "--counter", "5"]).await.unwrap_err();
    assert_eq!(forbidden.0, 4, "{}", forbidden.1);
    let unknown = moiso(&console, "moiso_nobody_guess", &["notice", "list"]).await.unwrap_err();
    assert_eq!(unknown.0, 4);
    assert!(unknown.1.contains("unauthorised"), "{}", unknown.1);
    let operator = console.auth.one_time(Role::Operator, "Quầy");
    let nowhere = moiso(&console, &operator, &["call", "A012", "--counter", "55"]).await.unwrap_err();
    assert_eq!(nowhere.0, 2);
    assert!(nowhere.1.contains("field counter"), "{}", nowhere.1);
    let gone = "notice list --url ws://127.0.0.1:9/ws --token x".split(' ').map(str::to_owned);
    let gone =
        run(std::iter::once("moiso".to_owned()).chain(gone).collect(), Config::default()).await.unwrap_err();
    assert_eq!(gone.0, 3);
    assert!(gone.1.contains("cannot reach ws://127.0.0.1:9/ws"), "{}", gone.1);
    let both =
        moiso(&console, "x", &["call", "A012", "--counter", "5", "--recall", "--cancel"]).await.unwrap_err();
    assert_eq!(both.0, 2, "one kind at a time");
}

#[tokio::test]
async fn tokens_are_made_and_revoked_in_the_file_that_the_config_names() {
    let folder = std::env::temp_dir().join(format!("moiso-cli-{}", new_id()));
    let mut config = Config::default();
    config.paths.state = Some(folder.clone());
    let command = |words: &str| {
        let given = format!("moiso {words}").split(' ').map(str::to_owned).collect();
        run(given, config.clone())
    };
    command("token add --role operator --name Quầy").await.unwrap();
    let file = TokenFile::at(folder.join("tokens.toml"));
    let records = file.load().unwrap();
    assert_eq!((records.len(), records[0].name.as_str(), records[0].role), (1, "Quầy", Role::Operator));
    command("token list").await.unwrap();
    command(&format!("token revoke {}", records[0].id)).await.unwrap();
    assert!(file.load().unwrap().is_empty());
    assert!(command("token revoke nobody").await.unwrap_err().1.contains("moiso token list"));
    std::fs::remove_dir_all(folder).unwrap();
}
