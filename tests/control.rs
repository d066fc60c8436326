//! The console over real sockets: what a client, a browser and somebody who means harm get to see.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use moiso::board::input::Input;
use moiso::control::auth::file::TokenFile;
use moiso::control::auth::{Auth, Role};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

#[path = "support/console.rs"]
mod console;

use console::{Client, Console, PATIENCE, now, some_view};
use futures_util::{SinkExt as _, StreamExt as _};

#[tokio::test]
async fn an_operator_puts_lists_and_ends_a_notice_and_the_hall_is_told() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Operator).await;
    let put =
        client.ask(json!({ "type": "notice.put", "id": "het-so", "text": { "vi": "Hết số hôm nay" } })).await;
    assert_eq!((&put["ok"], &put["id"]), (&json!(true), &json!("het-so")), "{put}");
    let listed = client.ask(json!({ "type": "notice.list" })).await;
    assert_eq!(listed["notices"][0]["text"]["vi"], "Hết số hôm nay");
    assert_eq!(listed["notices"][0]["author"], "Quầy hướng dẫn");
    let ended = client.ask(json!({ "type": "notice.delete", "id": "het-so" })).await;
    assert_eq!(ended["ok"], true, "{ended}");
    let again = client.ask(json!({ "type": "notice.delete", "id": "het-so" })).await;
    assert_eq!(again["error"]["code"], "not-found");
    let given = console.given.lock().unwrap();
    let told: Vec<_> =
        given.published.iter().map(|p| (p.topic.as_str(), p.payload.is_empty(), p.retain)).collect();
    assert_eq!(told[..2], [("notice/het-so", false, true), ("notice/het-so", true, true)]);
}

#[tokio::test]
async fn an_operator_calls_a_ticket_once_however_often_it_is_sent() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Operator).await;
    let request = json!({ "type": "call", "id": "k1", "ticket": "A012", "counter": "5", "lane": "elderly" });
    assert_eq!(client.ask(request.clone()).await["ok"], true);
    let second = client.ask(request).await;
    assert_eq!((&second["ok"], &second["duplicate"]), (&json!(true), &json!(true)));
    let given = console.given.lock().unwrap();
    let [Input::CallReceived(call)] = &given.inputs[..] else { panic!("{:?}", given.inputs) };
    assert_eq!((call.ticket.as_str(), call.counter.as_str()), ("A012", "5"));
    assert_eq!((given.published[0].topic.as_str(), given.published[0].retain), ("call", false));
}

#[tokio::test]
async fn a_subscriber_first_gets_how_things_stand_and_then_each_change() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Viewer).await;
    assert_eq!(
        client.ask(json!({ "type": "subscribe", "topics": ["view", "notices", "health"] })).await["ok"],
        true
    );
    let view = client.event("view").await;
    assert_eq!(
        (&view["view"]["revision"], &view["view"]["counters"][4]["ticket"]),
        (&json!(1), &json!("A015"))
    );
    let mut client = console.signed_in(Role::Operator).await;
    client.ask(json!({ "type": "subscribe", "topics": ["notices", "health", "view"] })).await;
    assert_eq!(client.event("notice").await["notices"], json!([]));
    let mut other = console.signed_in(Role::Viewer).await;
    other.ask(json!({ "type": "subscribe", "topics": ["health"] })).await;
    let health = other.event("health").await;
    assert_eq!(
        (&health["live"], &health["detail"]["screen"]["link"]),
        (&json!(true), &json!("127.0.0.1:1883"))
    );
    console.view.send_replace(std::sync::Arc::new(some_view(2)));
    loop {
        if client.event("view").await["view"]["revision"] == 2 {
            break;
        }
    }
    client.ask(json!({ "type": "notice.put", "text": "Hết số" })).await;
    assert_eq!(client.event("notice").await["notices"][0]["text"]["vi"], "Hết số");
}

#[tokio::test]
async fn a_viewer_may_look_and_not_touch() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Viewer).await;
    let reply = client.ask(json!({ "type": "call", "ticket": "A012", "counter": "5" })).await;
    assert_eq!(reply["error"]["code"], "forbidden");
    assert!(console.given.lock().unwrap().inputs.is_empty());
}

