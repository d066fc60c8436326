//! What an operator hears on their own computer is what the hall hears, and nobody else is let in.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use moiso::control::auth::file::TokenFile;
use moiso::control::auth::{Auth, Role};
use serde_json::json;

#[path = "support/console.rs"]
mod console;

use console::{Client, Console, now};

/// The session of somebody who has signed in with a one-time token.
async fn session(console: &Console) -> String {
    let token = console.auth.one_time(Role::Viewer, "Một");
    let mut client = Client::connect(&console.url()).await;
    let reply = client.ask(json!({ "type": "hello", "token": token })).await;
    reply["session"].as_str().unwrap().to_owned()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn an_announcement_is_the_very_sound_that_the_command_line_writes() {
    let console = Console::start().await;
    let headers = bearer(&session(&console).await);
    let path = "/api/announcement?ticket=A012&counter=5&repeats=1";
    let answer = console.get(path, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(
        answer.head.contains("content-type: audio/wav") && answer.head.contains("cache-control: no-store")
    );
    assert!(answer.head.contains("x-announcement-text: m%e1%bb%9di c%c3%b4ng d%c3%a2n"), "{}", answer.head);
    let written = tempfile::tempdir().unwrap().keep().join("a.wav");
    let said = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["say", "A012", "--counter", "5", "--wav", written.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(answer.body == std::fs::read(&written).unwrap(), "the same samples");
    let twice = console.get("/api/announcement?ticket=A012&counter=5", &headers).await;
    assert!(twice.body.len() > answer.body.len() * 3 / 2, "as a calm hall hears it: twice");
    std::fs::remove_dir_all(written.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn only_a_session_may_listen_and_a_one_time_token_is_not_spent_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::at(folder.path().join("tokens.toml"));
    let (record, kept) = file.add(Role::Viewer, "Quầy 1", now()).unwrap();
    let console = Console::with(Auth::with_file(file.clone()), Vec::new()).await;
    let path = "/api/announcement?ticket=A012&counter=5";
    assert_eq!(console.get(path, "").await.status, 401);
    let once = console.auth.one_time(Role::Viewer, "Một");
    for wrong in ["moiso_nobody_guess", "x", &once] {
        assert_eq!(console.get(path, &bearer(wrong)).await.status, 401, "{wrong}");
    }
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": once })).await["ok"], true, "it still signs in");
    assert_eq!(console.get(path, &bearer(&kept)).await.status, 200);
    file.revoke(&record.id).unwrap();
    assert_eq!(console.get(path, &bearer(&kept)).await.status, 401, "a revoked token is heard no more");
    let mut status = 0;
    for _ in 0..10 {
        status = console.get(path, &bearer("moiso_nobody_guess")).await.status;
    }
    assert_eq!(status, 429, "guessing is as slow here as at the other door");
}

#[tokio::test]
async fn what_cannot_be_called_cannot_be_listened_to() {
    let console = Console::start().await;
    let headers = bearer(&session(&console).await);
    for (query, field) in [
        ("", "ticket"),
        ("ticket=A012", "counter"),
        ("ticket=A012&counter=99", "counter"),
        ("ticket=A0123456789012&counter=5", "ticket"),
        ("ticket=A012&counter=5&lane=nobody", "lane"),
        ("ticket=A012&counter=5&repeats=900", "repeats"),
        ("notice=a&level=loud", "level"),
    ] {
        let answer = console.get(&format!("/api/announcement?{query}"), &headers).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{query}");
    }
    let long = "a".repeat(501);
    assert_eq!(console.get(&format!("/api/announcement?notice={long}"), &headers).await.status, 400);
}
