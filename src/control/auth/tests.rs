//! Tokens: made, kept, verified, revoked.

use std::os::unix::fs::PermissionsExt as _;

use super::file::TokenFileError;
use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("moiso-tokens-{}", token::new_id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> TokenFile {
        TokenFile::at(self.0.join("deeper/tokens.toml"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn now() -> jiff::Timestamp {
    "2026-11-24T02:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_token_lets_its_bearer_in_with_its_role_and_name() {
    let folder = Folder::new();
    let auth = Arc::new(Auth::with_file(folder.file()));
    assert!(!auth.has_tokens());
    let (_, token) = folder.file().add(Role::Operator, " Quầy hướng dẫn ", now()).unwrap();
    let welcome = auth.verify(&token).await.unwrap();
    assert_eq!((welcome.grant.role, welcome.grant.name.as_str()), (Role::Operator, "Quầy hướng dẫn"));
    assert_eq!(welcome.session, None);
    assert!(auth.has_tokens());
    assert!(auth.verify(&token).await.is_ok(), "a second time, from memory");
}

#[tokio::test]
async fn a_wrong_secret_or_id_is_refused() {
    let folder = Folder::new();
    let (record, token) = folder.file().add(Role::Viewer, "Cửa", now()).unwrap();
    let auth = Arc::new(Auth::with_file(folder.file()));
    let other = token::new_secret();
    assert_eq!(auth.verify(&token::join(&record.id, &other)).await, Err(Refused));
    let secret = token::parts(&token).unwrap().secret;
    assert_eq!(auth.verify(&token::join("nobody00", secret)).await, Err(Refused));
    assert_eq!(auth.verify("open sesame").await, Err(Refused));
}

#[tokio::test]
async fn a_revoked_token_is_refused_though_it_was_known_and_its_grant_falls() {
    let folder = Folder::new();
    let (record, token) = folder.file().add(Role::Operator, "Quầy 1", now()).unwrap();
    let auth = Arc::new(Auth::with_file(folder.file()));
    let changes = auth.changes();
    let grant = auth.verify(&token).await.unwrap().grant;
    assert!(auth.stands(&grant));
    folder.file().revoke(&record.id).unwrap();
    assert_eq!(auth.verify(&token).await, Err(Refused));
    assert!(!auth.stands(&grant));
    assert!(changes.has_changed().unwrap());
    assert!(matches!(folder.file().revoke(&record.id), Err(TokenFileError::Unknown(_))));
}

#[tokio::test]
async fn a_one_time_token_works_once_and_becomes_a_session() {
    let auth = Arc::new(Auth::in_memory());
    let token = auth.one_time(Role::Technician, "Trình diễn");
    let welcome = auth.verify(&token).await.unwrap();
    let session = welcome.session.unwrap();
    assert_eq!(auth.verify(&token).await, Err(Refused));
    for _ in 0..2 {
        let again = auth.verify(&session).await.unwrap();
        assert_eq!((again.grant.role, again.session), (Role::Technician, None));
    }
}

#[test]
fn the_file_holds_no_secret_and_only_its_owner_reads_it() {
    let folder = Folder::new();
    let (_, token) = folder.file().add(Role::Viewer, "Cửa", now()).unwrap();
    let path = folder.file().path().to_owned();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(token::parts(&token).unwrap().secret));
    assert!(text.contains("$argon2id$"), "{text}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_damaged_file_keeps_the_tokens_that_were_known() {
    let folder = Folder::new();
    folder.file().add(Role::Viewer, "Cửa", now()).unwrap();
    let auth = Auth::with_file(folder.file());
    std::fs::write(folder.file().path(), "[[token]]\nid = ").unwrap();
    auth.refresh();
    assert!(auth.has_tokens());
    std::fs::remove_file(folder.file().path()).unwrap();
    auth.refresh();
    assert!(!auth.has_tokens());
}

#[test]
fn a_name_that_cannot_be_shown_is_refused() {
    let folder = Folder::new();
    assert!(matches!(folder.file().add(Role::Viewer, " ", now()), Err(TokenFileError::Name(_))));
    assert!(!folder.file().path().exists());
}