#[tokio::test]
async fn a_one_time_token_gives_a_session_that_signs_in_again() {
    let console = Console::start().await;
    let token = console.auth.one_time(Role::Operator, "Trình diễn");
    let mut client = Client::connect(&console.url()).await;
    let reply = client.ask(json!({ "type": "hello", "token": token })).await;
    let session = reply["session"].as_str().unwrap().to_owned();
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": token })).await["error"]["code"], "unauthorised");
    assert_eq!(client.ending_code().await, 1008);
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": session })).await["role"], "operator");
}

#[tokio::test]
async fn who_has_not_said_hello_after_five_seconds_is_out() {
    let console = Console::start().await;
    let mut client = Client::connect(&console.url()).await;
    tokio::time::pause();
    let start = Instant::now();
    assert_eq!(client.ending_code().await, 1008);
    let waited = start.elapsed();
    assert!((4900..5500).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_connection_that_sends_nothing_or_half_a_request_is_closed_after_five_seconds() {
    let console = Console::start().await;
    for sent in ["", "GET /ws HTTP/1.1\r\nHost: "] {
        let mut stream = TcpStream::connect(console.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        // The server takes the connection before its clock begins to jump.
        console.get("/healthz", "").await;
        tokio::time::pause();
        let start = Instant::now();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        let waited = start.elapsed();
        tokio::time::resume();
        assert!((4500..6000).contains(&waited.as_millis()), "{sent:?} {waited:?}");
    }
}

#[tokio::test]
async fn a_download_that_is_not_read_is_cut_off_after_a_minute() {
    let console = Console::with(Auth::in_memory(), vec![7; 32 * 1024 * 1024]).await;
    let mut stream = TcpStream::connect(console.address).await.unwrap();
    stream.write_all(b"GET /board.png HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut head = [0; 16];
    stream.read_exact(&mut head).await.unwrap();
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(75)).await;
    tokio::time::resume();
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it has been cut off");
    assert!(rest.len() < 32 * 1024 * 1024, "the answer was not finished");
}

#[tokio::test]
async fn one_address_cannot_take_all_places_of_those_who_sign_in() {
    let console = Console::start().await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(Client::connect(&console.url()).await);
    }
    let own = format!("http://{}", console.address);
    assert_eq!(Client::status_with_origin(&console.url(), &own).await, 503);
    let token = console.auth.one_time(Role::Viewer, "Một");
    let reply = waiting[0].ask(json!({ "type": "hello", "token": token })).await;
    assert_eq!(reply["ok"], true);
    assert_eq!(Client::status_with_origin(&console.url(), &own).await, 101, "who has signed in makes room");
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_out_after_two_misses_and_one_that_does_stays() {
    let console = Console::start().await;
    let mut alive = console.signed_in(Role::Viewer).await;
    let deaf = console.signed_in(Role::Viewer).await;
    // Reads bytes and never lets the library answer.
    let tokio_tungstenite::MaybeTlsStream::Plain(mut raw) = deaf.socket.into_inner() else { panic!() };
    tokio::time::pause();
    let start = Instant::now();
    let listening = tokio::spawn(async move {
        let mut pings = 0;
        let listen = async {
            while let Some(Ok(message)) = alive.socket.next().await {
                pings += u32::from(message.is_ping());
            }
        };
        let still_open = tokio::time::timeout(Duration::from_secs(100), listen).await.is_err();
        (alive, pings, still_open)
    });
    let mut seen = Vec::new();
    let _ = raw.read_to_end(&mut seen).await;
    let waited = start.elapsed();
    assert!((44..50).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(seen, [0x89, 0, 0x89, 0], "two pings and no more");
    let (mut alive, pings, still_open) = listening.await.unwrap();
    assert!(still_open && pings == 6, "{pings}");
    tokio::time::resume();
    assert_eq!(alive.ask(json!({ "type": "notice.list" })).await["ok"], true);
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_dropped_and_the_others_go_on() {
    let console = Console::start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(console.address).await.unwrap();
    let (socket, _) = tokio_tungstenite::client_async(console.url(), stream).await.unwrap();
    let token = console.auth.one_time(Role::Viewer, "Chậm");
    let mut slow = socket;
    for text in [
        json!({ "req": 1, "type": "hello", "token": token }),
        json!({ "req": 2, "type": "subscribe", "topics": ["view"] }),
    ] {
        slow.send(Message::text(text.to_string())).await.unwrap();
    }
    let mut quick = console.signed_in(Role::Viewer).await;
    quick.ask(json!({ "type": "subscribe", "topics": ["view"] })).await;
    let mut view = some_view(0);
    let counter = view.counters[0].clone();
    view.counters = vec![counter; 200];
    // 200 counters are some 40 KB a view: 400 of them are more than all buffers between the two hold.
    for revision in 2..400 {
        console
            .view
            .send_replace(std::sync::Arc::new(moiso::board::view::BoardView { revision, ..view.clone() }));
        while quick.event("view").await["view"]["revision"] != revision {}
    }
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(6)).await;
    tokio::time::resume();
    let mut goodbye = false;
    let mut views = 0;
    while let Some(Ok(message)) =
        tokio::time::timeout(PATIENCE, slow.next()).await.expect("it has been dropped")
    {
        goodbye |= message.is_close();
        views += 1;
    }
    assert!(!goodbye && views < 400, "{views}");
    console.view.send_replace(std::sync::Arc::new(some_view(1000)));
    while quick.event("view").await["view"]["revision"] != 1000 {}
}

#[tokio::test]
async fn a_message_that_is_too_large_or_not_text_ends_the_session() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Operator).await;
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.ending_code().await, 1003);
    let mut client = console.signed_in(Role::Operator).await;
    client.send(&"a".repeat(64 * 1024 + 1)).await;
    assert_eq!(client.ending_code().await, 1009);
    let mut client = console.signed_in(Role::Operator).await;
    let text = json!({ "type": "notice.put", "text": "a", "padding": "a".repeat(60_000) });
    assert_eq!(client.ask(text).await["ok"], true, "what is just below the limit is read");
}

/// A frame as it goes over the line; `first` is its first byte. A client must mask what it sends.
fn frame(first: u8, masked: bool, length: u64, payload: &[u8]) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut out = vec![first];
    match length {
        0..126 => out.push(mask | length as u8),
        126..65_536 => out.extend([&[mask | 0x7e][..], &(length as u16).to_be_bytes()].concat()),
        _ => out.extend([&[mask | 0x7f][..], &length.to_be_bytes()].concat()),
    }
    if masked {
        out.extend([0; 4]);
    }
    out.extend(payload);
    out
}

#[tokio::test]
async fn a_frame_that_is_none_ends_its_session_and_no_other() {
    let console = Console::start().await;
    let mut inside = console.signed_in(Role::Operator).await;
    let text = |payload: &[u8]| frame(0x81, true, payload.len() as u64, payload);
    let piece = vec![b'a'; 40_000];
    let pieces = |n: usize| [frame(0x01, true, 1, b"a"), frame(0x00, true, 1, b"a").repeat(n)].concat();
    for (what, sent) in [
        ("not masked", frame(0x81, false, 2, b"{}")),
        ("reserved bits", frame(0xf1, true, 2, b"{}")),
        ("an unknown opcode", frame(0x83, true, 2, b"{}")),
        ("a ping longer than one may be", frame(0x89, true, 126, &[0; 126])),
        ("a ping in pieces", frame(0x09, true, 2, b"{}")),
        ("a piece of nothing", frame(0x80, true, 2, b"{}")),
        ("no UTF-8", text(&[0xc3, 0x28])),
        ("a length of eight exabytes", frame(0x81, true, u64::MAX / 2, b"{}")),
        (
            "a message in endless pieces",
            [frame(0x01, true, 40_000, &piece), frame(0x00, true, 40_000, &piece)].concat(),
        ),
        ("pieces of one letter without a hello", pieces(1000)),
        ("no JSON", text(b"hello")),
        ("JSON as deep as it goes", text("[".repeat(60_000).as_bytes())),
        (
            "a number without end",
            text(format!("{{\"req\":{},\"type\":\"hello\"}}", "9".repeat(400)).as_bytes()),
        ),
        ("a null letter", text(b"{\"req\":1,\"type\":\"hello\",\"token\":\"\\u0000\"}")),
    ] {
        let client = Client::connect(&console.url()).await;
        let tokio_tungstenite::MaybeTlsStream::Plain(mut raw) = client.socket.into_inner() else { panic!() };
        let _ = raw.write_all(&sent).await;
        let ended = tokio::time::timeout(PATIENCE, raw.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "{what}: it is still open");
        assert_eq!(inside.ask(json!({ "type": "notice.list" })).await["ok"], true, "{what}");
    }
    assert!(console.given.lock().unwrap().inputs.is_empty());
}

#[tokio::test]
async fn a_path_leads_to_what_is_there_and_nowhere_else() {
    let console = Console::start().await;
    for path in [
        "/assets/../tokens.toml",
        "/assets/..%2f..%2fetc/passwd",
        "/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/assets/",
        "/assets/console.js/",
        "/assets/console.js%00.png",
        "/ASSETS/console.js",
        "/api/recording/../../tokens.toml",
        "/api/recordings",
        "/recordings/",
        "/journal.db",
        "/.env",
        "/index.html",
    ] {
        assert_eq!(console.get(path, "").await.status, 404, "{path}");
    }
    for (path, headers) in [("/", "X: y\r\n\r\nGET /x HTTP/1.1\r\n"), ("/board.png?x=<script>", "")] {
        let answer = console.get(path, headers).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains("<script>"), "{path}");
    }
    let long = format!("/{}", "a".repeat(80_000));
    assert!([400, 404, 414, 431].contains(&console.get(&long, "").await.status), "an endless address");
    let many = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(5000);
    assert!([400, 431].contains(&console.get("/", &many).await.status), "endless headers");
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(
            console.request(method, "/api/view", "Content-Length: 0\r\n", &[]).await.status,
            405,
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_wall_clock_that_jumps_locks_nobody_out_and_ends_no_session() {
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Operator).await;
    for wall in ["2040-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-11-24T02:00:01Z"] {
        console.clock.set_wall(wall.parse().unwrap());
        let put = json!({ "type": "notice.put", "id": "n", "text": "Hết số", "for_s": 60 });
        let reply = client.ask(put).await;
        assert_eq!(reply["ok"], true, "{wall} {reply}");
        let until: jiff::Timestamp = reply["notice"]["until"].as_str().unwrap().parse().unwrap();
        let wall: jiff::Timestamp = wall.parse().unwrap();
        assert_eq!(until.as_second() - wall.as_second(), 60, "a minute from now, whenever that is");
        let mut other = console.signed_in(Role::Viewer).await;
        assert_eq!(other.ask(json!({ "type": "notice.list" })).await["ok"], true);
        for _ in 0..5 {
            assert_eq!(
                client.ask(json!({ "type": "notice.list" })).await["ok"],
                true,
                "nobody is slowed for it"
            );
        }
    }
}

#[tokio::test]
async fn a_foreign_page_may_not_connect() {
    let console = Console::start().await;
    let own = format!("http://{}", console.address);
    assert_eq!(Client::status_with_origin(&console.url(), &own).await, 101);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(Client::status_with_origin(&console.url(), origin).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn after_ten_failed_sign_ins_even_the_right_token_waits() {
    let console = Console::start().await;
    for _ in 0..10 {
        let mut client = Client::connect(&console.url()).await;
        let reply = client.ask(json!({ "type": "hello", "token": "moiso_nobody_guess" })).await;
        assert_eq!(reply["error"]["code"], "unauthorised");
    }
    let token = console.auth.one_time(Role::Operator, "Quầy");
    let mut client = Client::connect(&console.url()).await;
    let reply = client.ask(json!({ "type": "hello", "token": token })).await;
    assert_eq!(reply["error"]["code"], "busy");
    assert_eq!(client.ending_code().await, 1008);
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_within_seconds() {
    let folder =
        std::env::temp_dir().join(format!("moiso-control-{}", moiso::control::auth::token::new_id()));
    let file = TokenFile::at(folder.join("tokens.toml"));
    let (record, token) = file.add(Role::Operator, "Quầy 1", now()).unwrap();
    let console = Console::with(Auth::with_file(file.clone()), Vec::new()).await;
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": token })).await["name"], "Quầy 1");
    file.revoke(&record.id).unwrap();
    assert_eq!(client.ending_code().await, 1008);
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": token })).await["error"]["code"], "unauthorised");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn no_more_than_sixty_four_sessions_are_open() {
    let console = Console::start().await;
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(console.signed_in(Role::Viewer).await);
    }
    let token = console.auth.one_time(Role::Viewer, "Thứ 65");
    let mut client = Client::connect(&console.url()).await;
    assert_eq!(client.ask(json!({ "type": "hello", "token": token })).await["error"]["code"], "busy");
    assert_eq!(client.ending_code().await, 1013);
    drop(clients.pop());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let token = console.auth.one_time(Role::Viewer, "Thứ 65");
        let mut client = Client::connect(&console.url()).await;
        if client.ask(json!({ "type": "hello", "token": token })).await["ok"] == true {
            break;
        }
        assert!(Instant::now() < deadline, "the place of who has left is free again");
    }
}

#[tokio::test]
async fn a_stop_says_goodbye_to_every_session_and_ends() {
    let mut console = Console::start().await;
    let mut client = console.signed_in(Role::Viewer).await;
    console.stop();
    assert_eq!(client.ending_code().await, 1001);
    tokio::time::timeout(PATIENCE, &mut console.served).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(console.address).await.is_err());
}

#[tokio::test]
async fn the_public_numbers_need_no_token_and_carry_no_markup() {
    let console = Console::start().await;
    let view = console.get("/api/view", "").await;
    assert_eq!((view.status, &view.json()["counters"][4]["ticket"]), (200, &json!("A015")));
    let picture = console.get("/board.png", "").await;
    assert_eq!((picture.status, picture.body.as_slice()), (200, b"not really a picture".as_slice()));
    assert!(picture.head.contains("content-type: image/png"));
    let health = console.get("/readyz", "").await;
    assert_eq!((health.status, &health.json()["ready"]), (200, &json!(true)));
    assert_eq!(console.get("/api/nothing", "").await.status, 404);
    assert_eq!(console.get("/ws", "").await.status, 400);
}

#[tokio::test]
async fn every_answer_keeps_foreign_content_out_and_pages_have_no_inline_code() {
    let console = Console::start().await;
    for path in ["/", "/now", "/assets/console.js", "/api/view", "/board.png", "/nothing"] {
        let answer = console.get(path, "").await;
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{path}");
        assert!(answer.head.contains("default-src 'none'; script-src 'self';"), "{path} {}", answer.head);
        assert!(answer.head.contains("frame-ancestors 'none'"), "{path}");
        assert!(!answer.head.contains("unsafe"), "{path}");
    }
    for path in ["/", "/now"] {
        let page = String::from_utf8(console.get(path, "").await.body).unwrap();
        assert!(
            page.contains("lang=\"vi\"") && !page.contains("style=") && !page.contains(" onclick"),
            "{path}"
        );
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "{path} loads nothing from elsewhere"
        );
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let console = Console::start().await;
    for path in ["/", "/assets/text-500.ttf", "/api/view", "/board.png"] {
        let first = console.get(path, "").await;
        let tag = first.head.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap().to_owned();
        let second = console.get(path, &format!("If-None-Match: {tag}\r\n")).await;
        assert_eq!((second.status, second.body.len()), (304, 0), "{path}");
    }
}

#[tokio::test]
async fn a_page_can_tell_that_nobody_can_sign_in_yet() {
    let console = Console::start().await;
    assert_eq!(console.get("/api/about", "").await.json()["has_tokens"], false);
    console.auth.one_time(Role::Viewer, "Một");
    assert_eq!(console.get("/api/about", "").await.json()["has_tokens"], true);
}

#[tokio::test]
async fn a_thousand_who_want_in_at_once_are_answered_or_sent_away_and_nobody_inside_notices() {
    let console = Console::start().await;
    let mut inside = console.signed_in(Role::Operator).await;
    let (url, own) = (console.url(), format!("http://{}", console.address));
    let crowd: Vec<_> = (0..1000)
        .map(|_| {
            let (url, own) = (url.clone(), own.clone());
            tokio::spawn(async move {
                let mut request =
                    tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url)
                        .unwrap();
                request.headers_mut().insert("Origin", own.parse().unwrap());
                match tokio_tungstenite::connect_async(request).await {
                    Ok((socket, _)) => (101, Some(socket)),
                    Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                        (answer.status().as_u16(), None)
                    }
                    // More connections of one address than it may hold are closed without a word.
                    Err(_) => (0, None),
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for one in crowd {
        answers.push(tokio::time::timeout(PATIENCE, one).await.expect("nobody waits for ever").unwrap());
    }
    let count = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!(count(101), 8, "one address holds eight places of those who have not signed in");
    assert!(count(503) > 0 && count(503) + count(0) == 992, "{} {}", count(503), count(0));
    assert_eq!(inside.ask(json!({ "type": "notice.list" })).await["ok"], true);
    drop(answers);
    let deadline = Instant::now() + PATIENCE;
    while Client::status_with_origin(&url, &own).await != 101 {
        assert!(Instant::now() < deadline, "their places are free again");
    }
}

#[tokio::test]
async fn phones_get_numbers_only_and_their_connection_is_given_back() {
    let console = Console::start().await;
    let mut view = some_view(2);
    view.spotlight.push(moiso::board::view::Spot {
        call: moiso::board::call::CallId::parse("c-1").unwrap(),
        ticket: moiso::board::call::Ticket::parse("A012").unwrap(),
        counter: view.counters[4].counter.clone(),
        kind: moiso::board::call::Kind::Call,
        lane: moiso::board::call::Lane::Elderly,
        slot: None,
        holder: Some(moiso::board::call::Holder::mask("Nguyễn Văn An").unwrap()),
        since: moiso::clock::Millis::ZERO,
    });
    console.view.send_replace(std::sync::Arc::new(view.clone()));
    let deadline = Instant::now() + PATIENCE;
    let mut answer = console.get("/api/now", "").await;
    while answer.json()["called"].as_array().unwrap().is_empty() {
        assert!(Instant::now() < deadline, "the phones hear of it");
        answer = console.get("/api/now", "").await;
    }
    let now = answer.json();
    assert_eq!(
        (&now["called"][0]["ticket"], &now["called"][0]["lane"]),
        (&json!("A012"), &json!("người cao tuổi"))
    );
    let text = now.to_string();
    assert!(!text.contains("V**") && !text.contains("c-1"), "{text}");
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    // A revision that changes nothing for phones is no news to them.
    let tag = answer.head.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap().to_owned();
    console.view.send_replace(std::sync::Arc::new(moiso::board::view::BoardView { revision: 3, ..view }));
    let mut client = console.signed_in(Role::Viewer).await;
    client.ask(json!({ "type": "subscribe", "topics": ["view"] })).await;
    while client.event("view").await["view"]["revision"] != 3 {}
    let again = console.get("/api/now", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn screens_of_the_hall_are_told_to_whoever_asks_for_them() {
    use moiso::screens::ScreenReport;
    let console = Console::start().await;
    let mut client = console.signed_in(Role::Viewer).await;
    client.ask(json!({ "type": "subscribe", "topics": ["screens"] })).await;
    assert_eq!(client.event("screens").await["screens"], json!([]));
    let heard = moiso::clock::Now { mono: moiso::clock::Millis::ZERO, wall: now() };
    console.screens.send_modify(|screens| {
        screens.take("sanh-1", ScreenReport { online: true, ..ScreenReport::default() }, heard);
    });
    let told = client.event("screens").await;
    assert_eq!((&told["screens"][0]["screen"], &told["screens"][0]["own"]), (&json!("sanh-1"), &json!(true)));
}
